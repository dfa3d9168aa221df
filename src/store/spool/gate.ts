import { isControlLane } from "../../domain/command.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Job, Journal, Queue } from "../../ports/store.ts";
import { isUnavailable } from "./trouble.ts";

/** Long enough for every replica to find out that the store is back, and to forward what it kept. */
const GRACE_MS = 2_000;
/** A spool that does not empty, because a lane is full, must not stop the work that would make room. */
const CLOSED_MS_MAX = 15_000;
/** Offers that fail in a row although claims work: such a store is there, but takes nothing in (out of memory). */
const REFUSALS_MIN = 2;
/** For so long after that, offers that fail are taken for the same trouble. */
const REFUSING_MS = 60_000;
/** A replica to which nobody speaks asks this often, to notice an outage like the others. */
const WATCH_MS = 250;
/** What it asks for: nothing has this id. */
const NOBODY = "spool!watch";
/** While the gate is closed, commands to the gateway are looked for this often. */
const CONTROL_MS = 250;

/**
 * Holds back the beginning of work after an outage: another replica may still hold an older message of the same
 * conversation in its spool. While it is closed, only commands to the gateway are claimed.
 */
export class ClaimGate {
  readonly #clock: Clock;
  readonly #waiting: () => number;
  #areOffersFailing = false;
  /** A claim, or a question of our own, had no answer. */
  #isSilent = false;
  #closedAtMs = Number.NEGATIVE_INFINITY;
  /** Offers that failed after a claim had worked; null: no claim has worked since offers fail. */
  #refusals: number | null = null;
  #refusedAtMs = Number.NEGATIVE_INFINITY;

  /** `waiting`: events in our own spool. */
  constructor(clock: Clock, waiting: () => number) {
    this.#clock = clock;
    this.#waiting = waiting;
  }

  get areOffersFailing(): boolean {
    return this.#areOffersFailing;
  }

  get isClosed(): boolean {
    if (this.#isSilent) return true;
    return this.#closedMs() < (this.#areOffersFailing || this.#waiting() > 0 ? CLOSED_MS_MAX : GRACE_MS);
  }

  /** During an outage and just after it: another replica may still bring what came before. */
  get isSettling(): boolean {
    if (this.#areOffersFailing || this.#isSilent) return true;
    return this.#closedMs() < GRACE_MS;
  }

  close(): void {
    this.#closedAtMs = this.#clock.nowMs();
  }

  offersFailed(): void {
    if (!this.#areOffersFailing) {
      this.#areOffersFailing = true;
      this.#refusals = null;
      if (!this.#isRefusing) this.close();
    } else if (this.#refusals !== null && ++this.#refusals >= REFUSALS_MIN) {
      // Only work that ends makes room again.
      this.#refusedAtMs = this.#clock.nowMs();
      this.#closedAtMs = Number.NEGATIVE_INFINITY;
    }
  }

  offersWork(): void {
    this.#areOffersFailing = false;
    if (!this.#isRefusing) this.close();
  }

  /** A clock that was set back would keep it closed for as long as that, and so begins anew. */
  #closedMs(): number {
    const nowMs = this.#clock.nowMs();
    this.#closedAtMs = Math.min(this.#closedAtMs, nowMs);
    return nowMs - this.#closedAtMs;
  }

  get #isRefusing(): boolean {
    const nowMs = this.#clock.nowMs();
    this.#refusedAtMs = Math.min(this.#refusedAtMs, nowMs);
    return nowMs - this.#refusedAtMs < REFUSING_MS;
  }

  async claim(queue: Queue, options: Parameters<Queue["claim"]>[0]): Promise<readonly Job[]> {
    const isClosed = this.isClosed;
    const jobs = await this.#watched(queue.claim(isClosed ? { ...options, controlOnly: true } : options));
    if (this.#areOffersFailing) this.#refusals ??= 0;
    // The store may have hung in between, and answered when it was back.
    return this.isClosed && !isClosed ? await handBack(queue, jobs) : jobs;
  }

  async ready(queue: Queue, signal: AbortSignal): Promise<void> {
    if (this.isClosed) await this.#clock.sleep(CONTROL_MS, signal);
    else await queue.ready(signal);
  }

  /** Looks after the store until the signal aborts. */
  async watch(journal: Pick<Journal, "find">, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#watched(journal.find(NOBODY)).catch(() => {});
      await this.#clock.sleep(WATCH_MS, signal).catch(() => {});
    }
  }

  async #watched<T>(call: Promise<T>): Promise<T> {
    try {
      const answer = await call;
      if (this.#isSilent) this.close();
      this.#isSilent = false;
      return answer;
    } catch (error) {
      if (isUnavailable(error)) {
        this.#isSilent = true;
        this.#refusals = null;
      }
      throw error;
    }
  }
}

/** Gives what is to be run all the same: commands, and what could not be given back. */
async function handBack(queue: Queue, jobs: readonly Job[]): Promise<readonly Job[]> {
  const kept = await Promise.all(
    jobs.map(async (job) => {
      if (isControlLane(job.lane)) return true;
      const settled = queue.settle(job, { kind: "defer", afterMs: 0, cause: "STORE_UNAVAILABLE" });
      // Not run, it would wait for the end of its lease.
      return await settled.then(
        () => false,
        () => true,
      );
    }),
  );
  return jobs.filter((_, i) => kept[i]);
}
