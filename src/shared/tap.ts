export type Rate = readonly [atOnce: number, perSecond: number];

/** Gives so many at once, and is filled again over time. */
export class Tap {
  readonly #rate: Rate;
  #left: number;
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#left = rate[0];
  }

  give(nowMs: number): boolean {
    const [most, perSecond] = this.#rate;
    // A clock that was set back fills nothing.
    const grown = (Math.max(0, nowMs - this.#atMs) / 1000) * perSecond;
    this.#left = Math.min(most, this.#left + grown);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** After it was last asked. */
  get secondsUntilNext(): number {
    return Math.max(0, 1 - this.#left) / this.#rate[1];
  }
}
