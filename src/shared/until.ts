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
