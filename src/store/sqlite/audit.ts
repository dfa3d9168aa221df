import { AUDIT_BEGINNING, type AuditPlace } from "../../domain/audit.ts";
import type { AuditLog, AuditPage, AuditRead } from "../../ports/audit-log.ts";
import type { prepareAuditStatements } from "./audit-statements.ts";
import type { Ask, Operations } from "./protocol.ts";
import type { State } from "./state.ts";

export function readAudit({ sql }: Pick<State, "sql">, page: AuditPage): AuditRead {
  return readRows(sql, page);
}

export function readRows(
  sql: ReturnType<typeof prepareAuditStatements>,
  { limit, before = Number.MAX_SAFE_INTEGER }: AuditPage,
): AuditRead {
  const newest = sql.newestAudit.get();
  const place = ({ seq, hash }: AuditPlace) => ({ seq, hash });
  return {
    rows: sql.audit.all(before, limit).map((row) => ({ ...place(row), body: row.body })),
    first: place(sql.auditEnd.get("first") ?? AUDIT_BEGINNING),
    last: place(sql.auditEnd.get("last") ?? newest ?? AUDIT_BEGINNING),
    newestSeq: newest?.seq ?? 0,
  };
}

export function addAudit({ sql }: State, args: Operations["addAudit"]["args"]): boolean {
  return addRow(sql, args);
}

export function addRow(
  sql: ReturnType<typeof prepareAuditStatements>,
  { row, after }: Operations["addAudit"]["args"],
): boolean {
  const { last, newestSeq } = readRows(sql, { limit: 0 });
  if (last.seq !== after.seq || last.hash !== after.hash || row.seq <= newestSeq)
    return sql.auditRow.get(row.seq)?.hash === row.hash;
  sql.addAudit.run(row.seq, row.hash, row.body);
  sql.setAuditEnd.run("last", row.seq, row.hash);
  return true;
}

export function pruneAudit({ sql }: State, { seq, hash }: Operations["pruneAudit"]["args"]): number {
  const { changes } = sql.pruneAudit.run(seq);
  sql.setAuditEnd.run("first", seq, hash);
  return Number(changes);
}

export function createAuditLog(ask: Ask): AuditLog {
  return {
    read: async (page) => await ask("readAudit", page),
    add: async (row, after) => await ask("addAudit", { row, after }),
    prune: async (upTo) => await ask("pruneAudit", upTo),
  };
}
