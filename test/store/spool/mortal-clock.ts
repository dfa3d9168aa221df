import type { Clock } from "../../../src/ports/clock.ts";
import { timerOf } from "../../support/timer.ts";

/** The time as one process sees it. When the process ends, so do its sleeps: nobody wakes up. */
export class MortalClock implements Clock {
  readonly #time: Clock;
  readonly timer = timerOf(this);
  #hasEnded = false;

  constructor(time: Clock) {
    this.#time = time;
  }

  nowMs(): number {
    return this.#time.nowMs();
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) return;
      this.#time.sleep(durationMs, signal).then(
        () => this.#hasEnded || resolve(),
        (error: unknown) => this.#hasEnded || reject(error),
      );
    });
  }

  end(): void {
    this.#hasEnded = true;
  }
}

/** Everything that waits for nothing but other work of this tick has been done. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
