import assert from "node:assert";
import { asFirstKnown, type KnownPerson } from "../../domain/conversation.ts";
import { GatewayError } from "../../domain/errors.ts";
import type { Person } from "../../domain/event.ts";
import type { Clock, Random } from "../../ports/clock.ts";
import type { Retention } from "../../ports/retention.ts";
import type { StillFile } from "../../ports/still-file.ts";
import type { Store, StoreHealth } from "../../ports/store.ts";
import type { Watermarks } from "../../ports/watermarks.ts";
import { describe } from "../../shared/fault.ts";
import { openSqliteStore, type SqliteStoreOptions } from "../sqlite/index.ts";
import type { Log, StoreLimits } from "../sqlite/protocol.ts";
import { Adopter } from "./adopter.ts";
import type { OfferOf } from "./entry.ts";
import { countWaiting, Forwarder } from "./forwarder.ts";
import { ClaimGate } from "./gate.ts";
import { Herald } from "./herald.ts";
import { Intake } from "./intake.ts";
import { fileOf, type OpenFile, type Slot, type SpoolFile, takeSlot, type Unusable } from "./slots.ts";
import { isUnavailable } from "./trouble.ts";

export interface SpoolOptions {
  /** Of several processes on one machine; each has a file of its own in it. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: StoreLimits;
  readonly log: Log;
  /** The file's thread has died, and with it the lock on our name: end the process, before another has the same. */
  readonly onDeath: (error: Error) => void;
  /** Opens one file; the SQLite driver where nothing else is given. */
  readonly openFile?: (options: SqliteStoreOptions) => Promise<SpoolFile>;
}

export interface SpoolDeps {
  /** Decides again about an event that has waited: its lane, keys and policy may be others now. Null: not for us. */
  readonly offerOf: OfferOf;
  readonly onChange?: (waiting: number) => void;
  /** By which all that share the store hear of what waits here. */
  readonly watermarks: Watermarks;
}

export interface Spool extends AsyncDisposable {
  /** Names this process for good: kept in the folder, and taken over by the process that is started in its place. */
  readonly owner: string;
  /** Events not yet forwarded. */
  readonly waiting: number;
  /** The file, for whoever copies it. */
  readonly still: StillFile | null;
  /** Whether the file takes events. */
  check(): Promise<StoreHealth>;
  /** Deletes what was forwarded, and clears the file of it. */
  clear(): Promise<void>;
  /** The store with the spool before its queue. Once. Closing it closes the store that was handed in, and the spool. */
  attach(store: Store, deps: SpoolDeps): Store;
}

/** After the file has failed, and between two looks at whether it can be swept. */
const FILE_RETRY_MS = 1_000;
const SWEEP_MS = 60_000;
const HOUR_MS = 3_600_000;
/** A dead letter of the spool is an event that was acknowledged: it stays until it can be forwarded. */
const RETENTION: Retention = { finishedMs: HOUR_MS, turnsMs: HOUR_MS, deadMs: 100 * 365 * 24 * HOUR_MS };

/**
 * Takes a spool file of this folder: what a gateway acknowledges while the shared store cannot accept.
 * Throws STORE_OPEN_FAILED when the folder cannot be written.
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { folder, clock, random, limits, log, onDeath, openFile = openSqliteStore } = options;
  const open: OpenFile = (file) => openFile({ file, clock, limits, log });
  const openOwn: OpenFile = (file) => openFile({ file, clock, limits, log, onDeath });
  const slot = await takeSlot(folder, openOwn, random, log);
  const left = await countWaiting(slot.store);
  const { oldestAcceptedAtMs } = await slot.store.journal.stats();
  if (left > 0) log(`${left} events wait in ${slot.file} to be forwarded`);
  let attached: Attached | undefined;

  return {
    owner: slot.owner,
    still: slot.store.still ?? null,
    get waiting() {
      return attached?.waiting ?? left;
    },
    async clear() {
      await slot.store.sweep({ ...RETENTION, finishedMs: 0, turnsMs: 0 });
      await slot.store.records.scrub();
    },
    check: async () => withUnusable(await slot.store.check(), slot.unusable, folder),
    attach(store, deps) {
      assert(attached === undefined, "Expected a spool to be attached once");
      attached = new Attached(store, slot, {
        ...options,
        ...deps,
        open,
        left,
        oldestAtMs: oldestAcceptedAtMs,
        unusable: slot.unusable,
      });
      return attached.store;
    },
    async [Symbol.asyncDispose]() {
      await (attached ?? slot).store[Symbol.asyncDispose]();
    },
  };
}

/** What others have left and nobody can forward was acknowledged: an alarm until somebody has looked after it. */
function withUnusable(health: StoreHealth, unusable: Unusable, folder: string): StoreHealth {
  const [first] = unusable;
  if (health.status !== "ok" || first === undefined) return health;
  const [number, error] = first;
  const rest = unusable.size > 1 ? ` (and ${unusable.size - 1} more)` : "";
  return {
    status: "degraded",
    code: error instanceof GatewayError ? error.code : "STORE_OPEN_FAILED",
    details: `takes events, but what ${fileOf(folder, number)}${rest} holds cannot be forwarded: ${describe(error)}`,
  };
}

interface Left {
  readonly open: OpenFile;
  readonly left: number;
  readonly oldestAtMs: number | null;
  readonly unusable: Unusable;
}

