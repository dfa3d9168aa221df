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
export function timed(signal: AbortSignal, durationMs: number, reason: () => Error, clock: Clock): Timed {
  // Linked by hand: AbortSignal.any costs more than a whole run of a quick model.
  const scope = new AbortController();
  const over = new AbortController();
  const follow = () => scope.abort(signal.reason);
  if (signal.aborted) follow();
  else if (durationMs <= 0) scope.abort(reason());
  else {
    signal.addEventListener("abort", follow, { once: true });
    if (durationMs !== Infinity) {
      clock.sleep(durationMs, over.signal).then(
        () => scope.abort(reason()),
        () => {}, // ended before the time
      );
    }
  }
  return {
    signal: scope.signal,
    end: () => {
      signal.removeEventListener("abort", follow);
      over.abort(ENDED);
    },
  };
}

/** Said to our own sleep; the default reason would be an error with a stack, made anew each time. */
const ENDED = "ended";
