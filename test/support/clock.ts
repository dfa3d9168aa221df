import type { Clock } from "../../src/ports/clock.ts";
import { timerOf } from "./timer.ts";

/** Time that moves only when told to. Sleepers wake in order of their time. */
export class FakeClock implements Clock {
  #nowMs: number;
  #sleepers: { atMs: number; wake: () => void }[] = [];
  readonly timer = timerOf(this);

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = {
        atMs: this.#nowMs + durationMs,
        wake: () => {
          signal?.removeEventListener("abort", stop);
          resolve();
        },
      };
      const stop = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** When the next sleeper wakes; null when nobody sleeps. */
  get nextWakeMs(): number | null {
    return this.#sleepers.length === 0 ? null : Math.min(...this.#sleepers.map(({ atMs }) => atMs));
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#sleepers.filter(({ atMs }) => atMs <= this.#nowMs).sort((a, b) => a.atMs - b.atMs);
    this.#sleepers = this.#sleepers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { wake } of due) wake();
  }
}
