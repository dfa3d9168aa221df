import type { BusyMode } from "../../domain/busy.ts";
import type { EventKind } from "../../domain/kind.ts";
import type { LaneState } from "../../ports/lanes.ts";
import { Fifo } from "./fifo.ts";
import { DueHeap } from "./heap.ts";
import { Turns } from "./turns.ts";

/** Who an event is from: platform, tenant and person, which is how turns are shared out. */
export type Source = readonly [platform: string, tenant: string, sender: string];

export type OfferedKind = Exclude<EventKind, "notice">;

/** An event that waits or runs: what its row in `waiting` says. */
export interface Waiting {
  readonly seq: number;
  readonly lane: string;
  /** As it was offered; one with a refusal is a notice (`kindOf`). */
  readonly kind: OfferedKind;
  readonly agent: string | null;
  readonly busy: BusyMode;
  readonly conversation: string;
  readonly source: Source;
  /** When it was accepted, or brought back last. */
  readonly sinceMs: number;
  /** As JSON. */
  readonly refusal: string | null;
  /** How often it was replayed anew. */
  readonly replay: number;
  attempt: number;
  failures: number;
  /** Failures before its answer. */
  forgiven: number;
  claims: number;
  retrying: boolean;
  crashes: number;
  /** What was said to it, as the file has it; null for nothing. */
  signals: string | null;
  /** How many of them came with its claim. */
  given: number;
  /** Waits for a signal, or for its time. */
  parked: boolean;
  /** The event that it is joined to, by its seq. */
  into: number | null;
}

/** As it is when it has just come, or come back. */
export function newcomer(
  job: Pick<
    Waiting,
    "seq" | "lane" | "kind" | "agent" | "busy" | "conversation" | "source" | "sinceMs" | "refusal" | "replay"
  >,
): Waiting {
  return {
    ...job,
    // One text for both: there may be a hundred thousand of them.
    lane: job.lane === job.conversation ? job.conversation : job.lane,
    attempt: 0,
    failures: 0,
    forgiven: 0,
    claims: 0,
    retrying: false,
    crashes: 0,
    signals: null,
    given: 0,
    parked: false,
    into: null,
  };
}

const NOTICE_SUFFIX = "!notice";

/** A notice overtakes the lane that its event was refused. */
export function noticeLane(lane: string): string {
  return `${lane}${NOTICE_SUFFIX}`;
}

export function kindOf({ kind, refusal }: Waiting): EventKind {
  return refusal === null ? kind : "notice";
}

/** Where an event would run if it were not refused. */
export function homeLane({ lane, refusal }: Waiting): string {
  return refusal === null ? lane : lane.slice(0, -NOTICE_SUFFIX.length);
}

/** `ready`: its head may be claimed. `busy`: its head is claimed. `held`: its head is not yet due. */
interface Lane {
  readonly name: string;
  readonly jobs: Fifo<Waiting>;
  state: "ready" | "busy" | "held";
  /** The entry among the held that counts; one that was stopped, or held again, left others behind. */
  delay: Delay | null;
}
interface Delay {
  readonly lane: Lane;
}

