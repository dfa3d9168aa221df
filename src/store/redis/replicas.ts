import { unavailable } from "./link.ts";

/**
 * Whether replicas have what was written. One question at a time, for all who wrote before it: while Redis waits for
 * replicas, it does nothing else for this connection, and a question for each would hold it up for as many times as long.
 */
export class Replicas {
  readonly #count: number;
  readonly #waitMs: number;
  readonly #wait: (ms: number) => Promise<number>;
  #asked: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  /** `wait` must go the way that the writes went, behind them; it is given `waitMs`. */
  constructor(count: number, waitMs: number, wait: (ms: number) => Promise<number>) {
    this.#count = count;
    this.#waitMs = waitMs;
    this.#wait = wait;
  }

  /** Resolves when so many have all that was sent before this call; rejects with STORE_UNAVAILABLE. */
  async have(): Promise<void> {
    if (this.#count === 0) return;
    const ask = () => {
      this.#next = null;
      this.#asked = this.#ask();
      return this.#asked;
    };
    this.#next ??= this.#asked.then(ask, ask);
    await this.#next;
  }

  async #ask(): Promise<void> {
    const reached = await this.#wait(this.#waitMs);
    if (reached >= this.#count) return;
    throw unavailable(
      `expected ${this.#count} replicas to have the event in ${this.#waitMs} ms, got ${reached}`,
    );
  }
}
