import type { Retention } from "./retention.ts";

/** What was read through, and what is wrong with it, a line each; nothing: it is whole. */
export interface Soundness {
  readonly findings: readonly string[];
  readonly events: number;
}

/** How much of each kind is past its time. */
export interface Overdue {
  /** Answered, dropped, and merged into these. */
  readonly events: number;
  readonly letters: number;
  readonly turns: number;
  readonly conversations: number;
}

export interface Vacuumed {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** It is done a little at a time; nobody was served for the longest of these. */
  readonly longestMs: number;
}

/** A finished event by its number, which a replay changes, with those that were merged into it. */
export interface Finished {
  readonly seq: number;
  readonly merged: readonly number[];
}

/** What operators have done to the store now and then, while others go on using it. */
export interface Upkeep {
  /** Reads all that is kept. `busy`: what reads it needs is in use, as by a backup. */
  check(): Promise<Soundness | "busy">;
  /** What `Store.sweep` would delete now. */
  overdue(retention: Retention): Promise<Overdue | "busy">;
  /** Gives the disk back what deleted rows have left. Null: there is no file to make smaller. */
  vacuum(): Promise<Vacuumed | null>;
  /**
   * Deletes finished events with all that belongs to them but their idempotency keys, which go when they may. One that was
   * replayed since, or into which more was merged than is said, stays. Gives how many went, merged ones among them.
   */
  remove(finished: readonly Finished[]): Promise<number>;
}
