import {
  BREAKER_FAILURE_RATE,
  BREAKER_FAILURES_IN_ROW_MAX,
  BREAKER_OPEN_MS,
  BREAKER_PROBE_MS,
  BREAKER_WINDOW_CALLS_MAX,
  BREAKER_WINDOW_CALLS_MIN,
  BREAKER_WINDOW_MS,
} from "./bounds.ts";
import { GatewayError } from "./errors.ts";

export type BreakerState = "closed" | "open" | "half-open";

/** `unknown`: it tells nothing about the other side, because it was broken off or never made. */
export type CallEnd = "ok" | "failed" | "unknown";

/** A model or a platform is left alone for now. Nobody's fault: waiting for it uses up no attempt. */
export class BreakerOpen extends GatewayError {
  /** The same call may well succeed later. */
  readonly retryable = true;
  readonly retryAfterMs: number;

  constructor(name: string, retryAfterMs: number) {
    super("BREAKER_OPEN", `Too many calls of ${name} failed: it is left alone for a while`);
    this.name = "BreakerOpen";
    this.retryAfterMs = retryAfterMs;
  }
}

interface Time {
  nowMs(): number;
}

/**
 * Stops calling what keeps failing: after ten failures in a row, or when half of the calls of a minute failed.
 * After a minute one call goes through as a probe; its end decides.
 *
 * Own code, because the breaker of cockatiel reads the system clock and could not be replayed by a simulation.
 */
export class Breaker {
  readonly #name: string;
  readonly #time: Time;
  #openedAtMs: number | null = null;
  #isProbing = false;
  #failuresInRow = 0;
  #window: { readonly atMs: number; readonly failed: boolean }[] = [];

  constructor(name: string, time: Time) {
    this.#name = name;
    this.#time = time;
  }

  state(): BreakerState {
    if (this.#openedAtMs === null) return "closed";
    const openMs = this.#time.nowMs() - this.#openedAtMs;
    // A clock that was set back must not keep it open for as long.
    return openMs >= 0 && openMs < BREAKER_OPEN_MS ? "open" : "half-open";
  }

  /** Asks to make a call; the result must be called once with how it ended. Throws BreakerOpen. */
  enter(): (end: CallEnd) => void {
    const state = this.state();
    if (state === "closed") return (end) => this.#count(end);
    if (state === "open") throw new BreakerOpen(this.#name, this.#openMs());
    if (this.#isProbing) throw new BreakerOpen(this.#name, BREAKER_PROBE_MS);
    this.#isProbing = true;
    return (end) => this.#probed(end);
  }

  #openMs(): number {
    return (this.#openedAtMs ?? 0) + BREAKER_OPEN_MS - this.#time.nowMs();
  }

  #count(end: CallEnd): void {
    // A call from before the breaker opened says nothing new.
    if (end === "unknown" || this.#openedAtMs !== null) return;
    const nowMs = this.#time.nowMs();
    this.#failuresInRow = end === "ok" ? 0 : this.#failuresInRow + 1;
    this.#window.push({ atMs: nowMs, failed: end === "failed" });
    if (this.#window.length > BREAKER_WINDOW_CALLS_MAX) this.#window.shift();
    if (end === "failed" && this.#hasFailedTooOften(nowMs)) this.#openedAtMs = nowMs;
  }

  #hasFailedTooOften(nowMs: number): boolean {
    if (this.#failuresInRow >= BREAKER_FAILURES_IN_ROW_MAX) return true;
    this.#window = this.#window.filter(({ atMs }) => nowMs - atMs < BREAKER_WINDOW_MS);
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
    this.#openedAtMs = end === "ok" ? null : this.#time.nowMs();
  }
}

/** One breaker for each name, made when it is first asked for. */
export class Breakers {
  readonly #time: Time;
  readonly #all = new Map<string, Breaker>();

  constructor(time: Time) {
    this.#time = time;
  }

  of(name: string): Breaker {
    const known = this.#all.get(name);
    if (known !== undefined) return known;
    const breaker = new Breaker(name, this.#time);
    this.#all.set(name, breaker);
    return breaker;
  }

  states(): ReadonlyMap<string, BreakerState> {
    return new Map([...this.#all].map(([name, breaker]) => [name, breaker.state()]));
  }
}
