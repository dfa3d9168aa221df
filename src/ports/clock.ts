/** Time, ids and chance come in through here, so that a simulation can replay a day from a seed. */
export interface Clock {
  nowMs(): number;
  /** Rejects with the signal's reason when aborted. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls `ring` once, after the time. Gives how to call it off, which costs a tenth of a sleep that is cut short. */
  timer(durationMs: number, ring: () => void): () => void;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** Unique, sortable by time of creation: `run_…`, `req_…`. */
export type NewId = (prefix: string) => string;
