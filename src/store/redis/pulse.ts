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
  #wakesHeard = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.readiness = new Readiness(clock, { claimable: false, wakeAtMs: null });
  }

  /** Words are numbered, and may come before or after the answer to a claim that was made between them. */
  heard(wakes: number): void {
    if (wakes <= this.#wakesHeard) return;
    this.#wakesHeard = wakes;
    this.readiness.update({ claimable: true, wakeAtMs: null });
  }

  answered([claimable, soonestMs, wakes]: Status): void {
    const isNews = wakes < this.#wakesHeard;
    this.#wakesHeard = Math.max(this.#wakesHeard, wakes);
    const napMs = soonestMs < 0 ? POLL_MS : Math.min(soonestMs, POLL_MS);
    this.readiness.update({ claimable: claimable === 1 || isNews, wakeAtMs: this.#clock.nowMs() + napMs });
  }

  /** The counter was lost with everything else. */
  reset(): void {
    this.#wakesHeard = 0;
  }
}