/**
 * The order of work: each lane in order of arrival. Only the head of a lane is ever given out. Platforms take turns,
 * within one its tenants, within one its people, within one their lanes, so that neither a busy conversation nor a
 * thousand of one person starve anybody else; a lane counts as its head's sender's. Nothing here grows with idle
 * lanes. All times are steady ones.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #jobs = new Map<number, Waiting>();
  readonly #active = new Map<string, number>();
  readonly #ready = new Turns<Lane>(3);
  /** Commands to the gateway itself: always first. */
  readonly #urgent = new Fifo<Lane>();
  readonly #held = new DueHeap<Delay>();

  /** Everything that waits or runs, oldest first. */
  get jobs(): ReadonlyMap<number, Waiting> {
    return this.#jobs;
  }

  get isReady(): boolean {
    return this.#ready.size > 0 || this.#urgent.size > 0;
  }

  get soonestMs(): number | null {
    return this.#held.soonestMs;
  }

  /** Events of this lane, without the running one. */
  waitingIn(name: string): number {
    const lane = this.#lanes.get(name);
    return lane === undefined ? 0 : lane.jobs.size - (lane.state === "busy" ? 1 : 0);
  }

  stateOf(name: string): LaneState {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return "idle";
    if (lane.state === "busy") return "running";
    return lane.jobs.peek()?.parked ? "parked" : "waiting";
  }

  /** The oldest event of this lane. */
  headOf(name: string): Waiting | undefined {
    return this.#lanes.get(name)?.jobs.peek();
  }

  /** What is behind the oldest event of this lane, in order. */
  *behind(name: string): Generator<Waiting> {
    const jobs = this.#lanes.get(name)?.jobs;
    for (let index = 1; jobs !== undefined && index < jobs.size; index++) {
      const job = jobs.at(index);
      if (job !== undefined) yield job;
    }
  }

  /** What is joined to the oldest event of its lane: right behind it. */
  joinedTo({ lane, seq }: Waiting): readonly Waiting[] {
    const joined: Waiting[] = [];
    for (const job of this.behind(lane)) {
      if (job.into !== seq) break;
      joined.push(job);
    }
    return joined;
  }

  /** Whether something of this conversation waits or runs, notices not counted. */
  isActive(conversation: string): boolean {
    return this.#active.has(conversation);
  }

  add(job: Waiting): void {
    this.#jobs.set(job.seq, job);
    if (job.refusal === null) this.#count(job.conversation, 1);
    const lane = this.#lanes.get(job.lane);
    if (lane === undefined) this.#open(job);
    else lane.jobs.push(job);
  }

  /** The head of the lane whose turn it is; that lane is busy from now on. */
  take(controlOnly = false): Waiting | undefined {
    const lane = this.#urgent.shift() ?? (controlOnly ? undefined : this.#ready.shift());
    if (lane === undefined) return undefined;
    lane.state = "busy";
    return lane.jobs.peek();
  }

  /** Moves lanes whose delay is over to the end of the turn. */
  wake(nowMs: number): void {
    for (let delay = this.#held.popDue(nowMs); delay !== undefined; delay = this.#held.popDue(nowMs)) {
      if (delay.lane.delay === delay) this.#makeReady(delay.lane);
    }
  }

  /** A busy lane gives its head back, to be claimed again at once. */
  free(job: Waiting): void {
    this.#makeReady(this.#busyLane(job));
  }

  /** A busy lane gives its head back, to be claimed again when it is due. What is behind it waits too. */
  hold(job: Waiting, dueMs: number): void {
    const lane = this.#busyLane(job);
    lane.state = "held";
    lane.delay = { lane };
    this.#held.push(dueMs, lane.delay);
  }

  /** The delay of this lane, if it has one, is over. */
  release(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane?.state === "held") this.#makeReady(lane);
  }

  /** The head of a busy lane is settled for good, and what is joined to it; the lane goes on, or ends with it. */
  finish(job: Waiting): void {
    const lane = this.#busyLane(job);
    for (const ended of [job, ...this.joinedTo(job)]) {
      lane.jobs.shift();
      this.#jobs.delete(ended.seq);
      if (ended.refusal === null) this.#count(ended.conversation, -1);
    }
    if (lane.jobs.size > 0) this.#makeReady(lane);
    else this.#lanes.delete(lane.name);
  }

  #open(job: Waiting): void {
    const lane: Lane = { name: job.lane, jobs: new Fifo(), state: "ready", delay: null };
    lane.jobs.push(job);
    this.#lanes.set(job.lane, lane);
    this.#queue(lane);
  }

  #makeReady(lane: Lane): void {
    const head = lane.jobs.peek();
    if (head !== undefined) head.parked = false;
    lane.state = "ready";
    lane.delay = null;
    this.#queue(lane);
  }

  #queue(lane: Lane): void {
    const head = lane.jobs.peek();
    if (head === undefined) return;
    if (kindOf(head) === "command") this.#urgent.push(lane);
    else this.#ready.push(head.source, lane);
  }

  #busyLane(job: Waiting): Lane {
    const lane = this.#lanes.get(job.lane);
    if (lane?.state !== "busy" || lane.jobs.peek() !== job) {
      throw new Error(`Expected event ${job.seq} to be the running head of its lane`);
    }
    return lane;
  }

  #count(conversation: string, by: 1 | -1): void {
    const count = (this.#active.get(conversation) ?? 0) + by;
    if (count === 0) this.#active.delete(conversation);
    else this.#active.set(conversation, count);
  }
}
