/** A map whose changes since the last `keep` can be taken back: memory follows what the disk accepted. */
export class UndoMap<K, V> {
  readonly #map = new Map<K, V>();
  readonly #log: { readonly key: K; readonly before: V | undefined }[] = [];

  get size(): number {
    return this.#map.size;
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  entries(): MapIterator<[K, V]> {
    return this.#map.entries();
  }

  keys(): MapIterator<K> {
    return this.#map.keys();
  }

  /** `value` is replaced as a whole, never changed in place. */
  set(key: K, value: V): void {
    this.#log.push({ key, before: this.#map.get(key) });
    this.#map.set(key, value);
  }

  delete(key: K): void {
    const before = this.#map.get(key);
    if (before === undefined) return;
    this.#log.push({ key, before });
    this.#map.delete(key);
  }

  keep(): void {
    this.#log.length = 0;
  }

  undo(): void {
    for (let change = this.#log.pop(); change !== undefined; change = this.#log.pop()) {
      if (change.before === undefined) this.#map.delete(change.key);
      else this.#map.set(change.key, change.before);
    }
  }
}
