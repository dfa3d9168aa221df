import { backoffMs } from "../../src/domain/backoff.ts";
import type { Random } from "../../src/ports/clock.ts";

/** Whatever stands for so long was no failure, and makes up for those before. */
const LASTING_MS = 10_000;
/** Replacements of connections that were young, which cost no pause. */
const FREE = 4;
const PAUSE = { baseMs: 1_000, capMs: 60_000, exponential: true };

/** How soon the next connection may be opened: at once as a rule, after growing pauses where it comes to nothing. */
export class Pace {
  readonly #random: Random;
  #failures = 0;
  #young = 0;
  #leastMs = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get pauseMs(): number {
    const attempt = this.#failures + Math.max(0, this.#young - FREE);
    return attempt === 0 ? 0 : Math.max(this.#leastMs, backoffMs(attempt, PAUSE, this.#random));
  }

  /** `waitMs`: as long as Slack has asked for. */
  failed(waitMs = 0): void {
    this.#failures++;
    this.#leastMs = waitMs;
  }

  opened(): void {
    this.#failures = 0;
    this.#leastMs = 0;
  }

  /** A connection that stood for so long. `isRefused`: Slack wants none. */
  ended(stoodMs: number, isRefused: boolean): void {
    if (isRefused) this.#young = Math.max(this.#young, FREE) + 1;
    else if (stoodMs >= LASTING_MS) this.#young = 0;
    else this.#young++;
  }
}
