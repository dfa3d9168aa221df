interface Entry<T> {
  readonly dueMs: number;
  readonly item: T;
}

/** A binary heap of things that become due; the soonest first, equal ones in any order. */
export class DueHeap<T> {
  readonly #entries: Entry<T>[] = [];

  get soonestMs(): number | null {
    return this.#entries[0]?.dueMs ?? null;
  }

  push(dueMs: number, item: T): void {
    const entries = this.#entries;
    const entry = { dueMs, item };
    let at = entries.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = entries[above];
      if (parent === undefined || parent.dueMs <= dueMs) break;
      entries[at] = parent;
      at = above;
    }
    entries[at] = entry;
  }

  /** The soonest item, if it is due. */
  popDue(nowMs: number): T | undefined {
    const entries = this.#entries;
    const top = entries[0];
    if (top === undefined || top.dueMs > nowMs) return undefined;
    const last = entries.pop();
    if (last !== undefined && last !== top) this.#sink(last);
    return top.item;
  }

  #sink(entry: Entry<T>): void {
    const entries = this.#entries;
    let at = 0;
    for (;;) {
      const left = entries[2 * at + 1];
      const right = entries[2 * at + 2];
      if (left === undefined) break;
      const useRight = right !== undefined && right.dueMs < left.dueMs;
      const child = useRight ? right : left;
      if (child.dueMs >= entry.dueMs) break;
      entries[at] = child;
      at = 2 * at + (useRight ? 2 : 1);
    }
    entries[at] = entry;
  }
}
