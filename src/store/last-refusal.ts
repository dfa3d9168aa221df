/** An older one says nothing, when there has been no write since that could have been refused. */
const REMEMBERED_MS = 10_000;

/**
 * What became of the last write that says something. A check writes too, but little: where memory or a disk is full, its
 * mark may still find room when an event does not.
 */
export class LastRefusal {
  #last: { readonly message: string; readonly atMs: number } | null = null;

  refused(message: string, atMs: number): void {
    this.#last = { message, atMs };
  }

  written(): void {
    this.#last = null;
  }

  /** Null: writes are taken, as far as is known. A clock that was set back makes none of them last longer. */
  messageAt(nowMs: number): string | null {
    return this.#last !== null && Math.abs(nowMs - this.#last.atMs) < REMEMBERED_MS
      ? this.#last.message
      : null;
  }
}
