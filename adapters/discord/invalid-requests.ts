import { DeliveryError } from "../../src/domain/errors.ts";
import type { InvalidRequestsReport } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";

/** Discord shuts out an address from which so many came in ten minutes: nobody there can reach it then. */
export const BANNED_AT = 10_000;
/** From so many on, no more than one is made now and then. The rest is for others behind the same address. */
export const HELD_AT = 5_000;
const WINDOW_MS = 600_000;
/** They are counted by the tenth part of a minute, so the memory for it is bounded. */
const STEP_MS = 6_000;
export const PROBE_EVERY_MS = 15_000;

const INVALID: ReadonlySet<number> = new Set([401, 403, 429]);

/** Told how a call was answered. */
export type Answered = (status: number, scope: string | null) => void;

/**
 * Answers 401, 403 and 429 of the last ten minutes, of this process. A limit that others have used up (`shared`) is not
 * held against us.
 *
 * | so many | |
 * |-|-|
 * | below 5,000 | every call is made |
 * | from there on | one call in 15 s; when its answer is none of these, all are made again, until the next that is |
 */
export class InvalidRequests {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #steps = new Map<number, number>();
  #isHeld = false;
  #probeAtMs = 0;

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  report(): InvalidRequestsReport {
    const count = this.#count();
    return { count, heldAt: HELD_AT, bannedAt: BANNED_AT, isHeld: this.#isHeld && count >= HELD_AT };
  }

  /** Before each call. Throws where it would bring us nearer to a ban; then nothing was sent. */
  enter(what: string): Answered {
    const nowMs = this.#clock.nowMs();
    if (this.#isHeld && this.#count() < HELD_AT) this.#isHeld = false;
    const isProbe = this.#isHeld;
    if (isProbe && nowMs < this.#probeAtMs && nowMs >= this.#probeAtMs - PROBE_EVERY_MS)
      throw new DeliveryError(
        "refused",
        `Discord ${what}: not asked for now, since ${this.#count()} requests in ten minutes were answered 401, 403 or 429, ` +
          `and at ${BANNED_AT} Discord shuts out this address; look at DISCORD_BOT_TOKEN and at what the bot may do`,
        { retryAfterMs: this.#probeAtMs - nowMs },
      );
    if (isProbe) this.#probeAtMs = nowMs + PROBE_EVERY_MS;
    return (status, scope) => this.#answered(status, scope, isProbe);
  }

  #answered(status: number, scope: string | null, isProbe: boolean): void {
    const nowMs = this.#clock.nowMs();
    if (!INVALID.has(status) || scope === "shared") {
      // What was on its way when the others were refused says nothing new.
      if (isProbe) this.#isHeld = false;
      return;
    }
    const step = Math.floor(nowMs / STEP_MS);
    this.#steps.set(step, (this.#steps.get(step) ?? 0) + 1);
    if (this.#isHeld || this.#count() < HELD_AT) return;
    this.#isHeld = true;
    this.#probeAtMs = nowMs + PROBE_EVERY_MS;
  }

  #count(): number {
    const step = Math.floor(this.#clock.nowMs() / STEP_MS);
    let count = 0;
    for (const [at, some] of this.#steps) {
      // Also what a clock that was set back has left in the future.
      if (at <= step - WINDOW_MS / STEP_MS || at > step) this.#steps.delete(at);
      else count += some;
    }
    return count;
  }
}
