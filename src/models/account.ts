import { CALL_AGAIN_MS, CALL_LINE_MAX, CALL_WAIT_MS_MAX } from "../domain/bounds.ts";
import { ModelBusy } from "../domain/errors.ts";
import type { CallGate } from "../ports/call-gate.ts";
import type { Clock } from "../ports/clock.ts";
import { Pace } from "./pace.ts";
import { rateLimitsIn } from "./rate-limits.ts";

/** What the operator wants counted. Must not throw. */
export interface AccountObserver {
  /** Calls that are made now, and that wait: how many more or fewer. */
  inFlight(provider: string, more: 1 | -1): void;
  waiting(provider: string, more: 1 | -1): void;
  waited(wait: {
    readonly provider: string;
    readonly why: "concurrency" | "rate_limit";
    readonly end: WaitEnd;
    readonly ms: number;
  }): void;
}

/** It was its turn; it would have taken too long; whoever waited waits no more. */
type WaitEnd = "called" | "deferred" | "given_up";

/** The gate of one model, which is told what the provider answers. */
export interface ModelGate extends CallGate {
  heard(answer: Pick<Response, "status" | "headers">): void;
}

interface Waiter {
  readonly model: string;
  readonly pace: Pace;
  readonly concurrentMax: number;
  readonly untilMs: number;
  readonly leftUntilMs: number;
  start(over: () => void): void;
  refuse(error: ModelBusy): void;
}

/**
 * The calls that are made with one key. Those of all its models count together, and go in the order in which they came; a
 * model of which nothing is left is passed by those behind it.
 */
export class Account {
  readonly #provider: string;
  readonly #clock: Pick<Clock, "nowMs" | "timer">;
  readonly #observer: AccountObserver;
  readonly #paces = new Map<string, Pace>();
  #inFlight = 0;
  #line: readonly Waiter[] = [];
  #callOff = () => {};

  constructor(provider: string, clock: Pick<Clock, "nowMs" | "timer">, observer: AccountObserver) {
    this.#provider = provider;
    this.#clock = clock;
    this.#observer = observer;
  }

  /** `concurrentMax`: of all calls of the account, whichever model they are of. */
  gateOf(model: string, concurrentMax = Infinity): ModelGate {
    const pace = this.#paces.get(model) ?? new Pace();
    this.#paces.set(model, pace);
    return {
      enter: (signal, { leftMs, waits }) =>
        this.#enter({ model, pace, concurrentMax, leftMs }, signal, waits),
      heard: ({ status, headers }) => {
        const nowMs = this.#clock.nowMs();
        pace.heard(rateLimitsIn(status, headers, nowMs), nowMs);
        if (this.#line.length > 0) this.#move();
      },
    };
  }

  #enter(
    { leftMs, ...of }: Pick<Waiter, "model" | "pace" | "concurrentMax"> & { readonly leftMs: number },
    signal: AbortSignal,
    waits: () => void,
  ): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const nowMs = this.#clock.nowMs();
      const provider = this.#provider;
      const why = of.pace.waitMs(nowMs) > 0 ? "rate_limit" : "concurrency";
      let leave = (end: WaitEnd) => {
        if (end === "deferred") this.#observer.waited({ provider, why, end, ms: 0 });
      };
      const waiter: Waiter = {
        ...of,
        untilMs: nowMs + CALL_WAIT_MS_MAX,
        leftUntilMs: nowMs + leftMs,
        start(over) {
          leave("called");
          resolve(over);
        },
        refuse(error) {
          leave("deferred");
          reject(error);
        },
      };
      this.#line = [...this.#line, waiter];
      this.#move();
      if (!this.#line.includes(waiter)) return;
      if (this.#line.length > CALL_LINE_MAX) {
        this.#remove(waiter);
        return waiter.refuse(new ModelBusy(this.#nameOf(waiter), CALL_AGAIN_MS));
      }
      const giveUp = () => {
        leave("given_up");
        this.#remove(waiter);
        reject(signal.reason);
      };
      leave = (end) => {
        signal.removeEventListener("abort", giveUp);
        this.#observer.waiting(provider, -1);
        this.#observer.waited({ provider, why, end, ms: this.#clock.nowMs() - nowMs });
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#observer.waiting(provider, 1);
      waits();
    });
  }

  /** Lets go whoever may, turns away who would wait too long, and looks again when that may have changed. */
  #move(): void {
    this.#callOff();
    this.#callOff = () => {};
    const nowMs = this.#clock.nowMs();
    const line = this.#line;
    this.#line = [];
    let againMs = Infinity;
    const stay: Waiter[] = [];
    for (const waiter of line) {
      const { pace, concurrentMax, untilMs, leftUntilMs } = waiter;
      const waitMs = pace.waitMs(nowMs);
      const isKnown = waitMs > 0 && waitMs < Infinity;
      const isTooLong = isKnown && nowMs + waitMs >= Math.min(untilMs, leftUntilMs);
      if (waitMs === 0 && this.#inFlight < concurrentMax) waiter.start(this.#begin(pace, nowMs));
      else if (isTooLong || nowMs >= untilMs)
        waiter.refuse(new ModelBusy(this.#nameOf(waiter), isKnown ? waitMs : CALL_AGAIN_MS));
      else {
        stay.push(waiter);
        againMs = Math.min(againMs, untilMs - nowMs, isKnown ? waitMs : Infinity);
      }
    }
    this.#line = stay;
    if (againMs < Infinity) this.#callOff = this.#clock.timer(againMs, () => this.#move());
  }

  #begin(pace: Pace, nowMs: number): () => void {
    const ended = pace.begin(nowMs);
    this.#inFlight++;
    this.#observer.inFlight(this.#provider, 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      ended();
      this.#inFlight--;
      this.#observer.inFlight(this.#provider, -1);
      if (this.#line.length > 0) this.#move();
    };
  }

  #remove(waiter: Waiter): void {
    this.#line = this.#line.filter((one) => one !== waiter);
    if (this.#line.length === 0) this.#callOff();
  }

  #nameOf({ model }: Waiter): string {
    return `${this.#provider}/${model}`;
  }
}

/** By provider, address and key; they outlive the configuration that names them. */
export class Accounts {
  readonly #clock: Pick<Clock, "nowMs" | "timer">;
  readonly #observer: AccountObserver;
  readonly #all = new Map<string, Account>();

  constructor(clock: Pick<Clock, "nowMs" | "timer">, observer: AccountObserver) {
    this.#clock = clock;
    this.#observer = observer;
  }

  of(provider: string, whose: string): Account {
    const name = `${provider} ${whose}`;
    const account = this.#all.get(name) ?? new Account(provider, this.#clock, this.#observer);
    this.#all.set(name, account);
    return account;
  }
}
