import type { Clock } from "../ports/clock.ts";

/** The run has used up its time. */
export class OutOfTime extends Error {
  constructor() {
    super("The run is out of time");
    this.name = "OutOfTime";
  }
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
  let off = () => {};
  const follow = () => scope.abort(signal.reason);
  if (signal.aborted) follow();
  else if (durationMs <= 0) scope.abort(reason());
  else {
    signal.addEventListener("abort", follow, { once: true });
    if (durationMs !== Infinity) off = clock.timer(durationMs, () => scope.abort(reason()));
  }
  return {
    signal: scope.signal,
    end: () => {
      signal.removeEventListener("abort", follow);
      off();
    },
  };
}
