import type { AuditPlace, AuditRow } from "../domain/audit.ts";

/**
 * The rows of the audit, in one line over all processes that share the store. Nothing of a row ever changes; the oldest
 * ones go, and the place of the last that went is kept. Durable before a change resolves, as far as the store is.
 */
export interface AuditLog {
  /** Newest first, and the ends as they were at that moment. */
  read(page: AuditPage): Promise<AuditRead>;
  /**
   * Behind `after`. False: that is not the last one any more, and nothing changed. The same row again, whose answer was
   * lost, is no harm.
   */
  add(row: AuditRow, after: AuditPlace): Promise<boolean>;
  /** Lets go of all up to this one. Gives how many. */
  prune(upTo: AuditPlace): Promise<number>;
}

export interface AuditPage {
  readonly limit: number;
  /** Only those before this seq. */
  readonly before?: number;
}

export interface AuditRead {
  readonly rows: readonly AuditRow[];
  /** The last that was let go of. */
  readonly first: AuditPlace;
  /** The last that was added, as the store has noted it beside the rows. */
  readonly last: AuditPlace;
  /** Of the newest row: more than that of `last` where somebody else has written rows. */
  readonly newestSeq: number;
}
