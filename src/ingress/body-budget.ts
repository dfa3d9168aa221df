/** What one body that is being read takes. */
export interface Held {
  bytes: number;
  /** Gives it up; called once. */
  readonly shed: () => void;
}

/**
 * Bounds what all bodies together take that nobody has verified yet. When it is passed, the largest goes first, so a
 * flood of large ones takes no room from a small one, however many they are.
 */
export class BodyBudget {
  readonly #bytesMax: number;
  readonly #held = new Set<Held>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** This body takes so much now. It may be shed by that. */
  hold(body: Held, bytes: number): void {
    if (bytes === body.bytes) return;
    this.#held.add(body);
    this.#bytes += bytes - body.bytes;
    body.bytes = bytes;
    while (this.#bytes > this.#bytesMax) {
      const largest = this.#largest();
      this.release(largest);
      largest.shed();
    }
  }

  release(body: Held): void {
    if (this.#held.delete(body)) this.#bytes -= body.bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Looked for only when there is too much; there are no more than connections. */
  #largest(): Held {
    let found: Held | undefined;
    for (const one of this.#held) if (found === undefined || one.bytes > found.bytes) found = one;
    if (found === undefined) throw new Error("Expected a body that takes what is taken, got none");
    return found;
  }
}
