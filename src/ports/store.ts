import type { KnownPerson } from "../domain/conversation.ts";
import type { ErrorCode } from "../domain/errors.ts";
import type { Person, TriggerEvent } from "../domain/event.ts";
import type { Refusal } from "../domain/refusal.ts";
import type { Receipt } from "../domain/reply.ts";
import type { Progress, RunOutcome, Turn } from "../domain/run.ts";
import type { RequestLog } from "./request-log.ts";

/** A smooth, burst-aware limit (GCRA): `messages` at once, then one every `perMs / messages`. */
export interface RateLimit {
  readonly scope: "user" | "conversation" | "tenant" | "global";
  readonly key: string;
  readonly messages: number;
  readonly perMs: number;
}

/** An event on its way into the queue. */
export interface Offer {
  readonly event: TriggerEvent;
  /** Runs in one lane are strictly one after the other. Usually the conversation; control commands have their own. */
  readonly lane: string;
  /** Decided before the store was asked: the event is recorded as dropped, not run. */
  readonly refusal: Refusal | null;
  /** Checked in order after deduplication, all or nothing: a refused event uses up no allowance. */
  readonly limits: readonly RateLimit[];
  /** A message in a thread without a mention: store it only if this conversation is known. */
  readonly onlyIfKnown: boolean;
  /** Whether the person may hear of a refusal by a limit; not bots, which would answer. */
  readonly isTold: boolean;
  /** How long the idempotency keys are remembered. */
  readonly dedupMs: number;
  /**
   * Set by a spool that brings what it acknowledged while the store was away: when that was. The event takes its
   * place in its lane by this time, before what came later and has not begun. A store of one process is never
   * behind a spool and ignores it.
   */
  readonly spooledAtMs?: number;
}

export type Acceptance =
  | { readonly kind: "accepted" }
  | { readonly kind: "duplicate" }
  | { readonly kind: "unknown-conversation" }
  /** Recorded as dropped. `told`: a notice to the person is queued with it. */
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly told: boolean }
  /** Too much is waiting, in this lane or in all. Nothing was stored; the platform may send it again. */
  | { readonly kind: "full" };

/** A claimed event. At most one live claim per lane; it is always the oldest. */
export interface Job {
  readonly event: TriggerEvent;
  readonly lane: string;
  /** Set: do not run it, tell the person and drop it. */
  readonly refusal: Refusal | null;
  /** Counts from 1; on disk before the claim is given out, so that the death of the process does not undo it. */
  readonly attempt: number;
  /** How often it was settled as `retry`. Attempts beyond these and the present one were cut off by a crash. */
  readonly failures: number;
  /**
   * Deaths of a process that held this event and hardly any other (SUSPECTS_MAX): the event may be what kills.
   * A death with many events in hand says nothing about any one of them and is not counted here.
   */
  readonly crashes: number;
  /** How often it was replayed anew after it had finished; part ids of its replies carry this number. */
  readonly replay: number;
  /** Somebody said /stop while it waited for its next attempt or while its last holder ran it: end it, do not run it. */
  readonly stopRequested: boolean;
  /** Fencing token: grows with each claim of the event. A call with an old one changes nothing. */
  readonly token: number;
  /** What the last holder had achieved. */
  readonly progress: Progress | null;
  readonly acceptedAtMs: number;
  /** When it was accepted, or brought back last: what somebody's patience is counted from. */
  readonly waitsSinceMs: number;
  /**
   * Set: what was kept of it cannot be read, and this is the cause with which it ends. Nothing may be run or said for it;
   * `event` then holds no more than where it waited.
   */
  readonly damage?: string;
}

export type Settlement =
  /** The run is over and said. `turns` go to memory in the same transaction. */
  | { readonly kind: "done"; readonly outcome: RunOutcome; readonly turns: readonly Turn[] }
  /** Not run by policy; the person has been told where due. */
  | { readonly kind: "dropped"; readonly cause: string }
  /** Waiting that is nobody's fault (drain, open breaker): uses up no attempt. */
  | { readonly kind: "defer"; readonly afterMs: number; readonly cause: string }
  /** A failure. Holds the lane, never reorders it. */
  | { readonly kind: "retry"; readonly afterMs: number; readonly cause: string }
  /** Gave up: a dead letter, kept with its cause. The lane goes on. */
  | { readonly kind: "dead"; readonly cause: string };

/** Durable, at least once, one job at a time per lane, oldest first. */
export interface Queue {
  /**
   * Resolves once durable. A duplicate resolves no sooner than its original, which takes over its attachments where it
   * has none, may grow (TriggerEvent) and has got nowhere yet. Rejects with STORE_* when it cannot be stored.
   */
  accept(offer: Offer): Promise<Acceptance>;
  /** Control lanes come first; with `controlOnly`, nothing else does. */
  claim(options: { jobsMax: number; leaseMs: number; controlOnly?: boolean }): Promise<readonly Job[]>;
  /** False: the lease is lost. */
  extend(job: Job, leaseMs: number): Promise<boolean>;
  /** Records progress; false: the lease is lost and nothing was recorded. */
  checkpoint(job: Job, progress: Progress): Promise<boolean>;
  /** False: the lease is lost and nothing changed. */
  settle(job: Job, settlement: Settlement): Promise<boolean>;
  /** Resolves when a claim may find something; rejects with the signal's reason when aborted. */
  ready(signal: AbortSignal): Promise<void>;
}

