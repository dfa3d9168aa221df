import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Acceptance, Offer } from "../../../src/ports/inbox.ts";
import type { EventRecord } from "../../../src/ports/journal.ts";
import type { Store } from "../../../src/ports/store.ts";
import { openSpool, type Spool } from "../../../src/store/spool/index.ts";
import type { OpenDatabase } from "../../../src/store/sqlite/database.ts";
import { type InlineStore, openInlineStore } from "../../../src/store/sqlite/inline.ts";
import type { StoreLimits } from "../../../src/store/sqlite/protocol.ts";
import { randomFrom } from "../../simulation/dice.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/event.ts";
import { anOffer } from "../../support/store.ts";
import { aFolder } from "../folder.ts";
import { MoodyStore } from "./moody-store.ts";
import { MortalClock, quiet } from "./mortal-clock.ts";

export const ROOMY: StoreLimits = { waitingPerLaneMax: 10_000, waitingMax: 100_000 };
/** Longer than any backoff and any patience. */
export const LONG_MS = 5_000;

/** A gateway process, as far as its store is concerned. */
export interface Process {
  readonly spool: Spool;
  readonly store: Store;
  readonly log: string[];
  /** Each change of how many wait. */
  readonly counts: number[];
  accept(id: string, event?: Partial<TriggerEvent>, offer?: Partial<Offer>): Promise<Acceptance>;
  /** SIGKILL. */
  crash(): void;
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly limits?: StoreLimits;
  readonly offerOf?: (event: TriggerEvent) => Offer | null;
  /** Stands in for SQLite below the spool. */
  readonly open?: OpenDatabase;
  /** After each commit of the spool's file. */
  readonly onCommit?: () => void;
}

const ANSWER_TURNS = 2;

/** A commit answers in a later turn of the loop, as it does from a thread. */
function withSlowAnswers(store: Store): Store {
  const { inbox } = store;
  const accept = async (offer: Offer) => {
    try {
      return await inbox.accept(offer);
    } finally {
      for (let turn = 0; turn < ANSWER_TURNS; turn++) await quiet();
    }
  };
  return { ...store, inbox: { accept } };
}

/** One store that all share, and processes that come and go; time passes only when told to. */
export class World {
  readonly time: FakeClock;
  readonly shared: MoodyStore;
  readonly spools: string;
  readonly #inner: Store;
  #starts = 0;

  private constructor(time: FakeClock, inner: Store, spools: string) {
    this.time = time;
    this.#inner = inner;
    this.shared = new MoodyStore(inner, time);
    this.spools = spools;
  }

  static async open(limits = ROOMY): Promise<World> {
    const folder = aFolder("memory");
    const clock = new FakeClock();
    const file = join(folder.path, "shared.db");
    const inner = await openInlineStore({ file, clock, limits, durability: "process" });
    onTestFinished(async () => {
      await inner[Symbol.asyncDispose]();
      folder.remove();
    });
    return new World(clock, inner, join(folder.path, "spools"));
  }

  async start(options: ProcessOptions = {}): Promise<Process> {
    const { limits = ROOMY, offerOf = (event) => anOffer(event), open, onCommit } = options;
    const clock = new MortalClock(this.time);
    const files: InlineStore[] = [];
    const log: string[] = [];
    const counts: number[] = [];
    const spool = await openSpool({
      folder: this.spools,
      clock,
      random: randomFrom(++this.#starts),
      limits,
      log: (line) => log.push(line),
      onDeath: () => {},
      async openFile(of) {
        const hooks = { ...(open && { open }), ...(onCommit && { onCommit }) };
        const opened = await openInlineStore({ ...of, durability: "process", ...hooks });
        files.push(opened);
        return withSlowAnswers(opened);
      },
    });
    // Closing a process leaves the shared store open for the others.
    const shared: Store = { ...this.shared.store, [Symbol.asyncDispose]: async () => {} };
    const { watermarks } = this.shared;
    const store = spool.attach(shared, { offerOf, watermarks, onChange: (waiting) => counts.push(waiting) });
    onTestFinished(() => clock.end());
    return {
      spool,
      store,
      log,
      counts,
      accept: (id, event = {}, offer = {}) =>
        this.#answered(store.inbox.accept(anOffer(anEvent({ id, ...event }), offer))),
      crash() {
        clock.end();
        for (const file of files) file.crash();
      },
      stop: async () => await this.until(store[Symbol.asyncDispose]()),
    };
  }

  /** An acknowledgement may have to wait for the store to be told of it; for one that hangs, a test itself does. */
  #answered(acceptance: Promise<Acceptance>): Promise<Acceptance> {
    return this.shared.mood === "hung" || this.shared.latencyMs > 0 ? acceptance : this.until(acceptance);
  }

  /** Lets time pass until this is over. */
  async until<T>(promise: PromiseLike<T>): Promise<T> {
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    promise.then(end, end);
    await quiet();
    while (!isOver) await this.#toNextWake(Number.POSITIVE_INFINITY);
    return await promise;
  }

  /** Lets time pass, and everything happen that is due in it. */
  async elapse(ms: number): Promise<void> {
    const endMs = this.time.nowMs() + ms;
    await quiet();
    while (this.time.nowMs() < endMs) await this.#toNextWake(endMs);
  }

  async #toNextWake(endMs: number): Promise<void> {
    const wakeMs = Math.min(this.time.nextWakeMs ?? Number.POSITIVE_INFINITY, endMs);
    if (wakeMs === Number.POSITIVE_INFINITY)
      throw new Error("Expected somebody to wait for a time, got nobody");
    this.time.advance(Math.max(0, wakeMs - this.time.nowMs()));
    for (let turn = 0; turn <= ANSWER_TURNS; turn++) await quiet();
  }

  /** What the shared store has, oldest first. */
  async stored(): Promise<readonly EventRecord[]> {
    return (await this.#inner.journal.list({ limit: 100_000 })).toReversed();
  }

  async ids(): Promise<readonly string[]> {
    return (await this.stored()).map(({ id }) => id);
  }
}
