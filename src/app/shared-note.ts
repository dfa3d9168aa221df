import { GatewayError } from "../domain/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Held } from "../ports/holds.ts";
import type { Store } from "../ports/store.ts";
import { messageOf } from "../shared/fault.ts";
import type { Logger } from "../telemetry/log.ts";

/** Word of a change may be lost; so long after it everybody has looked. */
const LOOK_MS = 1_000;
/** Somebody else changes it at the same time: asked again so often, for so long. */
const HOLD_MS = 5_000;
const AGAIN_MS = 100;
const TRIES_MAX = 30;

export interface SharedNoteDeps {
  readonly store: Pick<Store, "holds" | "notes" | "bus">;
  /** Whether other processes have the same store. */
  readonly isShared: boolean;
  readonly clock: Clock;
  readonly log: Pick<Logger, "warn">;
}

export interface SharedNoteOptions<T> {
  /** Of the hold, the note and the topic. */
  readonly name: string;
  /** In the log, when it cannot be read: `<event>.unread`. */
  readonly event: string;
  /** Null: nothing was ever noted. */
  readonly parse: (note: string | null) => T;
  /** Called with what holds from now on, also when that is what held before. */
  readonly onTake: (value: T) => void;
}

/** What operators set while the gateway runs, kept in the store: over restarts, and for all replicas. */
export class SharedNote<T> {
  readonly #options: SharedNoteOptions<T>;
  #deps: SharedNoteDeps | null = null;
  #value: T;
  #isAway = false;
  /** The last change that was asked for; it never rejects. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(options: SharedNoteOptions<T>) {
    this.#options = options;
    this.#value = options.parse(null);
  }

  get value(): T {
    return this.#value;
  }

  /** Knows what is set when it resolves, unless the store is away; then as soon as that is back. Never rejects. */
  async open(deps: SharedNoteDeps, signal: AbortSignal): Promise<void> {
    this.#deps = deps;
    const leave = deps.store.bus.subscribe(this.#options.name, () => void this.#look(deps));
    signal.addEventListener("abort", leave, { once: true });
    await this.#look(deps);
    if (deps.isShared || this.#isAway) void this.#lookForever(deps, signal);
  }

  /**
   * Changes it for all replicas. Rejects with STORE_* when the store cannot keep that. Changes of one process are made one
   * after the other: a hold that it takes again is taken from itself.
   */
  change(changed: (value: T) => T): Promise<T> {
    const change = this.#changing.then(() => this.#changeNow(changed));
    this.#changing = change.catch(() => {});
    return change;
  }

  async #changeNow(changed: (value: T) => T): Promise<T> {
    const { name, parse } = this.#options;
    const deps = this.#deps;
    if (deps === null) throw new GatewayError("STORE_UNAVAILABLE", "the store is not open yet");
    const { holds, notes, bus } = deps.store;
    const held = await this.#hold(deps);
    let now: T;
    try {
      now = changed(parse(await notes.get(name)));
      if (!(await notes.put(name, JSON.stringify(now), held)))
        throw new GatewayError("STORE_UNAVAILABLE", "the change was not kept in time; make it again");
    } finally {
      await holds.release(held).catch(() => {});
    }
    this.#take(now);
    await bus.publish(name, "");
    return now;
  }

  async #hold({ store, clock }: SharedNoteDeps): Promise<Held> {
    for (let tries = 1; ; tries++) {
      const held = await store.holds.hold(this.#options.name, HOLD_MS);
      if (held !== null) return held;
      if (tries === TRIES_MAX)
        throw new GatewayError("STORE_UNAVAILABLE", "another replica is making a change; try again");
      await clock.sleep(AGAIN_MS);
    }
  }

  async #lookForever(deps: SharedNoteDeps, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (deps.isShared || this.#isAway)) {
      await deps.clock.sleep(LOOK_MS, signal).catch(() => {});
      if (!signal.aborted) await this.#look(deps);
    }
  }

  /** What cannot be read holds as it was known last. */
  async #look({ store, log }: SharedNoteDeps): Promise<void> {
    const { name, event, parse } = this.#options;
    try {
      this.#take(parse(await store.notes.get(name)));
      this.#isAway = false;
    } catch (error) {
      if (!this.#isAway) log.warn({ cause: messageOf(error) }, `${event}.unread`);
      this.#isAway = true;
    }
  }

  #take(value: T): void {
    this.#value = value;
    this.#options.onTake(value);
  }
}
