import type { Clock } from "../../ports/clock.ts";
import { closed, isUnavailable, type Link } from "./link.ts";

/** Asked again this often while the connection stands; after a loss, as soon as it is back. */
const AGAIN_MS = 200;

/**
 * For what a running turn needs: it is repeated until Redis has answered, however long that is away. Nobody else can
 * claim meanwhile, and whoever has lost the lease is told so by the answer. Only for calls that may be made twice.
 */
export class Persistence {
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #back = new AbortController();

  constructor(link: Link, clock: Clock) {
    this.#clock = clock;
    link.onBack(() => {
      const waited = this.#back;
      this.#back = new AbortController();
      waited.abort("back");
    });
  }

  async until<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#closing.signal.aborted) throw closed();
      try {
        return await call();
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        const signal = AbortSignal.any([this.#closing.signal, this.#back.signal]);
        await this.#clock.sleep(AGAIN_MS, signal).catch(() => {});
      }
    }
  }

  end(): void {
    this.#closing.abort("closed");
  }
}
