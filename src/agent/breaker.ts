import { ModelError } from "../domain/errors.ts";
import type { Clock } from "../ports/clock.ts";
import {
  BREAKER_FAILURE_RATE,
  BREAKER_FAILURES_IN_ROW_MAX,
  BREAKER_OPEN_MS,
  BREAKER_PROBE_MS,
  BREAKER_WINDOW_CALLS_MAX,
  BREAKER_WINDOW_CALLS_MIN,
  BREAKER_WINDOW_MS,
} from "./bounds.ts";

export type BreakerState = "closed" | "open" | "half-open";

/** `unknown`: broken off before it could tell anything about the provider. */
export type CallEnd = "ok" | "failed" | "unknown";

/** The provider is left alone for now. Nobody's fault: waiting for it should use up no attempt. */
export class BreakerOpen extends ModelError {
  constructor(model: string, retryAfterMs: number) {
    super("MODEL_OVERLOADED", `Too many calls of ${model} failed: it is left alone for a while`, {
      retryable: true,
      retryAfterMs,
    });
    this.name = "BreakerOpen";
  }
}

/**
 * Stops calling a model that keeps failing: after ten failures in a row, or when half of the calls of a minute
 * failed. After a minute one call goes through as a probe; its end decides.
 *
 * Own code, because the breaker of cockatiel reads the system clock and could not be replayed by a simulation.
 */
export class Breaker {
  readonly #model: string;
  readonly #clock: Clock;
  #openedAtMs: number | null = null;
  #isProbing = false;
  #failuresInRow = 0;
  #window: { readonly atMs: number; readonly failed: boolean }[] = [];

  constructor(model: string, clock: Clock) {
    this.#model = model;
    this.#clock = clock;
  }

  state(): BreakerState {
    if (this.#openedAtMs === null) return "closed";
    return this.#clock.nowMs() - this.#openedAtMs < BREAKER_OPEN_MS ? "open" : "half-open";
  }

  /** Asks to make a call; the result must be called once with how it ended. Throws BreakerOpen. */
  enter(): (end: CallEnd) => void {
    const state = this.state();
    if (state === "closed") return (end) => this.#count(end);
    if (state === "open") throw new BreakerOpen(this.#model, this.#openMs());
    if (this.#isProbing) throw new BreakerOpen(this.#model, BREAKER_PROBE_MS);
    this.#isProbing = true;
    return (end) => this.#probed(end);
  }

  #openMs(): number {
    return (this.#openedAtMs ?? 0) + BREAKER_OPEN_MS - this.#clock.nowMs();
  }

  #count(end: CallEnd): void {
    // A call from before the breaker opened says nothing new.
    if (end === "unknown" || this.#openedAtMs !== null) return;
    const nowMs = this.#clock.nowMs();
    this.#failuresInRow = end === "ok" ? 0 : this.#failuresInRow + 1;
    this.#window = this.#window
      .filter(({ atMs }) => nowMs - atMs < BREAKER_WINDOW_MS)
      .slice(1 - BREAKER_WINDOW_CALLS_MAX);
    this.#window.push({ atMs: nowMs, failed: end === "failed" });
    if (end === "failed" && this.#hasFailedTooOften()) this.#openedAtMs = nowMs;
  }

  #hasFailedTooOften(): boolean {
    if (this.#failuresInRow >= BREAKER_FAILURES_IN_ROW_MAX) return true;
    const failures = this.#window.filter(({ failed }) => failed).length;
    return (
      this.#window.length >= BREAKER_WINDOW_CALLS_MIN &&
      failures >= this.#window.length * BREAKER_FAILURE_RATE
    );
  }

  #probed(end: CallEnd): void {
    this.#isProbing = false;
    if (end === "unknown") return;
    this.#failuresInRow = 0;
    this.#window = [];
    this.#openedAtMs = end === "ok" ? null : this.#clock.nowMs();
  }
}

export interface BreakerReport {
  readonly provider: string;
  readonly model: string;
  readonly state: BreakerState;
}

/** One breaker for each model of each provider, shared by all agents. */
export class Breakers {
  readonly #clock: Clock;
  readonly #all = new Map<string, { provider: string; model: string; breaker: Breaker }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of(provider: string, model: string): Breaker {
    const key = `${provider}/${model}`;
    const known = this.#all.get(key);
    if (known !== undefined) return known.breaker;
    const breaker = new Breaker(key, this.#clock);
    this.#all.set(key, { provider, model, breaker });
    return breaker;
  }

  report(): readonly BreakerReport[] {
    return [...this.#all.values()].map(({ provider, model, breaker }) => ({
      provider,
      model,
      state: breaker.state(),
    }));
  }
}
