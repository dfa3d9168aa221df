/** A store that hung may have cost an event this much time before it was put into the file. */
const LATE_MS_MAX = 3_000;

/** When the events that wait in a spool came: the store has everything that came before the first of them. */
export class Kept {
  /** In the order in which they came. */
  readonly #atMs = new Map<string, number>();
  /** What an earlier process has left: how much, and when the oldest of it came at the earliest. */
  #left: number;
  readonly #leftAtMs: number;

  constructor(left: number, oldestAcceptedAtMs: number | null) {
    this.#left = left;
    this.#leftAtMs = (oldestAcceptedAtMs ?? 0) - LATE_MS_MAX;
  }

  /** Infinity: nothing is kept. */
  get firstAtMs(): number {
    const [first = Number.POSITIVE_INFINITY] = this.#atMs.values();
    return this.#left > 0 ? Math.min(first, this.#leftAtMs) : first;
  }

  /** What an earlier process has left is not known by its ids. */
  mayHold(id: string): boolean {
    return this.#left > 0 || this.#atMs.has(id);
  }

  /** False: it was there already. */
  add(id: string, atMs: number): boolean {
    if (this.#atMs.has(id)) return false;
    this.#atMs.set(id, atMs);
    return true;
  }

  remove(id: string): void {
    // Not one of ours.
    if (!this.#atMs.delete(id)) this.#left = Math.max(0, this.#left - 1);
  }

  /** The file is empty. */
  clear(): void {
    this.#atMs.clear();
    this.#left = 0;
  }
}
