import type { Clock } from "../../ports/clock.ts";
import type { Job, Queue } from "../../ports/queue.ts";
import { isUnavailable } from "./trouble.ts";

/** Long enough for every replica to find out that the store is back, and to say what it has kept. */
const GRACE_MS = 2_000;
/** While the gate is closed, commands to the gateway are looked for this often. */
const CONTROL_MS = 250;

/**
 * Holds back the beginning of work after the store was silent, until all have had the time to say what they kept: another
 * replica may still hold an older message of the same conversation in its spool. While it is closed, only commands to the
 * gateway are claimed. Of those who have said so, the store itself knows, and gives nothing out before its time.
 */
export class ClaimGate {
  readonly #clock: Clock;
  #areOffersFailing = false;
  /** A claim, or a word of our own, had no answer. */
  #isSilent = false;
  #closedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get areOffersFailing(): boolean {
    return this.#areOffersFailing;
  }

  get isClosed(): boolean {
    return this.#isSilent || this.#closedMs() < GRACE_MS;
  }

  /** During an outage and just after it: another replica may still bring what came before. */
  get isSettling(): boolean {
    return this.#areOffersFailing || this.isClosed;
  }

  close(): void {
    this.#closedAtMs = this.#clock.nowMs();
  }

  offersFailed(): void {
    this.#areOffersFailing = true;
  }

  offersWork(): void {
    this.#areOffersFailing = false;
  }

  /** The store has answered, and has written what it was told. */
  heard(): void {
    if (this.#isSilent) this.close();
    this.#isSilent = false;
  }

  unheard(error: unknown): void {
    if (isUnavailable(error)) this.#isSilent = true;
  }

  /** A clock that was set back would keep it closed for as long as that, and so begins anew. */
  #closedMs(): number {
    const nowMs = this.#clock.nowMs();
    this.#closedAtMs = Math.min(this.#closedAtMs, nowMs);
    return nowMs - this.#closedAtMs;
  }

  async claim(queue: Queue, options: Parameters<Queue["claim"]>[0]): Promise<readonly Job[]> {
    const isClosed = this.isClosed;
    const jobs = await this.#watched(queue.claim(isClosed ? { ...options, controlOnly: true } : options));
    // The store may have hung in between, and answered when it was back.
    return this.isClosed && !isClosed ? await handBack(queue, jobs) : jobs;
  }

  async ready(queue: Queue, signal: AbortSignal): Promise<void> {
    if (this.isClosed) await this.#clock.sleep(CONTROL_MS, signal);
    else await queue.ready(signal);
  }

  async #watched<T>(call: Promise<T>): Promise<T> {
    try {
      const answer = await call;
      this.heard();
      return answer;
    } catch (error) {
      this.unheard(error);
      throw error;
    }
  }
}

/** Gives what is to be run all the same: commands, and what could not be given back. */
async function handBack(queue: Queue, jobs: readonly Job[]): Promise<readonly Job[]> {
  const kept = await Promise.all(
    jobs.map(async (job) => {
      if (job.kind === "command") return true;
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
