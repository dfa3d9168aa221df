import { z } from "zod";
import { AUDIT_ROLES, type AuditEntry } from "../domain/audit.ts";
import type { AuditLog } from "../ports/audit-log.ts";
import { entryOf } from "../shared/audit-chain.ts";
import { type Verified, verifyAudit } from "../shared/audit-verify.ts";
import { CHUNK, SCANNED_MAX } from "./bounds.ts";
import { cursorOf, placeOf } from "./cursor.ts";
import type { AuditQuery, AuditVerifyQuery } from "./requests.ts";
import { period } from "./search.ts";

export const auditEntrySchema = z.object({
  seq: z.int().describe("From 1, without gaps."),
  id: z.string(),
  at: z.string().describe("When it was done; entries are in the order in which they were kept."),
  actor: z.string().describe("An operator, a person as platform:tenant:id, or gateway."),
  role: z.enum(AUDIT_ROLES),
  action: z.string(),
  subject: z.string().describe("What it was done to."),
  peer: z.string().nullable().describe("The other end of the connection: who asked, or a proxy."),
  user_agent: z.string().nullable(),
  request_id: z.string().nullable(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
  hash: z
    .string()
    .describe("SHA-256 of the hash before, a line feed, and this entry as JSON without `hash`, in hex."),
});

export const auditPageSchema = z.object({
  entries: z.array(auditEntrySchema),
  next: z
    .string()
    .nullable()
    .describe("Give it as `cursor` for the page after this one; null: there is none."),
});

const place = z.object({ seq: z.int(), hash: z.string() });

export const auditVerifiedSchema = z.object({
  ok: z.boolean(),
  entries: z.int(),
  first: place.describe("The last entry that was let go of; seq 0 where none was."),
  last: place.describe("Note it elsewhere: given again, it shows whether all was written anew."),
  fault: z
    .object({
      seq: z.int().describe("Of the first entry that is not as it was written, or not there."),
      what: z.enum(["changed", "missing", "added"]),
      message: z.string(),
    })
    .nullable(),
});
export type AuditVerifiedView = z.output<typeof auditVerifiedSchema>;

export interface AuditPageView {
  readonly entries: readonly AuditEntry[];
  readonly next: string | null;
}

/** Newest first. Few or none where hardly anything fits: `next` then leads on from where the search ended. */
export async function auditPage(
  log: Pick<AuditLog, "read">,
  { limit, cursor, since, until, ...wanted }: AuditQuery,
  nowMs: number,
): Promise<AuditPageView> {
  const { sinceMs, untilMs } = period({ since, until }, nowMs);
  const filter = Object.entries(wanted).filter(([, value]) => value !== undefined);
  const entries: AuditEntry[] = [];
  let before = cursor === undefined ? undefined : Number(placeOf("audit", cursor));
  const next = () => (before === undefined ? null : cursorOf("audit", before));
  for (let scanned = 0; scanned < SCANNED_MAX; scanned += CHUNK) {
    const { rows } = await log.read({ limit: CHUNK, ...(before !== undefined && { before }) });
    for (const row of rows) {
      const entry = entryOf(row);
      const atMs = Date.parse(entry.at);
      const isInTime = !(atMs < sinceMs) && !(atMs >= untilMs);
      if (isInTime && filter.every(([name, value]) => entry[name as keyof AuditEntry] === value)) {
        // One more than is shown, to know whether there is a next page.
        if (entries.length === limit) return { entries, next: next() };
        entries.push(entry);
      }
      before = row.seq;
    }
    if (rows.length < CHUNK) return { entries, next: null };
  }
  return { entries, next: next() };
}

/** Whether every entry is as it was written, and follows the one before it. */
export async function auditVerified(
  log: Pick<AuditLog, "read">,
  { seq, hash }: AuditVerifyQuery,
): Promise<AuditVerifiedView> {
  const known = seq === undefined || hash === undefined ? undefined : { seq, hash };
  return verifiedView(await verifyAudit((page) => log.read(page), known));
}

export function verifiedView({ entries, first, last, fault }: Verified): AuditVerifiedView {
  return { ok: fault === null, entries, first, last, fault };
}
