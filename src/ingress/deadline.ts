/** How often lateness is looked for; the deadline is kept to within this. */
const LOOK_EVERY_MS = 250;

interface Waiting<T> {
  untilMs: number;
  readonly resolve: (value: T) => void;
}

/** Answers for work that takes too long. One timer for all requests: one for each would cost as much as counting it. */
export class Deadline<T> {
  readonly #timeoutMs: number;
  readonly #late: T;
  /** In order of their deadline, because all wait equally long. */
  readonly #waiting = new Set<Waiting<T>>();
  #timer: NodeJS.Timeout | undefined;
  #lookedAtMs = 0;

  constructor(timeoutMs: number, late: T) {
    this.#timeoutMs = timeoutMs;
    this.#late = late;
  }

  /** The work's result, or the late answer when it is not there in time. */
  within(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = { untilMs: performance.now() + this.#timeoutMs, resolve };
      this.#waiting.add(waiting);
      this.#timer ??= this.#begin();
      work.then(
        (value) => {
          this.#waiting.delete(waiting);
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(waiting);
          reject(error);
        },
      );
    });
  }

  #begin(): NodeJS.Timeout {
    this.#lookedAtMs = performance.now();
    return setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  #look(): void {
    const nowMs = performance.now();
    // While the process stood still, the work could not go on: it has what it had left, and is then done as a rule.
    const pausedMs = nowMs - this.#lookedAtMs - LOOK_EVERY_MS;
    this.#lookedAtMs = nowMs;
    if (pausedMs >= LOOK_EVERY_MS) {
      for (const waiting of this.#waiting)
        waiting.untilMs = Math.min(waiting.untilMs + pausedMs, nowMs + this.#timeoutMs);
    }
    for (const waiting of this.#waiting) {
      if (waiting.untilMs > nowMs) return;
      this.#waiting.delete(waiting);
      waiting.resolve(this.#late);
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
