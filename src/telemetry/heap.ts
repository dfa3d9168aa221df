import { type EventLoopUtilization, performance } from "node:perf_hooks";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const LOOK_EVERY_MS = 10_000;
/** A thread that was busy for less of the time has a moment for it. */
const BUSY_MAX = 0.2;
/** Less than this is not worth a collection. */
const LEFTOVERS_BYTES_MIN = 8 * 1024 * 1024;
/** A collection takes about two milliseconds for each MiB that lives, and nobody is served meanwhile. */
const LIVING_BYTES_MAX = 128 * 1024 * 1024;
/** V8 lets a small heap grow to four times what lives before it looks again, however small the machine is. */
const GROWTH_PERCENT = 50;

export interface Heap {
  /** What the heap takes of memory, and buffers beside it. */
  bytes(): number;
  collect(): void;
  /** Share of the time since the last call in which this thread did something. */
  busy(): number;
}

/** Gives back what a busy time has left behind: V8 collects when more is asked for, which may be never. */
export class Leftovers {
  readonly #heap: Heap;
  #livingBytes: number;

  constructor(heap: Heap) {
    this.#heap = heap;
    this.#livingBytes = heap.bytes();
  }

  /** Collects when there is time, and something to be had. */
  look(): boolean {
    const heap = this.#heap;
    if (heap.busy() > BUSY_MAX) return false;
    const bytes = heap.bytes();
    if (bytes < this.#livingBytes + LEFTOVERS_BYTES_MIN) {
      this.#livingBytes = Math.min(bytes, this.#livingBytes);
      return false;
    }
    if (this.#livingBytes > LIVING_BYTES_MAX) return false;
    heap.collect();
    this.#livingBytes = heap.bytes();
    return true;
  }
}

/**
 * Counts buffers that have been used up. V8 lets tens of MiB of them lie before it looks, and what they leave in the
 * allocator is never given back; a look at the young ones takes a millisecond.
 */
export class UsedUp {
  readonly #bytesMax: number;
  readonly #collect: () => void;
  #bytes = 0;

  constructor(bytesMax: number, collect: () => void = collector({ type: "minor" })) {
    this.#bytesMax = bytesMax;
    this.#collect = collect;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#bytesMax) return;
    this.#bytes = 0;
    this.#collect();
  }
}

/** For the whole process, all threads: a heap grows by half of what lives, no more. */
export function keepHeapsSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}

/** Looks after this thread's heap until it ends. */
export function giveBackWhenIdle(): void {
  const leftovers = new Leftovers(ownHeap());
  setInterval(() => leftovers.look(), LOOK_EVERY_MS).unref();
}

/** Reached for when it is needed: a flag that is set, and a context that is made, with each thread are no small things. */
function collector(options: { readonly type: "minor" | "major" }): () => void {
  let collect: ((options: object) => void) | undefined;
  return () => {
    if (collect === undefined) {
      setFlagsFromString("--expose-gc");
      collect = runInNewContext("gc") as (options: object) => void;
    }
    collect(options);
  };
}

function ownHeap(): Heap {
  let last: EventLoopUtilization = performance.eventLoopUtilization();
  return {
    collect: collector({ type: "major" }),
    bytes() {
      const { total_heap_size, external_memory } = getHeapStatistics();
      return total_heap_size + external_memory;
    },
    busy() {
      const before = last;
      last = performance.eventLoopUtilization();
      return performance.eventLoopUtilization(last, before).utilization;
    },
  };
}
