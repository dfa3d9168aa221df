import { LEAVE_MS } from "../domain/bounds.ts";
import type { Bus } from "../ports/bus.ts";
import type { Clock, Random } from "../ports/clock.ts";
import { type Held, type Holds, RELEASED_TOPIC } from "../ports/holds.ts";
import { messageOf } from "../shared/fault.ts";
import type { Logger } from "../telemetry/log.ts";
import { within } from "./within.ts";

export interface ElectedOptions {
  readonly name: string;
  /** How long a process that died is still believed to be there. */
  readonly ttlMs: number;
  readonly holds: Holds;
  readonly bus: Pick<Bus, "subscribe">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<Logger, "info" | "warn">;
  /** So long before the end of its time a holder that cannot renew it ends by itself; not at all before it when absent. */
  readonly marginMs?: number;
  /**
   * What the elected process does until the signal, which comes before anybody else can be elected. Whoever lets go waits
   * for its end, LEAVE_MS at most. Never rejects.
   */
  readonly lead: (held: Held, signal: AbortSignal) => Promise<void>;
}

export interface Elected {
  readonly isHolder: boolean;
  /** Lets another process have it, at once. Never rejects. */
  stop(): Promise<void>;
}

/** A stopping process must not wait for a store that is away: the hold ends by itself. */
const RELEASE_MS = 1_000;

/** Stands for election as long as this process lives: whoever is elected leads, the others try again and again. */
export function standForElection(options: ElectedOptions): Elected {
  const candidate = new Candidate(options);
  void candidate.run();
  return candidate;
}

class Candidate implements Elected {
  readonly #options: ElectedOptions;
  readonly #stopping = new AbortController();
  #term: Term | null = null;
  #isFailing = false;

  constructor(options: ElectedOptions) {
    this.#options = options;
  }

  get isHolder(): boolean {
    return this.#term?.signal.aborted === false;
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const term = await this.#elect();
      if (term === null) await this.#pause();
      else await this.#serve(term);
    }
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort("stopped");
    await this.#term?.release();
  }

  async #elect(): Promise<Term | null> {
    const { name, ttlMs, holds } = this.#options;
    const limit = limitOf(this.#options);
    try {
      const held = await holds.hold(name, ttlMs);
      this.#isFailing = false;
      if (held !== null) return new Term(held, limit, this.#options);
    } catch (error) {
      this.#failed(error);
    }
    limit.callOff();
    return null;
  }

  async #serve(term: Term): Promise<void> {
    const { log, name } = this.#options;
    this.#term = term;
    // Asked to stop while the store was asked.
    if (this.#stopping.signal.aborted) return await term.release();
    // The answer was longer on its way than it lasts.
    if (term.signal.aborted) return;
    log.info({ name }, "hold.elected");
    await term.serve();
    log.info({ name, why: String(term.signal.reason) }, "hold.ended");
  }

  /** Until it is worth while to try again: a part of the time, or as soon as the holder lets go. */
  async #pause(): Promise<void> {
    const { name, ttlMs, bus, clock, random } = this.#options;
    const released = new AbortController();
    const leave = bus.subscribe(RELEASED_TOPIC, (one) => {
      if (one === name) released.abort("released");
    });
    const signal = AbortSignal.any([this.#stopping.signal, released.signal]);
    await clock.sleep((ttlMs / 3) * (0.5 + random() / 2), signal).catch(() => {});
    leave();
  }

  #failed(error: unknown): void {
    const { log, name } = this.#options;
    if (!this.#isFailing && !this.#stopping.signal.aborted)
      log.warn({ name, cause: messageOf(error) }, "hold.unavailable");
    this.#isFailing = true;
  }
}

/** The time that a hold has, by a timer of this process. */
class Limit {
  readonly #callOff: () => void;
  #isOver = false;
  #onOver = () => {};

  constructor(clock: Clock, ttlMs: number) {
    this.#callOff = clock.timer(ttlMs, () => {
      this.#isOver = true;
      this.#onOver();
    });
  }

  whenOver(end: () => void): void {
    this.#onOver = end;
    if (this.#isOver) end();
  }

  callOff(): void {
    this.#callOff();
  }
}

/** Counted from when the store is asked, so never later than the store has it. */
function limitOf({ clock, ttlMs, marginMs = 0 }: ElectedOptions): Limit {
  return new Limit(clock, ttlMs - marginMs);
}

/** From one election to the end of what came of it. */
class Term {
  readonly #held: Held;
  readonly #options: ElectedOptions;
  readonly #over = new AbortController();
  #limit: Limit;
  #led = Promise.resolve();

  constructor(held: Held, limit: Limit, options: ElectedOptions) {
    this.#held = held;
    this.#options = options;
    this.#limit = limit;
    this.#watch(limit);
  }

  /** Aborted at its end. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Resolves when it has ended, and what was led with it. */
  async serve(): Promise<void> {
    const { ttlMs, clock, lead } = this.#options;
    this.#led = lead(this.#held, this.signal);
    for (let waitMs = ttlMs / 3; !this.signal.aborted; ) {
      await clock.sleep(waitMs, this.signal).catch(() => {});
      if (this.signal.aborted) break;
      // Away: soon again, as long as there is time.
      waitMs = (await this.#renew()) ? ttlMs / 3 : ttlMs / 10;
    }
    this.#limit.callOff();
    await this.#led;
  }

  async release(): Promise<void> {
    this.#end("released");
    this.#limit.callOff();
    const { holds, clock } = this.#options;
    // Nobody else may begin before this has ended.
    await within(this.#led, LEAVE_MS, clock);
    await within(holds.release(this.#held), RELEASE_MS, clock).catch(() => {});
  }

  /** False: the store could not tell. */
  async #renew(): Promise<boolean> {
    const { holds, ttlMs } = this.#options;
    const limit = limitOf(this.#options);
    try {
      if (await holds.renew(this.#held, ttlMs)) {
        this.#watch(limit);
        return true;
      }
      this.#end("lost");
      limit.callOff();
      return true;
    } catch {
      limit.callOff();
      return false;
    }
  }

  #watch(limit: Limit): void {
    if (limit !== this.#limit) this.#limit.callOff();
    this.#limit = limit;
    limit.whenOver(() => this.#end("its time is over"));
  }

  #end(why: string): void {
    this.#over.abort(why);
  }
}
