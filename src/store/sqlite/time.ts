/**
 * The caller's clock without its steps back, for what ends after a while: leases, delays, limits. A clock that is set
 * back an hour must not make anyone wait an hour longer.
 */
export class SteadyTime {
  #skewMs = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** Never less than it was. */
  at(nowMs: number): number {
    if (nowMs < this.#lastMs) this.#skewMs += this.#lastMs - nowMs;
    this.#lastMs = nowMs;
    return nowMs + this.#skewMs;
  }

  /** What the caller's clock will say then, if it makes no further step. */
  toClock(steadyMs: number): number {
    return steadyMs - this.#skewMs;
  }
}
