import type { Progress } from "../domain/run.ts";
import type { Fate, Outbox } from "../ports/outbox.ts";
import type { Job, Queue } from "../ports/queue.ts";
import type { Store } from "../ports/store.ts";

/** Of answers and receipts together; what comes in addition is forgotten, the oldest first. */
const ENTRIES_MAX = 1_000;
const CHARS_MAX = 16 * 1024 * 1024;

interface Unwritten {
  readonly chars: number;
  readonly progress?: UnwrittenRun;
  readonly fate?: Fate;
}

interface UnwrittenRun {
  readonly job: Job;
  readonly since: string;
  readonly progress: Progress;
  /** Its lease was gone by the time that the store answered: whoever claims it next decides, and that may be we. */
  readonly isLost: boolean;
}

export interface Keeping {
  readonly queue: Queue;
  readonly outbox: Outbox;
  /** Tries once more to write all of it, as far as leases allow. Never rejects. */
  writeAll(): Promise<void>;
  /** What only this process knows: what so many runs have come to, and what became of so many parts of replies. */
  readonly left: Left;
}

export interface Left {
  readonly runs: number;
  readonly parts: number;
}

/**
 * A store that does not forget what it could not write. While a disk is full or Redis is away, what a model has answered
 * and a platform has taken is known to this process alone; kept here, it is written before anything that would do it again:
 * a claim, a reservation, a settlement. What another process has done meanwhile wins over what is kept.
 */
export function withUnwritten(
  { queue, outbox }: Pick<Store, "queue" | "outbox">,
  onForgotten: () => void = () => {},
): Keeping {
  const kept = new Kept(onForgotten);
  /** Of each job, what the store has, where that is newer than what came with it. */
  const written = new WeakMap<Job, Progress>();

  function keep(job: Job, progress: Progress, isLost: boolean): void {
    const since = stageOf(job, written.get(job) ?? job.progress);
    kept.add(job.event.id, { chars: charsOf(progress), progress: { job, since, progress, isLost } });
  }

  /** What the store answered. One that was away for longer than the lease: nobody else need have begun. */
  function took(job: Job, progress: Progress, isHeld: boolean): void {
    if (!isHeld) keep(job, progress, true);
    else {
      written.set(job, progress);
      kept.drop(job.event.id);
    }
  }

  async function checkpoint(job: Job, progress: Progress): Promise<boolean> {
    try {
      const isHeld = await queue.checkpoint(job, progress);
      took(job, progress, isHeld);
      return isHeld;
    } catch (error) {
      keep(job, progress, false);
      throw error;
    }
  }

  async function record(partId: string, fate: Fate): Promise<void> {
    try {
      await outbox.record(partId, fate);
      kept.drop(partId);
    } catch (error) {
      kept.add(partId, { chars: charsOf(fate), fate });
      throw error;
    }
  }

  const writeReceipts = (prefix = "") => kept.fates(prefix).map(([partId, fate]) => record(partId, fate));

  /** All that is known of a job that is ours. */
  async function write(job: Job): Promise<void> {
    if (kept.isEmpty) return;
    await Promise.all(writeReceipts(`${job.event.id}/`));
    const progress = kept.progress(job, written.get(job) ?? job.progress);
    if (progress !== null) await checkpoint(job, progress);
  }

  /** Goes on from what is known of it, which is written as soon as the store takes it. */
  async function known(job: Job): Promise<Job> {
    const progress = kept.progress(job, job.progress);
    if (progress === null) return job;
    // Refused again: the next write tries again, and nothing is said before.
    const isHeld = await checkpoint(job, progress).catch(() => true);
    return isHeld ? { ...job, progress } : job;
  }

  return {
    queue: {
      ready: (signal) => queue.ready(signal),
      extend: (job, leaseMs) => queue.extend(job, leaseMs),
      checkpoint,
      join: (job) => queue.join(job),
      async claim(options) {
        // One that is refused for good keeps its own event from being said, and no other from being claimed.
        if (!kept.isEmpty) await Promise.allSettled(writeReceipts());
        const jobs = await queue.claim(options);
        return kept.isEmpty ? jobs : await Promise.all(jobs.map(known));
      },
      async settle(job, settlement) {
        await write(job);
        return await queue.settle(job, settlement);
      },
    },
    outbox: {
      async begin(job, progress, partId) {
        try {
          if (!kept.isEmpty) await Promise.all(writeReceipts(`${job.event.id}/`));
          const reservation = await outbox.begin(job, progress, partId);
          took(job, progress, reservation.kind !== "lost");
          return reservation;
        } catch (error) {
          keep(job, progress, false);
          throw error;
        }
      },
      async reserve(job, partId) {
        if (!kept.isEmpty) await write(job);
        return await outbox.reserve(job, partId);
      },
      record,
    },
    async writeAll() {
      const runs = kept.runs().map(({ job, progress }) => checkpoint(job, progress));
      await Promise.allSettled([...writeReceipts(), ...runs]);
    },
    get left() {
      return kept.left;
    },
  };
}

/** By the event's id, what its run has come to; by the part's, what became of it. Oldest first. */
class Kept {
  readonly #entries = new Map<string, Unwritten>();
  readonly #onForgotten: () => void;
  #chars = 0;
  /** Since it was empty last. */
  #hasForgotten = false;

  constructor(onForgotten: () => void) {
    this.#onForgotten = onForgotten;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  add(key: string, entry: Unwritten): void {
    this.drop(key);
    this.#entries.set(key, entry);
    this.#chars += entry.chars;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= ENTRIES_MAX && this.#chars <= CHARS_MAX) break;
      const isLost = this.#entries.get(oldest)?.progress?.isLost === true;
      this.drop(oldest);
      // One that others have most likely brought to its end is no loss.
      if (isLost) continue;
      if (!this.#hasForgotten) this.#onForgotten();
      this.#hasForgotten = true;
    }
  }

  drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#chars -= entry.chars;
    if (this.isEmpty) this.#hasForgotten = false;
  }

  get left(): Left {
    return { runs: this.runs().length, parts: this.fates("").length };
  }

  /** Those that are ours, as far as we know. */
  runs(): readonly UnwrittenRun[] {
    return [...this.#entries.values()].flatMap(({ progress }) =>
      progress === undefined || progress.isLost ? [] : [progress],
    );
  }

  fates(prefix: string): [partId: string, fate: Fate][] {
    return [...this.#entries].flatMap(([key, { fate }]) =>
      fate !== undefined && key.startsWith(prefix) ? [[key, fate]] : [],
    );
  }

  /** Null: nothing is kept, or the store has come further, by this process or another. */
  progress(job: Job, stored: Progress | null): Progress | null {
    const entry = this.#entries.get(job.event.id)?.progress;
    if (entry === undefined) return null;
    if (entry.since === stageOf(job, stored)) return entry.progress;
    this.drop(job.event.id);
    return null;
  }
}

/** Whoever does something for an event and records it changes this. */
function stageOf({ replay, refusal }: Job, progress: Progress | null): string {
  const { runId = "", steps = [], answer = null, earlier } = progress ?? {};
  return [replay, refusal?.cause, runId, steps.length, answer !== null, earlier !== undefined].join();
}

function charsOf(value: unknown): number {
  return JSON.stringify(value).length;
}
