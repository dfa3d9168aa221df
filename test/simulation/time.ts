import type { Clock } from "../../src/ports/clock.ts";
import { timerOf } from "../support/timer.ts";

interface Timer {
  readonly atMs: number;
  /** Timers of one moment go off in the order in which they were set. */
  readonly order: number;
  readonly goOff: () => void;
}

/** One time for the whole simulated world. It stands still until told to jump to the next timer. */
export class VirtualTime {
  #nowMs: number;
  #set = 0;
  #timers: Timer[] = [];

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Gives how to cancel it. */
  after(delayMs: number, goOff: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)), order: this.#set++, goOff };
    const at = this.#timers.findIndex(({ atMs }) => atMs > timer.atMs);
    this.#timers.splice(at === -1 ? this.#timers.length : at, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Jumps to the next timer and lets that one alone go off. False when there is none. */
  jump(): boolean {
    const next = this.#timers.shift();
    if (next === undefined) return false;
    this.#nowMs = next.atMs;
    next.goOff();
    return true;
  }
}

/** Everything that waits for nothing but other work of this tick has been done. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The time as one process sees it. When the process ends, so do its sleeps: nobody wakes up. */
export class ProcessClock implements Clock {
  readonly #time: VirtualTime;
  /** Carries an alarm to the process, which may be frozen. */
  readonly #reach: (wake: () => void) => void;
  readonly #cancels = new Set<() => void>();
  readonly timer = timerOf(this);
  #hasEnded = false;

  constructor(time: VirtualTime, reach: (wake: () => void) => void) {
    this.#time = time;
    this.#reach = reach;
  }

  nowMs(): number {
    return this.#time.nowMs();
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return this.#wait(durationMs, signal, this.#reach);
  }

  /** What goes on outside on behalf of this process, and ends with it: being frozen does not keep it up. */
  elapse(durationMs: number, signal?: AbortSignal): Promise<void> {
    return this.#wait(durationMs, signal, (wake) => wake());
  }

  get sleeping(): number {
    return this.#cancels.size;
  }

  end(): void {
    this.#hasEnded = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #wait(
    durationMs: number,
    signal: AbortSignal | undefined,
    reach: (wake: () => void) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) return;
      if (signal?.aborted) return reject(signal.reason);
      const leave = () => {
        this.#cancels.delete(cancel);
        signal?.removeEventListener("abort", abort);
      };
      const wake = () => {
        // Broken off between the alarm and its arrival.
        if (!this.#cancels.has(cancel)) return;
        leave();
        resolve();
      };
      const cancel = this.#time.after(durationMs, () => reach(wake));
      const abort = () => {
        cancel();
        leave();
        reject(signal?.reason);
      };
      this.#cancels.add(cancel);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }
}
