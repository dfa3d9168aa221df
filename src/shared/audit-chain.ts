import { createHash } from "node:crypto";
import type { AuditEntry, AuditPlace, AuditRow, Deed } from "../domain/audit.ts";
import { redactedJson } from "../domain/redact.ts";
import { parseJsonObject } from "./json.ts";
import { iso } from "./time.ts";

const NAME_CHARS_MAX = 200;
/** Of `before` and of `after`, as JSON: what is larger is for the log. */
const STATE_CHARS_MAX = 2_000;

/** SHA-256 of the hash before, a line feed, and the entry: whoever changes one would have to change all that follow. */
export function hashBehind({ hash }: Pick<AuditPlace, "hash">, body: string): string {
  return createHash("sha256").update(`${hash}\n${body}`).digest("hex");
}

/** The row of a deed behind this place. */
export function rowBehind(after: AuditPlace, seq: number, id: string, deed: Deed): AuditRow {
  const { actor, role, action, subject, peer, userAgent, requestId, before, after: since } = deed;
  const body = JSON.stringify(
    redactedJson({
      ...{ seq, id, at: iso(deed.atMs) },
      ...{ actor: cut(actor), role, action, subject: cut(subject) },
      peer: cutOrNull(peer),
      user_agent: cutOrNull(userAgent),
      request_id: cutOrNull(requestId),
      ...(before !== undefined && { before: small(before) }),
      ...(since !== undefined && { after: small(since) }),
    }),
  );
  return { seq, hash: hashBehind(after, body), body };
}

/** A row as it is shown. One whose text somebody has broken is shown as far as it goes. */
export function entryOf({ seq, hash, body }: AuditRow): AuditEntry {
  const parsed = parseJsonObject(body);
  if (!parsed.ok) return { ...UNREADABLE, seq, hash };
  const { value } = parsed;
  const text = (name: string) => (typeof value[name] === "string" ? value[name] : null);
  return {
    seq,
    id: text("id") ?? "",
    at: text("at") ?? "",
    actor: text("actor") ?? "",
    role: (text("role") ?? "system") as AuditEntry["role"],
    action: text("action") ?? "",
    subject: text("subject") ?? "",
    peer: text("peer"),
    user_agent: text("user_agent"),
    request_id: text("request_id"),
    ...("before" in value && { before: value.before }),
    ...("after" in value && { after: value.after }),
    hash,
  };
}

const UNREADABLE: Omit<AuditEntry, "seq" | "hash"> = {
  ...{ id: "", at: "", actor: "", role: "system" as const, action: "unreadable", subject: "" },
  ...{ peer: null, user_agent: null, request_id: null },
};

function cut(text: string): string {
  return text.slice(0, NAME_CHARS_MAX).toWellFormed();
}

function cutOrNull(text: string | null | undefined): string | null {
  return text == null ? null : cut(text);
}

function small(state: unknown): unknown {
  const { length } = JSON.stringify(state) ?? "";
  return length <= STATE_CHARS_MAX ? state : { left_out: `${length} characters` };
}
