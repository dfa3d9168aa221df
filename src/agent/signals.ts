import type { Clock } from "../ports/clock.ts";

/** The run has used up its time. */
export class OutOfTime extends Error {
  constructor() {
    super("The run is out of time");
    this.name = "OutOfTime";
  }
}

/** Rejects with the signal's reason when that comes first, whether or not the work heeds the signal. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const until = new UntilAborted(signal);
  try {
    return await until.wait(work);
  } finally {
    until.end();
  }
}

/** The same for one piece of work after the other: the signal is listened to once, and not for each word of a stream. */
export class UntilAborted {
  readonly #signal: AbortSignal;
  #reject: (reason: unknown) => void = () => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      work.then(resolve, reject);
      if (this.#signal.aborted) this.#onAbort();
    });
  }

  end(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = () => this.#reject(this.#signal.reason);
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