/** A store and the spool before it, at work. */
class Attached {
  readonly store: Store;
  readonly #inner: Store;
  readonly #slot: Slot;
  readonly #deps: SpoolOptions;
  readonly #intake: Intake;
  readonly #forwarder: Forwarder;
  readonly #stopping = new AbortController();
  readonly #loops: readonly Promise<void>[];
  #closing: Promise<void> | undefined;

  constructor(inner: Store, slot: Slot, deps: SpoolOptions & SpoolDeps & Left) {
    const { clock, random, log, offerOf, onChange = () => {}, left: waiting, oldestAtMs, watermarks } = deps;
    this.#inner = inner;
    this.#slot = slot;
    this.#deps = deps;
    const gate = new ClaimGate(clock);
    // An outage may have ended just before we started, and others may still hold what came in it.
    gate.close();
    const herald = new Herald({ watermarks, gate, clock, mark: () => this.#intake.mark });
    const isSettling = () => gate.isSettling || herald.isAnotherSpooling;
    this.#intake = new Intake({
      ...{
        file: slot.store,
        store: inner.inbox,
        gate,
        clock,
        log,
        waiting,
        oldestAtMs,
        onChange,
        isSettling,
      },
      published: () => herald.published(),
    });
    const forwarderOf = ({ store }: Slot) =>
      new Forwarder({
        ...{
          file: store.queue,
          store: inner.inbox,
          people: inner.people,
          offerOf,
          clock,
          random,
          log,
          isSettling,
        },
      });
    this.#forwarder = forwarderOf(slot);
    const adopter = new Adopter({
      folder: deps.folder,
      number: slot.number,
      open: deps.open,
      forwarderOf,
      clock,
      log,
      isStoreAway: () => gate.areOffersFailing,
      unusable: deps.unusable,
    });
    this.store = this.#inFront(gate);
    const { signal } = this.#stopping;
    this.#loops = [this.#forward(signal), this.#sweep(signal), adopter.run(signal)];
    void herald.run(signal); // Not waited for: a store that hangs would keep us from closing it.
  }

  get waiting(): number {
    return this.#intake.waiting;
  }

  #inFront(gate: ClaimGate): Store {
    const inner = this.#inner;
    const { queue } = inner;
    return {
      inbox: { accept: (offer) => this.#intake.accept(offer) },
      queue: {
        claim: (options) => gate.claim(queue, options),
        ready: (signal) => gate.ready(queue, signal),
        extend: (job, leaseMs) => queue.extend(job, leaseMs),
        checkpoint: (job, progress) => queue.checkpoint(job, progress),
        join: (job) => queue.join(job),
        settle: (job, settlement) => queue.settle(job, settlement),
      },
      outbox: inner.outbox,
      memory: inner.memory,
      people: { settle: (person) => this.#settle(gate, person) },
      purse: inner.purse,
      journal: inner.journal,
      lanes: inner.lanes,
      archive: inner.archive,
      requests: inner.requests,
      holds: inner.holds,
      notes: inner.notes,
      vault: inner.vault,
      audit: inner.audit,
      records: inner.records,
      upkeep: inner.upkeep,
      bus: inner.bus,
      get durability() {
        return inner.durability;
      },
      check: () => inner.check(),
      sweep: (retention) => inner.sweep(retention),
      [Symbol.asyncDispose]: () => {
        this.#closing ??= this.#close();
        return this.#closing;
      },
    };
  }

  /** While the store is away a person is known by what comes: the spool takes the message all the same. */
  async #settle(gate: ClaimGate, person: Person): Promise<KnownPerson> {
    const provisional = () => ({ ...asFirstKnown(person), isProvisional: true as const });
    if (gate.areOffersFailing) return provisional();
    try {
      return await this.#inner.people.settle(person);
    } catch (error) {
      if (isUnavailable(error)) return provisional();
      throw error;
    }
  }

  async #close(): Promise<void> {
    await this.#intake.close();
    this.#stopping.abort();
    await Promise.all(this.#loops);
    await this.#inner[Symbol.asyncDispose]();
    await this.#slot.store[Symbol.asyncDispose]();
  }

  async #forward(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    let isFailing = false;
    while (!signal.aborted) {
      try {
        if (!this.#intake.isHolding) await this.#somethingToDo(signal);
        const round = await this.#forwarder.round(signal, (claimed) => this.#intake.beforeRound(claimed));
        await this.#intake.afterRound(round);
        isFailing = false;
      } catch (error) {
        this.#intake.release();
        if (signal.aborted) return;
        if (!isFailing) log(`Could not forward from ${this.#slot.file}: ${describe(error)}`);
        isFailing = true;
        await clock.sleep(FILE_RETRY_MS, signal).catch(() => {});
      }
    }
  }

  #somethingToDo(signal: AbortSignal): Promise<void> {
    const isIdle = this.#intake.waiting === 0;
    return isIdle ? this.#slot.store.queue.ready(signal) : this.#forwarder.ready(signal);
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    while (!signal.aborted) {
      try {
        if (this.#intake.waiting === 0) await this.#slot.store.sweep(RETENTION);
      } catch (error) {
        if (!signal.aborted) log(`Could not sweep ${this.#slot.file}: ${describe(error)}`);
      }
      await clock.sleep(SWEEP_MS, signal).catch(() => {});
    }
  }
}
