import {
  BREAKER_FAILURE_RATE,
  BREAKER_FAILURES_IN_ROW_MAX,
  BREAKER_OPEN_MS,
  BREAKER_PROBE_MS,
  BREAKER_REFUSED_MS,
  BREAKER_WINDOW_CALLS_MAX,
  BREAKER_WINDOW_CALLS_MIN,
  BREAKER_WINDOW_MS,
} from "./bounds.ts";
import { GatewayError } from "./errors.ts";

export type BreakerState = "closed" | "open" | "half-open";

/**
 * `refused`: the other side is well and will not have us (a key that is not valid, an account without credit), so every
 * call ends like this one. `unknown`: it tells nothing, because it was broken off or never made.
 */
export type CallEnd = "ok" | "failed" | "refused" | "unknown";

/** Why something is left alone, for operators; the code is that of an error. */
export interface BreakerCause {
  readonly code: string;
  readonly message: string;
}

export interface BreakerReport {
  readonly name: string;
  readonly state: BreakerState;
  /** Of one that is not closed. */
  readonly cause: BreakerCause | null;
  readonly sinceMs: number | null;
  /** When one that is open lets a call through. */
  readonly retryAtMs: number | null;
  /** Of the last minute, while it is closed. */
  readonly calls: number;
  readonly failures: number;
  readonly failuresInRow: number;
  /** Since the process began. */
  readonly opens: number;
}

/** Told as it happens; must not throw. */
export interface BreakerObserver {
  opened(name: string, cause: BreakerCause): void;
  closed(name: string, openMs: number): void;
  /** Every call that ended, also where that changes nothing. */
  called?(name: string, end: CallEnd, cause?: BreakerCause): void;
}

/** How a call ended, and of one that did not go well, why. */
export type Leave = (end: CallEnd, cause?: BreakerCause) => void;

/** A model or a platform is left alone for now. Nobody's fault: waiting for it uses up no attempt. */
export class BreakerOpen extends GatewayError {
  /** The same call may well succeed later. */
  readonly retryable = true;
  readonly retryAfterMs: number;
  /** The code of what opened it; null: many things. */
  readonly why: string | null;

  constructor(name: string, retryAfterMs: number, cause: BreakerCause | null = null) {
    const why = cause === null ? "" : ` (${cause.code})`;
    super("BREAKER_OPEN", `Too many calls of ${name} failed${why}: it is left alone for a while`);
    this.name = "BreakerOpen";
    this.retryAfterMs = retryAfterMs;
    this.why = cause?.code ?? null;
  }
}

interface Time {
  nowMs(): number;
}

/** When a breaker opens, and for how long. */
export interface BreakerRules {
  /** After so many failures in a row. */
  readonly failuresInRow: number;
  /** When this share of the calls of a minute failed. */
  readonly failureRate: number;
  /** Then it is left alone for so long; where we were refused, for BREAKER_REFUSED_MS. */
  readonly openMs: number;
}

export const BREAKER_RULES: BreakerRules = {
  failuresInRow: BREAKER_FAILURES_IN_ROW_MAX,
  failureRate: BREAKER_FAILURE_RATE,
  openMs: BREAKER_OPEN_MS,
};

/**
 * Stops calling what keeps failing: after ten failures in a row, or when half of the calls of a minute failed (or as its
 * rules have it); after one refusal, because the next would be refused too. After a minute, or a quarter of one where we
 * were refused, one call goes through as a probe; its end decides.
 *
 * Own code, because the breaker of cockatiel reads the system clock and could not be replayed by a simulation.
 */
export class Breaker {
  readonly #name: string;
  readonly #time: Time;
  readonly #observer: BreakerObserver | undefined;
  readonly #rules: () => BreakerRules;
  #openedAtMs: number | null = null;
  #isRefused = false;
  /** When it was closed last; a probe that fails does not change it. */
  #sinceMs: number | null = null;
  #cause: BreakerCause | null = null;
  #isProbing = false;
  #failuresInRow = 0;
  #opens = 0;
  #window: { readonly atMs: number; readonly failed: boolean }[] = [];

  /** `rules`: as they are now. */
  constructor(
    name: string,
    time: Time,
    observer?: BreakerObserver,
    rules: () => BreakerRules = () => BREAKER_RULES,
  ) {
    this.#rules = rules;
    this.#name = name;
    this.#time = time;
    this.#observer = observer;
  }

