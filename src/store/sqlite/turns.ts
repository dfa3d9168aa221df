import { Fifo } from "./fifo.ts";

/** What takes turns at one level: the branches of the level below, or at the last one the items themselves. */
interface Line<T> {
  readonly size: number;
  push(path: readonly string[], item: T): void;
  shift(): T | undefined;
}

/**
 * Items in nested turns: the branches of each level take turns, and each gives a turn of its own to one of its
 * branches. One with many items gets no more turns than its neighbour with one. A branch exists only while it has
 * items, and each call costs one step a level, however many there are.
 */
export class Turns<T extends NonNullable<unknown>> implements Line<T> {
  readonly #level: number;
  readonly #levels: number;
  readonly #branches = new Map<string, Line<T>>();
  readonly #order = new Fifo<string>();

  /** `levels`: the length of the paths. */
  constructor(levels: number, level = 0) {
    this.#levels = levels;
    this.#level = level;
  }

  get size(): number {
    return this.#order.size;
  }

  push(path: readonly string[], item: T): void {
    const name = path[this.#level] ?? "";
    let branch = this.#branches.get(name);
    if (branch === undefined) {
      branch = this.#level + 1 < this.#levels ? new Turns(this.#levels, this.#level + 1) : new Leaves();
      this.#branches.set(name, branch);
      this.#order.push(name);
    }
    branch.push(path, item);
  }

  shift(): T | undefined {
    const name = this.#order.shift();
    const branch = name === undefined ? undefined : this.#branches.get(name);
    if (name === undefined || branch === undefined) return undefined;
    const item = branch.shift();
    if (branch.size > 0) this.#order.push(name);
    else this.#branches.delete(name);
    return item;
  }
}

class Leaves<T extends NonNullable<unknown>> implements Line<T> {
  readonly #items = new Fifo<T>();

  get size(): number {
    return this.#items.size;
  }

  push(_path: readonly string[], item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    return this.#items.shift();
  }
}
