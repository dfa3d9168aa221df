import type { Clock } from "../ports/clock.ts";

/** The run has used up its time. */
export class OutOfTime extends Error {
  constructor() {
    super("The run is out of time");
    this.name = "OutOfTime";
  }
}

/** Rejects with the signal's reason when that comes first, whether or not the work heeds the signal. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

export interface Timed {
  /** Aborted by `signal`, or with `reason` after the time. */
  readonly signal: AbortSignal;
  /** Stops the timer. */
  readonly end: () => void;
}

/** `durationMs` may be Infinity. */
export function timed(signal: AbortSignal, durationMs: number, reason: Error, clock: Clock): Timed {
  const timeUp = new AbortController();
  const over = new AbortController();
  if (durationMs <= 0) timeUp.abort(reason);
  else if (durationMs !== Infinity) {
    clock.sleep(durationMs, over.signal).then(
      () => timeUp.abort(reason),
      () => {}, // ended before the time
    );
  }
  return { signal: AbortSignal.any([signal, timeUp.signal]), end: () => over.abort() };
}
