import type { RateLimits } from "./rate-limits.ts";

interface Window {
  remaining: number;
  readonly resetsAtMs: number;
}

/** How soon the next call of one model may be made, by what its provider has said. */
export class Pace {
  readonly #windows = new Map<string, Window>();
  #quietUntilMs = 0;
  /** The first call after a wait: its answer tells whether the others may follow. */
  #scout: object | null = null;

  /** 0: now. Infinity: not before something is heard. */
  waitMs(nowMs: number): number {
    if (this.#scout !== null) return Infinity;
    return Math.max(0, this.#restUntilMs() - nowMs);
  }

  /** Gives what is to be called when the call is over. Not before `waitMs` is 0. */
  begin(nowMs: number): () => void {
    const call = {};
    if (this.#restUntilMs() > 0) this.#scout = call;
    this.#quietUntilMs = 0;
    for (const [kind, window] of this.#windows) if (window.resetsAtMs <= nowMs) this.#windows.delete(kind);
    const requests = this.#windows.get("requests");
    // What has been begun counts at the provider before it says so.
    if (requests !== undefined) requests.remaining--;
    return () => {
      if (this.#scout === call) this.#scout = null;
    };
  }

  heard({ left, quietMs }: RateLimits, nowMs: number): void {
    this.#scout = null;
    for (const [kind, { remaining, resetsInMs }] of left)
      this.#windows.set(kind, { remaining, resetsAtMs: nowMs + resetsInMs });
    if (quietMs !== null) this.#quietUntilMs = Math.max(this.#quietUntilMs, nowMs + quietMs);
  }

  /** 0: nothing has to be waited for, or had to be. */
  #restUntilMs(): number {
    const used = [...this.#windows.values()].filter(({ remaining }) => remaining <= 0);
    return Math.max(this.#quietUntilMs, 0, ...used.map(({ resetsAtMs }) => resetsAtMs));
  }
}
