import { charge, waitMs } from "./gcra.ts";
import type { LimitRow } from "./protocol.ts";
import { UndoMap } from "./undo.ts";

/** Buckets kept at most; one is about 150 bytes. */
const BUCKETS_MAX = 100_000;

/**
 * Rate limits, in memory: they span minutes, and a restart that forgives them harms nobody.
 * A bucket is named by scope and key.
 */
export class Buckets {
  readonly #debts = new UndoMap<string, number>();
  readonly #max: number;

  constructor(max = BUCKETS_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#debts.size;
  }

  /** Charges all limits or none. Gives the first that refuses, in the order given; null when all allow. */
  take(limits: readonly LimitRow[], nowMs: number): { limit: LimitRow; waitMs: number } | null {
    const charges: [string, number][] = [];
    for (const limit of limits) {
      const [scope, key, messages, perMs] = limit;
      const name = `${scope}:${key}`;
      const charged = charge(this.#debts.get(name), { messages, perMs }, nowMs);
      const wait = waitMs(charged, { messages, perMs }, nowMs);
      if (wait > 0) return { limit, waitMs: wait };
      charges.push([name, charged]);
    }
    for (const [name, charged] of charges) this.#debts.set(name, charged);
    return null;
  }

  keep(nowMs: number): void {
    this.#debts.keep();
    if (this.#debts.size > this.#max) this.#evict(nowMs);
  }

  undo(): void {
    this.#debts.undo();
  }

  /** Buckets without debt are as good as absent. If too few are, the longest unused go: memory is bounded first. */
  #evict(nowMs: number): void {
    for (const [name, debtUntilMs] of this.#debts.entries()) {
      if (debtUntilMs <= nowMs) this.#debts.delete(name);
    }
    // Down to nine tenths, so that the walk above is not repeated with each new bucket.
    const target = this.#max * 0.9;
    for (const name of this.#debts.keys()) {
      if (this.#debts.size <= target) break;
      this.#debts.delete(name);
    }
    this.#debts.keep();
  }
}
