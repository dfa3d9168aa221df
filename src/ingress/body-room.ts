/** One body that is being read, in blocks of a shared room. */
export interface LargeBody {
  bytes: number;
  readonly blocks: Buffer[];
  /** It has lost its blocks to others; called once. */
  readonly shed: () => void;
}

/**
 * Where bodies are that are too large to have memory of their own before anybody has verified them. When all blocks are
 * taken, the largest body goes, so a flood of large ones takes no room from a small one, however many they are.
 *
 * One piece of memory for good, touched only as far as it is needed: large buffers that come and go, of any size, leave
 * the allocator with a heap full of holes that it never gives back.
 */
export class BodyRoom {
  readonly #blockBytes: number;
  readonly #blocksMax: number;
  readonly #bodyBytesMax: number;
  readonly #held = new Set<LargeBody>();
  readonly #free: Buffer[] = [];
  #room: Buffer | undefined;
  /** Blocks that have been used at least once. */
  #touched = 0;
  #taken = 0;

  constructor(bytes: { readonly max: number; readonly block: number; readonly bodyMax: number }) {
    this.#blockBytes = bytes.block;
    this.#blocksMax = Math.floor(bytes.max / bytes.block);
    this.#bodyBytesMax = bytes.bodyMax;
  }

  /** False: there was no room for all of it, and it was the largest, so it has been shed. */
  add(body: LargeBody, chunk: Buffer): boolean {
    this.#held.add(body);
    for (let from = 0; from < chunk.length; ) {
      const at = body.bytes % this.#blockBytes;
      if (at === 0) {
        const block = this.#take(body);
        if (block === null) return false;
        body.blocks.push(block);
      }
      const copied = chunk.copy(body.blocks.at(-1) as Buffer, at, from);
      from += copied;
      body.bytes += copied;
    }
    return true;
  }

  /** In one piece, which is another's with the next call, and gives up its blocks. */
  joined(body: LargeBody): Buffer {
    const whole = this.#memory().subarray(0, body.bytes);
    for (const [index, block] of body.blocks.entries()) block.copy(whole, index * this.#blockBytes);
    this.release(body);
    return whole;
  }

  release(body: LargeBody): void {
    if (!this.#held.delete(body)) return;
    this.#taken -= body.blocks.length;
    this.#free.push(...body.blocks.splice(0));
  }

  /** What bodies have taken of it. */
  get bytes(): number {
    return this.#taken * this.#blockBytes;
  }

  #take(body: LargeBody): Buffer | null {
    if (this.#taken === this.#blocksMax) {
      const largest = this.#largest();
      this.release(largest);
      largest.shed();
      if (largest === body) return null;
    }
    this.#taken++;
    return this.#free.pop() ?? this.#untouched();
  }

  /** Where bodies are joined comes first. */
  #untouched(): Buffer {
    const from = this.#bodyBytesMax + this.#touched++ * this.#blockBytes;
    return this.#memory().subarray(from, from + this.#blockBytes);
  }

  #memory(): Buffer {
    this.#room ??= Buffer.allocUnsafeSlow(this.#bodyBytesMax + this.#blocksMax * this.#blockBytes);
    return this.#room;
  }

  /** Looked for only when there is no room; there are no more than connections. */
  #largest(): LargeBody {
    let found: LargeBody | undefined;
    for (const one of this.#held)
      if (found === undefined || one.blocks.length > found.blocks.length) found = one;
    if (found === undefined) throw new Error("Expected a body that has what is taken, got none");
    return found;
  }
}
