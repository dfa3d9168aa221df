import type { Clock, Random } from "../../../src/ports/clock.ts";

const FIRST_MS = 1_000;
const LAST_MS = 60_000;
/** A connection that stood so long is no failure, however it ends. */
const STANDS_MS = 10_000;

/**
 * Before the next connection, each varied by a quarter:
 *
 * | after | |
 * |-|-|
 * | a connection that stood for ten seconds | none |
 * | one that went sooner, or never came | 1, 2, 4 … 60 s, and not before Discord's `Retry-After` |
 */
export class Pauses {
  readonly #clock: Pick<Clock, "nowMs" | "sleep">;
  readonly #random: Random;
  #stoodSinceMs: number | null = null;
  #failures = 0;
  #nextMs = 0;

  constructor(clock: Pick<Clock, "nowMs" | "sleep">, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** In a row. */
  get failures(): number {
    return this.#failures;
  }

  stands(): void {
    this.#stoodSinceMs = this.#clock.nowMs();
  }

  /** A connection that stood is gone. The first goes unpunished, for they all do now and then. */
  lost(): void {
    this.#settle();
    this.#nextMs = this.#failures === 0 ? 0 : this.#spread(this.#failures - 1);
    this.#failures++;
  }

  /** `leastMs`: as long as Discord has asked for. */
  failed(leastMs = 0): void {
    this.#settle();
    this.#nextMs = Math.max(leastMs, this.#spread(this.#failures++));
  }

  async wait(signal: AbortSignal): Promise<void> {
    const waitMs = this.#nextMs;
    this.#nextMs = 0;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal).catch(() => {});
  }

  #settle(): void {
    const stoodMs = this.#stoodSinceMs === null ? 0 : this.#clock.nowMs() - this.#stoodSinceMs;
    if (stoodMs >= STANDS_MS) this.#failures = 0;
    this.#stoodSinceMs = null;
  }

  #spread(doublings: number): number {
    return Math.min(LAST_MS, FIRST_MS * 2 ** doublings) * (0.75 + this.#random() / 2);
  }
}
