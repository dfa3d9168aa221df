import { AUDIT_BEGINNING, type AuditPlace, type AuditRow } from "../../domain/audit.ts";
import type { AuditLog } from "../../ports/audit-log.ts";
import type { Parts } from "./parts.ts";

export function createAuditLog({ run, now }: Parts): AuditLog {
  return {
    async read({ limit, before }) {
      const answer = (await run("read_audit", [now(), limit, before ?? ""], "brief")) as string[];
      const [first = "", last = "", newestSeq = "0", newest = "", ...found] = answer;
      const rows: AuditRow[] = [];
      for (let i = 0; i + 1 < found.length; i += 2) rows.push(rowOf(found[i] ?? "", found[i + 1] ?? ""));
      const newestRow = newest === "" ? AUDIT_BEGINNING : rowOf(newestSeq, newest);
      return {
        rows,
        first: placeOf(first) ?? AUDIT_BEGINNING,
        last: placeOf(last) ?? { seq: newestRow.seq, hash: newestRow.hash },
        newestSeq: newestRow.seq,
      };
    },
    async add({ seq, hash, body }, after) {
      const args = [now(), seq, `${hash} ${body}`, textOf(after), textOf(AUDIT_BEGINNING)];
      return (await run("add_audit", args, "long")) === 1;
    },
    async prune(upTo) {
      return (await run("prune_audit", [now(), upTo.seq, textOf(upTo)], "long")) as number;
    },
  };
}

function textOf({ seq, hash }: AuditPlace): string {
  return `${seq} ${hash}`;
}

function placeOf(text: string): AuditPlace | null {
  const [, seq, hash] = /^(\d{1,15}) (\S+)$/.exec(text) ?? [];
  return seq === undefined || hash === undefined ? null : { seq: Number(seq), hash };
}

const HASH_CHARS = 64;

function rowOf(seq: string, row: string): AuditRow {
  return { seq: Number(seq), hash: row.slice(0, HASH_CHARS), body: row.slice(HASH_CHARS + 1) };
}
