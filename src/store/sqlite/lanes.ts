import { isControlLane } from "../../domain/command.ts";
import { Fifo } from "./fifo.ts";
import { DueHeap } from "./heap.ts";

/** An event that waits or runs: what its row in `waiting` says. */
export interface Waiting {
  readonly seq: number;
  readonly lane: string;
  readonly conversation: string;
  readonly acceptedMs: number;
  /** As JSON. */
  readonly refusal: string | null;
  attempt: number;
  failures: number;
  claims: number;
  retrying: boolean;
}

/** `ready`: its head may be claimed. `busy`: its head is claimed. `held`: its head is not yet due. */
interface Lane {
  readonly name: string;
  readonly jobs: Fifo<Waiting>;
  state: "ready" | "busy" | "held";
}

/**
 * The order of work: each lane in order of arrival, lanes in turn. Only the head of a lane is ever given out, and
 * a lane that got its turn goes to the end, so that a busy one starves nobody. Nothing here grows with idle lanes.
 * All times are steady ones.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #jobs = new Map<number, Waiting>();
  readonly #active = new Map<string, number>();
  readonly #ready = new Fifo<Lane>();
  /** Commands to the gateway itself: always first. */
  readonly #urgent = new Fifo<Lane>();
  readonly #held = new DueHeap<Lane>();

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
    for (let lane = this.#held.popDue(nowMs); lane !== undefined; lane = this.#held.popDue(nowMs)) {
      this.#makeReady(lane);
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
    this.#held.push(dueMs, lane);
  }

  /** The head of a busy lane is settled for good; the lane goes on, or ends with it. */
  finish(job: Waiting): void {
    const lane = this.#busyLane(job);
    lane.jobs.shift();
    this.#jobs.delete(job.seq);
    if (job.refusal === null) this.#count(job.conversation, -1);
    if (lane.jobs.size > 0) this.#makeReady(lane);
    else this.#lanes.delete(lane.name);
  }

  #open(job: Waiting): void {
    const lane: Lane = { name: job.lane, jobs: new Fifo(), state: "ready" };
    lane.jobs.push(job);
    this.#lanes.set(job.lane, lane);
    this.#queue(lane);
  }

  #makeReady(lane: Lane): void {
    lane.state = "ready";
    this.#queue(lane);
  }

  #queue(lane: Lane): void {
    (isControlLane(lane.name) ? this.#urgent : this.#ready).push(lane);
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
