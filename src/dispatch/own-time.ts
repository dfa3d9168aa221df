/**
 * What of the time of an attempt is the gateway's own: all of it, but what it waits for others (a model, a tool, a
 * platform). What it does of its own while it waits, such as the record of a step, is its own all the same.
 */
export class OwnTime {
  readonly #now: () => number;
  #elsewhere = 0;
  #within = 0;
  #ownMs = 0;
  #untilMs: number;

  /** `now`: a steady clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#untilMs = now();
  }

  /** So far. */
  get seconds(): number {
    this.#count();
    return this.#ownMs / 1000;
  }

  /** This waits for somebody else. */
  async elsewhere<T>(wait: () => Promise<T>): Promise<T> {
    this.#count();
    this.#elsewhere++;
    try {
      return await wait();
    } finally {
      this.#count();
      this.#elsewhere--;
    }
  }

  /** This is ours, whatever is waited for beside it. */
  async own<T>(work: () => Promise<T>): Promise<T> {
    this.#count();
    this.#within++;
    try {
      return await work();
    } finally {
      this.#count();
      this.#within--;
    }
  }

  #count(): void {
    const nowMs = this.#now();
    if (this.#elsewhere === 0 || this.#within > 0) this.#ownMs += nowMs - this.#untilMs;
    this.#untilMs = nowMs;
  }
}