export type Reservation =
  /** Say it. `sendsBefore` counts earlier sends of the whole reply. */
  | { readonly kind: "fresh"; readonly sendsBefore: number }
  /**
   * An earlier send was never recorded: it may have been said. `isSenderGone`: nobody who began one can still be on
   * the way to it. Each has ended, or handed its claim back; none is a process of which only the lease has run out.
   */
  | { readonly kind: "in-doubt"; readonly sendsBefore: number; readonly isSenderGone: boolean }
  | { readonly kind: "sent"; readonly receipt: Receipt }
  | { readonly kind: "lost" }; // the lease is lost: say nothing

/** Remembers what was said aloud, so that a repeated run stays quiet. */
export interface Outbox {
  /** Durable before it resolves. Part ids are `${event id}/…` and never shared by two events. */
  reserve(job: Job, partId: string): Promise<Reservation>;
  /**
   * What became of the send: a receipt, or `not-sent` when the platform certainly did not take it. That takes back the
   * reservation that was made last by this process, and none that another has made since.
   */
  record(partId: string, result: Receipt | "not-sent"): Promise<void>;
}

/** What the oldest event of a lane is doing, on whatever replica: nothing there, not yet begun or to be tried again, in hand. */
export type LaneState = "idle" | "waiting" | "running";

/** The work of all replicas, lane by lane. */
export interface Lanes {
  stateOf(lane: string): Promise<LaneState>;
  /**
   * Asks for an end of the lane's oldest event, and gives what it was doing. One that runs: its holder hears of it on
   * the bus (STOP_TOPIC, the lane as the message), at the latest with its next `extend`. One that waits is claimable
   * at once, with `stopRequested`. The request is durable and ends with the event.
   */
  stop(lane: string): Promise<LaneState>;
}

export const STOP_TOPIC = "stop";

/**
 * Word between the processes that share this store, the sender among them. At most once and not kept: for what can
 * also be found out in another way, later.
 */
export interface Bus {
  /** Never rejects. */
  publish(topic: string, message: string): Promise<void>;
  /** Gives how to leave. */
  subscribe(topic: string, heard: (message: string) => void): () => void;
}

export interface Memory {
  /** Oldest first; at most `turnsMax`, none from before `sinceMs` or the last `forget`. */
  recall(conversation: string, options: { turnsMax: number; sinceMs: number }): Promise<readonly Turn[]>;
  /**
   * Also for a run in progress: what it will remember is forgotten already. `untilEventId`: only what was accepted
   * no later than that event, so that what came after "forget" is remembered however long that had to wait.
   */
  forget(conversation: string, untilEventId?: string): Promise<void>;
}

export interface People {
  /**
   * Remembers the names that came together, and gives what they lead to. Atomic. A lasting name leads to one
   * conversation for good: the one in which the person was heard of last under either name, so that memory goes on
   * whichever came first. A passing name is its last holder's: with another lasting name it is another person's, who
   * must not come upon the conversation of the one before.
   */
  settle(person: Person): Promise<KnownPerson>;
}

export type EventState = "queued" | "running" | "retrying" | "done" | "dropped" | "dead";

/** One event's life, for operators. */
export interface EventRecord {
  readonly id: string;
  readonly state: EventState;
  readonly event: TriggerEvent;
  readonly attempt: number;
  readonly cause: string | null;
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
  readonly dead: number;
  /** When the oldest event not yet done was accepted, or brought back; null when nothing waits. */
  readonly oldestAcceptedAtMs: number | null;
  readonly fileBytes: number;
}

export interface Journal {
  find(id: string): Promise<EventRecord | null>;
  /** Newest first; with `beforeSeq`, only older ones than that. */
  list(filter: { state?: EventState; limit: number; beforeSeq?: number }): Promise<readonly EventRecord[]>;
  stats(): Promise<StoreStats>;
}

/** Finished events, brought back or put away by an operator. Nothing here touches what waits or runs. */
export interface Archive {
  /**
   * Puts a finished event (`states` says which kinds may be) at the end of its lane, under its old id and with all
   * its attempts before it. Atomic: of two at once, one finds it waiting already.
   */
  replay(id: string, request: ReplayRequest): Promise<ReplayAnswer>;
  /** A dead letter becomes `dropped`, its cause the operator. False: it is no dead letter. */
  drop(id: string, by: string): Promise<boolean>;
}

export interface ReplayRequest {
  readonly by: string;
  readonly mode: ReplayMode;
  readonly states: readonly ("done" | "dropped" | "dead")[];
  /** Only the event as it was read with this number: each replay gives it a new one. */
  readonly seq?: number;
}

/** `full`: too much waits already, as for Acceptance. `changed`: it has been replayed since it had that number. */
export type ReplayAnswer = "queued" | "not-finished" | "changed" | "wrong-state" | "unknown" | "full";

/**
 * Whether the store would take an event now. `failed`: it would not. `degraded`: it would, and somebody should come and
 * look. Of one that is not well, `details` says what is wrong.
 */
export interface StoreHealth {
  readonly status: "ok" | "degraded" | "failed";
  readonly code?: ErrorCode;
  readonly details?: string;
}

/** What an acknowledgement survives: a power cut, only the death of our process, or neither. */
export type Durability = "power" | "process" | "none";

/** One database, narrow views. */
export interface Store extends AsyncDisposable {
  readonly queue: Queue;
  readonly outbox: Outbox;
  readonly memory: Memory;
  readonly people: People;
  readonly journal: Journal;
  readonly lanes: Lanes;
  readonly archive: Archive;
  readonly requests: RequestLog;
  readonly bus: Bus;
  readonly durability: Durability;
  /** Found out by a small write, and by what became of the last others. Rejects with STORE_*, which is `failed` too. */
  check(): Promise<StoreHealth>;
  /** Deletes what is past its time, in small bites. Gives how many rows went. */
  sweep(retention: Retention): Promise<number>;
}

export interface Retention {
  readonly finishedMs: number;
  readonly deadMs: number;
  readonly turnsMs: number;
}
