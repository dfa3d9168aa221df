/**
 * First in, first out, without the cost of shifting an array: a lane may hold thousands. Most hold one, for which an
 * array would take five times its memory.
 */
export class Fifo<T extends NonNullable<unknown>> {
  #only: T | undefined;
  #items: (T | undefined)[] | null = null;
  #head = 0;

  get size(): number {
    if (this.#items !== null) return this.#items.length - this.#head;
    return this.#only === undefined ? 0 : 1;
  }

  push(item: T): void {
    if (this.#items !== null) this.#items.push(item);
    else if (this.#only === undefined) this.#only = item;
    else {
      this.#items = [this.#only, item];
      this.#only = undefined;
    }
  }

  peek(): T | undefined {
    return this.#items === null ? this.#only : this.#items[this.#head];
  }

  /** Counted from the first. */
  at(index: number): T | undefined {
    if (this.#items === null) return index === 0 ? this.#only : undefined;
    return this.#items[this.#head + index];
  }

  shift(): T | undefined {
    const item = this.peek();
    if (this.#items === null) this.#only = undefined;
    else if (item !== undefined) this.#drop(this.#items);
    return item;
  }

  #drop(items: (T | undefined)[]): void {
    items[this.#head++] = undefined;
    if (this.#head === items.length) {
      this.#items = null;
      this.#head = 0;
    } else if (this.#head > 32 && this.#head * 2 > items.length) {
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
  }
}
