/** What a process says of its spool to all that share the store. */
export interface Watermark {
  /** It holds what it has acknowledged and the store has not got. */
  readonly isSpooling: boolean;
  /** Whatever came to it before this is in the store. */
  readonly lowAtMs: number;
}

/**
 * Who shares the store with others that have spools begins nothing while one of them may hold what came before it: one
 * that has said so, and one that was not heard since the store was away.
 */
export interface Watermarks {
  /**
   * Rejects with STORE_* when the store cannot be told. `isTaken`: it counts from now on; else it came too late to say
   * anything about now. `isAnotherSpooling`: one has said so, or has not been heard since an outage, for as long as one that
   * was killed in it may take to come back.
   */
  publish(mark: Watermark): Promise<{ readonly isTaken: boolean; readonly isAnotherSpooling: boolean }>;
}
