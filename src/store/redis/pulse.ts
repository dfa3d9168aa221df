import type { Clock } from "../../ports/clock.ts";
import { Readiness } from "../sqlite/readiness.ts";

/** A word that was lost on the way delays a claim by this much at most. */
const POLL_MS = 5_000;

/** Whether a claim would find something; in how many ms that changes by itself (-1: never); wakes so far; generation. */
export type Status = readonly [claimable: number, soonestMs: number, wakes: number, generation: string];

/** Knows when to claim: from the answers to our own calls, and from the words of others who made work ready. */
export class Pulse {
  readonly readiness: Readiness;
  readonly #clock: Clock;
  /** Up to the last answer, and the latest of which there was word. */
  #wakesAnswered = 0;
  #wakesHeard = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.readiness = new Readiness(clock, { claimable: false, wakeAtMs: null });
  }

  /** Words are numbered, and may come before or after the answer to a claim that was made between them. */
  heard(wakes: number): void {
    if (wakes <= this.#wakesAnswered) return;
    this.#wakesHeard = Math.max(this.#wakesHeard, wakes);
    this.readiness.update({ claimable: true, wakeAtMs: null });
  }

  answered([claimable, soonestMs, wakes]: Status): void {
    // A server that took over may lack the last ones. What was heard of them is no news, or it would be for ever.
    if (wakes < this.#wakesAnswered) this.#wakesHeard = wakes;
    this.#wakesAnswered = wakes;
    const isNews = this.#wakesHeard > wakes;
    const napMs = soonestMs < 0 ? POLL_MS : Math.min(soonestMs, POLL_MS);
    this.readiness.update({ claimable: claimable === 1 || isNews, wakeAtMs: this.#clock.nowMs() + napMs });
  }
}
