import type { TriggerEvent } from "../domain/event.ts";
import type { Progress } from "../domain/run.ts";

export const EVENT_STATES = [
  "queued",
  "running",
  "retrying",
  "parked",
  "done",
  "dropped",
  "dead",
  "merged",
] as const;
export type EventState = (typeof EVENT_STATES)[number];

/** One event's life, for operators. */
export interface EventRecord {
  readonly id: string;
  readonly state: EventState;
  readonly event: TriggerEvent;
  readonly attempt: number;
  readonly cause: string | null;
  /** The event whose run answers this one too: `merged` once that is over. */
  readonly mergedInto: string | null;
  readonly progress: Progress | null;
  readonly acceptedAtMs: number;
  readonly updatedAtMs: number;
  /** Grows with each acceptance and each replay: the place in the list. */
  readonly seq: number;
  /** Oldest first. */
  readonly replays: readonly ReplayNote[];
}

/** Who brought a finished event back, and what it had ended with. */
export interface ReplayNote {
  readonly atMs: number;
  readonly by: string;
  readonly mode: ReplayMode;
  readonly cause: string | null;
}

/**
 * - `resume`: go on with the recorded progress: an answer that could not be said is said, from the part that failed
 * - `anew`: a new run, whose answer is said whatever was said before
 */
export type ReplayMode = "resume" | "anew";

export interface StoreStats {
  readonly queued: number;
  readonly running: number;
  readonly retrying: number;
  /** Set aside until a person or a time decides. */
  readonly parked: number;
  readonly dead: number;
  /**
   * When the oldest event not yet done was accepted, or brought back; null when nothing waits. What is parked, and what
   * waits behind it, is not counted: that waits for a person.
   */
  readonly oldestAcceptedAtMs: number | null;
  readonly fileBytes: number;
}

export interface Journal {
  find(id: string): Promise<EventRecord | null>;
  /** Newest first; with `beforeSeq`, only older ones than that. */
  list(filter: { state?: EventState; limit: number; beforeSeq?: number }): Promise<readonly EventRecord[]>;
  stats(): Promise<StoreStats>;
}