  report(): BreakerReport {
    const state = this.state();
    const nowMs = this.#time.nowMs();
    const latest = this.#window.filter(({ atMs }) => nowMs - atMs < BREAKER_WINDOW_MS);
    return {
      ...{ name: this.#name, state, cause: this.#cause, sinceMs: this.#sinceMs },
      retryAtMs: state === "open" ? nowMs + this.#openMs() : null,
      calls: latest.length,
      failures: latest.filter(({ failed }) => failed).length,
      failuresInRow: this.#failuresInRow,
      opens: this.#opens,
    };
  }

  /** As if nothing had failed: an operator knows that the other side is well. */
  reset(): void {
    this.#failuresInRow = 0;
    this.#window = [];
    if (this.#openedAtMs !== null) this.#close();
  }

  state(): BreakerState {
    if (this.#openedAtMs === null) return "closed";
    const openMs = this.#time.nowMs() - this.#openedAtMs;
    // A clock that was set back must not keep it open for as long.
    return openMs >= 0 && openMs < this.#openForMs() ? "open" : "half-open";
  }

  /** Asks to make a call; the result must be called once with how it ended. Throws BreakerOpen. */
  enter(): Leave {
    const state = this.state();
    const report = (end: CallEnd, cause?: BreakerCause) => this.#observer?.called?.(this.#name, end, cause);
    if (state === "closed")
      return (end, cause) => {
        report(end, cause);
        this.#count(end, cause);
      };
    if (state === "open") throw new BreakerOpen(this.#name, this.#openMs(), this.#cause);
    if (this.#isProbing) throw new BreakerOpen(this.#name, BREAKER_PROBE_MS, this.#cause);
    this.#isProbing = true;
    return (end, cause) => {
      report(end, cause);
      this.#probed(end, cause);
    };
  }

  /** By the rules as they are now: who shortens it does not wait for the end of what was. */
  #openForMs(): number {
    return this.#isRefused ? BREAKER_REFUSED_MS : this.#rules().openMs;
  }

  #openMs(): number {
    return (this.#openedAtMs ?? 0) + this.#openForMs() - this.#time.nowMs();
  }

  #count(end: CallEnd, cause?: BreakerCause): void {
    // A call from before the breaker opened says nothing new.
    if (end === "unknown" || this.#openedAtMs !== null) return;
    const nowMs = this.#time.nowMs();
    this.#failuresInRow = end === "ok" ? 0 : this.#failuresInRow + 1;
    this.#window.push({ atMs: nowMs, failed: end !== "ok" });
    if (this.#window.length > BREAKER_WINDOW_CALLS_MAX) this.#window.shift();
    if (end === "refused" || (end === "failed" && this.#hasFailedTooOften(nowMs))) this.#open(end, cause);
  }

  #open(end: "failed" | "refused", cause: BreakerCause = NO_CAUSE): void {
    const wasClosed = this.#openedAtMs === null;
    this.#openedAtMs = this.#time.nowMs();
    this.#isRefused = end === "refused";
    this.#cause = cause;
    if (!wasClosed) return;
    this.#sinceMs = this.#openedAtMs;
    this.#opens++;
    this.#observer?.opened(this.#name, cause);
  }

  #close(): void {
    const openMs = this.#time.nowMs() - (this.#sinceMs ?? this.#time.nowMs());
    this.#openedAtMs = null;
    this.#sinceMs = null;
    this.#cause = null;
    this.#observer?.closed(this.#name, openMs);
  }

  #hasFailedTooOften(nowMs: number): boolean {
    const { failuresInRow, failureRate } = this.#rules();
    if (this.#failuresInRow >= failuresInRow) return true;
    this.#window = this.#window.filter(({ atMs }) => nowMs - atMs < BREAKER_WINDOW_MS);
    const failures = this.#window.filter(({ failed }) => failed).length;
    return this.#window.length >= BREAKER_WINDOW_CALLS_MIN && failures >= this.#window.length * failureRate;
  }

  #probed(end: CallEnd, cause?: BreakerCause): void {
    this.#isProbing = false;
    if (end === "unknown") return;
    this.#failuresInRow = 0;
    this.#window = [];
    if (end === "ok") this.#close();
    else this.#open(end, cause);
  }
}

const NO_CAUSE: BreakerCause = { code: "BREAKER_OPEN", message: "calls failed" };

/** One breaker for each name, made when it is first asked for. */
export class Breakers {
  readonly #time: Time;
  readonly #observer: BreakerObserver | undefined;
  readonly #all = new Map<string, Breaker>();
  #rules: Readonly<Record<string, Partial<BreakerRules>>> = {};

  constructor(time: Time, observer?: BreakerObserver) {
    this.#time = time;
    this.#observer = observer;
  }

  of(name: string): Breaker {
    const known = this.#all.get(name);
    if (known !== undefined) return known;
    const breaker = new Breaker(name, this.#time, this.#observer, () => rulesOf(this.#rules[name]));
    this.#all.set(name, breaker);
    return breaker;
  }

  /** By name, what holds in place of BREAKER_RULES from now on. */
  configure(rules: Readonly<Record<string, Partial<BreakerRules>>>): void {
    this.#rules = rules;
  }

  reset(name: string): void {
    this.#all.get(name)?.reset();
  }

  reports(): readonly BreakerReport[] {
    return [...this.#all.values()].map((breaker) => breaker.report());
  }
}

/** With what is not set as it is by default. */
export function rulesOf(set: Partial<BreakerRules> | undefined): BreakerRules {
  return { ...BREAKER_RULES, ...set };
}
