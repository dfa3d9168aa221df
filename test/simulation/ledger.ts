import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Progress, Turn } from "../../src/domain/run.ts";

/** What a store holds when all is over, read past the driver. */
export interface Ledger {
  /** In the order of acceptance. */
  readonly rows: readonly Row[];
  readonly parts: readonly Part[];
  /** Oldest first. */
  readonly turns: readonly { readonly conversation: string; readonly turn: Turn }[];
  /** What all days together have spent and hold, in millionths of a cent. */
  readonly money: number;
  /** What is there although nothing waits or runs any more, in words. */
  readonly leftovers: readonly string[];
}

/** One event at the end. */
export interface Row {
  readonly seq: number;
  readonly id: string;
  readonly acceptedMs: number;
  /** Null: it has no end. */
  readonly state: string | null;
  readonly attempt: number;
  readonly cause: string | null;
  readonly event: TriggerEvent;
  readonly progress: Progress | null;
  /** The seq of the event that it was merged into. */
  readonly into: number | null;
}

/** One part of a reply. */
export interface Part {
  readonly partId: string;
  /** Of its event. */
  readonly seq: number;
  readonly state: string;
}
