import type { Clock } from "../../ports/clock.ts";
import { describe } from "../../shared/fault.ts";
import type { Log } from "../sqlite/protocol.ts";
import { countWaiting, type Forwarder } from "./forwarder.ts";
import {
  fileOf,
  isLocked,
  type OpenFile,
  openSlot,
  removeFile,
  type Slot,
  slotsIn,
  type Unusable,
} from "./slots.ts";

const LOOK_MS = 30_000;

export interface AdopterDeps {
  readonly folder: string;
  /** Our own slot. */
  readonly number: number;
  readonly open: OpenFile;
  readonly forwarderOf: (slot: Slot) => Forwarder;
  readonly isStoreAway: () => boolean;
  readonly clock: Clock;
  /** Damaged, of a newer version, or gone from beside its log; said once of each. */
  readonly unusable: Unusable;
  readonly log: Log;
}

/** Forwards what is left in slots that no process takes again, because there are fewer now. */
export class Adopter {
  readonly #deps: AdopterDeps;
  /** Free at the last look. A process that is being started again is given until the next. */
  #free: ReadonlySet<number> = new Set();
  /** Hold nothing but dead letters, which had their try. */
  readonly #spent = new Set<number>();

  constructor(deps: AdopterDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    while (!signal.aborted) {
      try {
        await this.#look(signal);
      } catch (error) {
        if (!signal.aborted) log(`Could not look after the spool files of others: ${describe(error)}`);
      }
      await clock.sleep(LOOK_MS, signal).catch(() => {});
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { folder, number: own, isStoreAway, unusable } = this.#deps;
    // Until it is back nothing could be forwarded, and the slot had better be free for its successor.
    if (isStoreAway()) return;
    const slots = slotsIn(folder);
    for (const number of unusable.keys()) if (!slots.includes(number)) unusable.delete(number);
    const free = slots.filter((number) => number !== own && this.#isFree(number));
    const leftovers = free.filter((number) => this.#free.has(number) && !this.#spent.has(number));
    this.#free = new Set(free);
    for (const number of leftovers) {
      try {
        await this.#adopt(number, signal);
        unusable.delete(number);
      } catch (error) {
        if (signal.aborted) return;
        this.#passOver(number, error);
      }
    }
  }

  #isFree(number: number): boolean {
    try {
      const isFree = !isLocked(fileOf(this.#deps.folder, number));
      if (isFree) return true;
      // Somebody has it, and so it can be used.
      this.#spent.delete(number);
      this.#deps.unusable.delete(number);
      return false;
    } catch (error) {
      this.#passOver(number, error);
      return false;
    }
  }

  #passOver(number: number, error: unknown): void {
    const { folder, unusable, log } = this.#deps;
    if (!unusable.has(number))
      log(`Could not look after ${fileOf(folder, number)}: ${describe(error)}`, "error");
    unusable.set(number, error);
  }

  async #adopt(number: number, signal: AbortSignal): Promise<void> {
    const { folder, open, log } = this.#deps;
    const slot = await openSlot(folder, number, open, log);
    if (slot === null) return;
    try {
      const waiting = await countWaiting(slot.store);
      if (waiting > 0) log(`Forwarding ${waiting} events from ${slot.file}, which no process uses any more`);
      await this.#empty(slot, signal);
      if ((await slot.store.journal.stats()).dead > 0) this.#spent.add(number);
      else removeFile(slot.file);
    } finally {
      await slot.store[Symbol.asyncDispose]();
    }
  }

  async #empty(slot: Slot, signal: AbortSignal): Promise<void> {
    const forwarder = this.#deps.forwarderOf(slot);
    while ((await countWaiting(slot.store)) > 0) {
      await forwarder.ready(signal);
      await forwarder.round(signal);
    }
  }
}
