import type { Clock } from "../../ports/clock.ts";
import type { Status } from "./protocol.ts";

/** A nap ends after this at the latest: one claim in vain is nothing, and timers have a longest delay. */
const NAP_MS_MAX = 600_000;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets claimers wait until there may be something to claim. The engine tells with each batch whether there is, and
 * when a delay or a lease ends next; until then, one nap serves all who wait.
 */
export class Readiness {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();
  #status: Status;
  #nap: { readonly untilMs: number; readonly off: () => void } | null = null;
  #ended: Error | null = null;

  constructor(clock: Clock, status: Status) {
    this.#clock = clock;
    this.#status = status;
  }

  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.#ended !== null) return Promise.reject(this.#ended);
    if (this.#isReady()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal.removeEventListener("abort", abort);
        this.#waiters.delete(waiter);
      };
      const abort = () => waiter.reject(signal.reason);
      const waiter: Waiter = {
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          if (this.#waiters.size === 0) this.#endNap();
          reject(error);
        },
      };
      signal.addEventListener("abort", abort);
      this.#waiters.add(waiter);
      this.#takeNap();
    });
  }

  /** Something is on its way to the engine that will be claimable: a claim behind it shares its commit, and finds it. */
  expect(): void {
    if (this.#waiters.size > 0) this.#wakeAll();
  }

  update(status: Status): void {
    this.#status = status;
    if (this.#waiters.size === 0) return;
    if (this.#isReady()) this.#wakeAll();
    else this.#takeNap();
  }

  end(error: Error): void {
    this.#ended = error;
    this.#endNap();
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }

  #isReady(): boolean {
    const { claimable, wakeAtMs } = this.#status;
    return claimable || (wakeAtMs !== null && wakeAtMs <= this.#clock.nowMs());
  }

  #takeNap(): void {
    const { wakeAtMs } = this.#status;
    if (wakeAtMs === null) return;
    const nowMs = this.#clock.nowMs();
    // One that ends sooner may stay: leases come and go with each event, and a timer for each would wake for nothing. One that
    // should be over may not: the clock was set forward, and its timer, which does not know, has as long to go as before.
    if (this.#nap !== null && this.#nap.untilMs <= wakeAtMs && this.#nap.untilMs > nowMs) return;
    this.#endNap();
    const napMs = Math.min(wakeAtMs - nowMs, NAP_MS_MAX);
    const off = this.#clock.timer(Math.max(0, napMs), () => this.#wakeFrom(wakeAtMs));
    this.#nap = { untilMs: wakeAtMs, off };
  }

  #wakeFrom(untilMs: number): void {
    this.#nap = null;
    const { wakeAtMs } = this.#status;
    // Whatever the clock says now: it may have been set, and a claim finds out.
    if (wakeAtMs !== null && wakeAtMs <= untilMs) this.#wakeAll();
    else this.#takeNap();
  }

  #endNap(): void {
    this.#nap?.off();
    this.#nap = null;
  }

  #wakeAll(): void {
    this.#endNap();
    for (const waiter of [...this.#waiters]) waiter.resolve();
  }
}
