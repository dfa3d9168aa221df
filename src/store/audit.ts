import { AUDIT_PRUNED, type AuditEntry, type AuditRow, type Deed } from "../domain/audit.ts";
import { AUDIT_ROWS_MAX } from "../domain/bounds.ts";
import { GatewayError } from "../domain/errors.ts";
import type { AuditLog } from "../ports/audit-log.ts";
import type { NewId } from "../ports/clock.ts";
import { entryOf, rowBehind } from "../shared/audit-chain.ts";
import { DAY_MS } from "../shared/time.ts";

/** Each try that is in vain is one in which another process has added something. */
const TRIES_MAX = 100;
/** Let go of at once. */
const PRUNED_MAX = 2_000;

/** Adds a deed to the chain, behind whatever other processes add at the same time. */
export async function appendAudit(log: AuditLog, newId: NewId, deed: Deed): Promise<AuditEntry> {
  const id = newId("aud");
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { last, newestSeq } = await log.read({ limit: 0 });
    const row = rowBehind(last, Math.max(last.seq, newestSeq) + 1, id, deed);
    if (await log.add(row, last)) return entryOf(row);
  }
  throw new GatewayError("STORE_UNAVAILABLE", "others write to the audit all the time; try again");
}

/**
 * Lets go of entries of before this time, and of what is more than AUDIT_ROWS_MAX. It says so in the audit, and so waits
 * until it is worth an entry: a day's, or a tenth of what is kept. Gives how many went.
 */
export async function pruneAudit(
  log: AuditLog,
  newId: NewId,
  { nowMs, keptMs }: { nowMs: number; keptMs: number },
): Promise<number> {
  const { first, newestSeq } = await log.read({ limit: 0 });
  const { rows } = await log.read({ limit: PRUNED_MAX, before: first.seq + 1 + PRUNED_MAX });
  const oldest = rows.at(-1);
  if (oldest === undefined) return 0;
  const surplus = newestSeq - first.seq - AUDIT_ROWS_MAX;
  const isWorthIt =
    atMsOf(oldest) < nowMs - keptMs - Math.min(DAY_MS, keptMs / 10) || surplus > AUDIT_ROWS_MAX / 10;
  if (!isWorthIt) return 0;
  const isOver = (row: AuditRow) => atMsOf(row) < nowMs - keptMs || row.seq <= first.seq + surplus;
  // In the order of the chain: one that is too young keeps what comes after it.
  const kept = rows.findLastIndex((row) => !isOver(row));
  const upTo = rows[kept + 1];
  if (upTo === undefined) return 0;
  const { seq, hash } = upTo;
  await appendAudit(log, newId, {
    ...{ atMs: nowMs, actor: "gateway", role: "system", action: AUDIT_PRUNED, subject: "audit" },
    ...{ before: { seq: first.seq, hash: first.hash }, after: { seq, hash } },
  });
  return await log.prune({ seq, hash });
}

/** One that cannot be read is as old as can be. */
function atMsOf(row: AuditRow): number {
  const ms = Date.parse(entryOf(row).at);
  return Number.isNaN(ms) ? 0 : ms;
}
