import type { BusyMode } from "../domain/busy.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { EventKind } from "../domain/kind.ts";
import type { Refusal } from "../domain/refusal.ts";
import type { Progress, RunOutcome, Turn } from "../domain/run.ts";
import type { Signal } from "../domain/signal.ts";
import type { Recall } from "./memory.ts";

/** A claimed event. At most one live claim per lane; it is always the oldest. */
export interface Job {
  readonly event: TriggerEvent;
  /** It, and what was joined to it at earlier claims (`Queue.join`), oldest first. */
  readonly events: readonly TriggerEvent[];
  readonly lane: string;
  readonly kind: EventKind;
  /** As it was offered; null also for what an older version has accepted, and for what was brought back. */
  readonly agent: string | null;
  readonly busy: BusyMode;
  /** Set: do not run it, tell the person and drop it. */
  readonly refusal: Refusal | null;
  /** Counts from 1; on disk before the claim is given out, so that the death of the process does not undo it. */
  readonly attempt: number;
  /**
   * How often it was settled as `retry` since it was accepted, brought back, or first had an answer: running and saying
   * are counted apart, so that an answer has all its attempts to be said.
   */
  readonly failures: number;
  /** Attempts before this one that neither ended in order nor failed: the end of a process, or of a lease, cut them off. */
  readonly cutOffs: number;
  /**
   * Deaths of a process that held this event and hardly any other (SUSPECTS_MAX): the event may be what kills.
   * A death with many events in hand says nothing about any one of them and is not counted here.
   */
  readonly crashes: number;
  /** How often it was replayed anew after it had finished; part ids of its replies carry this number. */
  readonly replay: number;
  /** What was said to it while it waited, or while its last holder ran it, in that order. A stop: end it, do not run it. */
  readonly signals: readonly Signal[];
  /** Fencing token: grows with each claim of the event. A call with an old one changes nothing. */
  readonly token: number;
  /** What the last holder had achieved. */
  readonly progress: Progress | null;
  readonly acceptedAtMs: number;
  /** When it was accepted, or brought back last: what somebody's patience is counted from. */
  readonly waitsSinceMs: number;
  /** The conversation as it was remembered at the claim, where that asked for it and had room. */
  readonly recalled?: Recall & { readonly turns: readonly Turn[] };
  /**
   * Set: what was kept of it cannot be read, and this is the cause with which it ends. Nothing may be run or said for it;
   * `event` then holds no more than where it waited.
   */
  readonly damage?: string;
}

export type Settlement =
  /** The run is over and said. `turns` go to memory in the same transaction; to `memory`, where that is not its conversation. */
  | {
      readonly kind: "done";
      readonly outcome: RunOutcome;
      readonly turns: readonly Turn[];
      readonly memory?: string;
    }
  /** Not run by policy; the person has been told where due. */
  | { readonly kind: "dropped"; readonly cause: string }
  /** Waiting that is nobody's fault (drain, open breaker): uses up no attempt. */
  | { readonly kind: "defer"; readonly afterMs: number; readonly cause: string }
  /**
   * Waits for a person, or for a time: holds its lane and no worker, and uses up no attempt. Claimable again at `untilMs`,
   * or as soon as there is a signal that did not come with the claim; those that did are over. The progress is stored in
   * the same transaction.
   */
  | { readonly kind: "park"; readonly untilMs: number; readonly progress: Progress }
  /** A failure. Holds the lane, never reorders it. */
  | { readonly kind: "retry"; readonly afterMs: number; readonly cause: string }
  /** Gave up: a dead letter, kept with its cause. The lane goes on. */
  | { readonly kind: "dead"; readonly cause: string };

export interface ClaimOptions {
  readonly jobsMax: number;
  readonly leaseMs: number;
  readonly controlOnly?: boolean;
  readonly recall?: Recall;
}

/** What the back half works from: at least once, one job at a time per lane, oldest first. */
export interface Queue {
  /** Lanes whose first event is a command come first; with `controlOnly`, nothing else does. With `recall`, jobs bring their memory. */
  claim(options: ClaimOptions): Promise<readonly Job[]>;
  /** False: the lease is lost. Signals that the event has are published to this process once more. */
  extend(job: Job, leaseMs: number): Promise<boolean>;
  /** Records progress; false: the lease is lost and nothing was recorded. */
  checkpoint(job: Job, progress: Progress): Promise<boolean>;
  /** False: the lease is lost and nothing changed. */
  settle(job: Job, settlement: Settlement): Promise<boolean>;
  /**
   * Takes what waits right behind this event and may be merged with it: messages of the same person for the same agent,
   * whose own busy mode is one that merges and whose files are there (TriggerEvent.mayGrow). It stops at the first that
   * is none of these, at MERGED_EVENTS_MAX and at MERGED_CHARS_MAX. Durable and atomic: from now on they are claimed with
   * this event (Job.events), and end with it, as `merged`. Gives all that are joined to it, oldest first, without itself;
   * nothing when the lease is lost.
   */
  join(job: Job): Promise<readonly TriggerEvent[]>;
  /** Resolves when a claim may find something; rejects with the signal's reason when aborted. */
  ready(signal: AbortSignal): Promise<void>;
}
