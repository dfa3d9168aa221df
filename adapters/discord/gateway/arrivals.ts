import type { Clock } from "../../../src/ports/clock.ts";

/** More than this is not held in memory while the store is away: Discord keeps it for whoever resumes. */
const WAITING_MAX = 500;

/**
 * Up to which event of a session everything is durable. One connection counts in one of these: what is replayed to the next
 * may have been on its way here already, and is offered again.
 */
export class Sequence {
  #durable: number | null;
  readonly #open: { readonly seq: number; isDurable: boolean }[] = [];

  constructor(durable: number | null) {
    this.#durable = durable;
  }

  get durable(): number | null {
    return this.#durable;
  }

  /** Gives what to call when it is durable, or none of our business. */
  begin(seq: number): () => void {
    const entry = { seq, isDurable: false };
    this.#open.push(entry);
    return () => {
      entry.isDurable = true;
      let gone = 0;
      for (const { seq, isDurable } of this.#open) {
        if (!isDurable) break;
        this.#durable = seq;
        gone++;
      }
      this.#open.splice(0, gone);
    };
  }
}

/** What has come and is not durable yet: in the order of each channel, the channels beside each other. */
export class Arrivals {
  readonly #lanes = new Map<string, Promise<void>>();
  #waiting = 0;
  #drained = Promise.withResolvers<void>();

  get isFull(): boolean {
    return this.#waiting >= WAITING_MAX;
  }

  /** `work` never rejects. */
  add(lane: string, work: () => Promise<void>): void {
    if (this.#waiting++ === 0) this.#drained = Promise.withResolvers();
    const before = this.#lanes.get(lane);
    const done = (before === undefined ? work() : before.then(work)).then(() => {
      if (this.#lanes.get(lane) === done) this.#lanes.delete(lane);
      if (--this.#waiting === 0) this.#drained.resolve();
    });
    this.#lanes.set(lane, done);
  }

  /** Resolves when nothing is on its way. */
  drained(): Promise<void> {
    return this.#waiting === 0 ? Promise.resolve() : this.#drained.promise;
  }
}

const AGAIN_MS = 100;
const AGAIN_MS_MAX = 5_000;

/** Asks again and again until there is something; null when aborted first. */
export async function untilGiven<T>(
  ask: () => Promise<T | null>,
  { clock, signal }: { readonly clock: Pick<Clock, "sleep">; readonly signal: AbortSignal },
): Promise<T | null> {
  for (let waitMs = AGAIN_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, AGAIN_MS_MAX)) {
    const given = await ask();
    if (given !== null) return given;
    await clock.sleep(waitMs, signal).catch(() => {});
  }
  return null;
}
