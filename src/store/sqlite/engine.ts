import { GatewayError } from "../../domain/errors.ts";
import { LastRefusal } from "../last-refusal.ts";
import { accept } from "./accept.ts";
import { drop, replay } from "./archive.ts";
import { Buckets } from "./buckets.ts";
import { type Database, describe, isDiskFull, isFaultOfOperation, type OpenDatabase } from "./database.ts";
import { createFile, fileSystemWarning } from "./file.ts";
import { endHoldsOfTheDead, handBackAll } from "./holds.ts";
import { find, list, stats } from "./journal.ts";
import { Leases } from "./leases.ts";
import { forget, recall } from "./memory.ts";
import { migrate } from "./migrations.ts";
import { settlePerson } from "./people.ts";
import type { EngineOptions, Kind, Operations, Reply, Request, Status } from "./protocol.ts";
import { findRequests, listRequests, noteRequests } from "./requests.ts";
import { loadState, type State, type Volatile } from "./state.ts";
import { sweep } from "./sweep.ts";
import { SteadyTime } from "./time.ts";
import { checkpoint, claim, extend, record, reserve, settle, stop } from "./work.ts";

/** Above this estimate the log is copied into the file, once the batch has been answered. */
const UNSAVED_BYTES_MAX = 8 * 1024 * 1024;
/** An operation dirties about four pages of 4 KiB besides its text. */
const OPERATION_BYTES = 16 * 1024;
/** The note of a request, in a table and two indexes. */
const NOTE_BYTES = 1024;

export type Log = (line: string) => void;

type Handler<K extends Kind> = (
  state: State,
  args: Operations[K]["args"],
  nowMs: number,
) => Operations[K]["result"];
const HANDLERS: { readonly [K in Kind]: Handler<K> } = {
  accept,
  claim,
  extend: (state, [token, leaseMs], nowMs) => extend(state, token, leaseMs, nowMs),
  checkpoint: (state, [token, progress], nowMs) => checkpoint(state, token, progress, nowMs),
  settle: (state, [token, settlement], nowMs) => settle(state, token, settlement, nowMs),
  reserve: (state, [token, partId]) => reserve(state, token, partId),
  record: (state, [partId, receipt]) => record(state, partId, receipt),
  recall: (state, [conversation, turnsMax, sinceMs]) => recall(state, conversation, turnsMax, sinceMs),
  forget: (state, [conversation, untilEventId], nowMs) => forget(state, conversation, untilEventId, nowMs),
  person: settlePerson,
  find,
  list,
  stats,
  laneState: ({ lanes }, lane) => lanes.stateOf(lane),
  stop,
  replay: (state, [id, request], nowMs) => replay(state, id, request, nowMs),
  drop: (state, [id, by], nowMs) => drop(state, id, by, nowMs),
  noteRequests,
  listRequests,
  findRequests,
  check({ sql, refusal }, _, nowMs) {
    sql.touchMeta.run(nowMs);
    return refusal.messageAt(nowMs);
  },
  sweep: (state, { retention, cursor }, nowMs) => sweep(state, cursor, retention, nowMs),
};

/** They leave nothing in the log. */
const READS: ReadonlySet<Kind> = new Set([
  "extend",
  "recall",
  "find",
  "list",
  "stats",
  "laneState",
  "listRequests",
  "findRequests",
]);

/**
 * A power cut may take these back: a claim that was counted, notes for operators, and reads. The death of the process does not, and the
 * next flush makes them as safe as the rest.
 */
const UNFLUSHED: ReadonlySet<Kind> = new Set([...READS, "claim", "noteRequests"]);

/**
 * Owns the file. Synchronous and deterministic: time comes with each operation, and nothing happens in between.
 * A batch is one transaction, and its answer is given only after the commit.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #open: OpenDatabase;
  readonly #log: Log;
  readonly #kept: Volatile;
  /** Null after a failed flush, until the file has been opened again. */
  #state: State | null;

  /** Throws STORE_LOCKED, STORE_SCHEMA_NEWER or STORE_OPEN_FAILED. */
  constructor(options: EngineOptions, nowMs: number, open: OpenDatabase, log: Log) {
    this.#options = options;
    this.#open = open;
    this.#log = log;
    this.#kept = {
      leases: new Leases(),
      buckets: new Buckets(),
      time: new SteadyTime(),
      limits: options.limits,
      file: options.file,
      refusal: new LastRefusal(),
    };
    createFile(options.file);
    const warning = fileSystemWarning(options.file);
    if (warning !== null) log(warning);
    this.#state = this.#openState(nowMs, endHoldsOfTheDead);
  }

  get status(): Status {
    if (this.#state === null) return { claimable: false, wakeAtMs: null };
    const { lanes, leases, time } = this.#state;
    const soonestMs = Math.min(lanes.soonestMs ?? Infinity, leases.soonestMs ?? Infinity);
    return { claimable: lanes.isReady, wakeAtMs: soonestMs === Infinity ? null : time.toClock(soonestMs) };
  }

  /** Estimate of what a checkpoint would copy. */
  get unsavedBytes(): number {
    return this.#state?.unsavedBytes ?? 0;
  }

  run(requests: readonly Request[]): Reply {
    const nowMs = requests.at(-1)?.[1] ?? 0;
    try {
      this.#state ??= this.#recover(nowMs);
    } catch (error) {
      return this.#refuse(requests, error);
    }
    try {
      return { results: this.#transact(this.#state, requests, nowMs), failures: [], status: this.status };
    } catch (error) {
      this.#restore(error, nowMs);
      // One that cannot be carried out must not take its neighbours with it.
      if (isFaultOfOperation(error) && requests.length > 1 && this.#state !== null) {
        return this.#runOneByOne(requests);
      }
      return this.#refuse(requests, error);
    }
  }

  /** Copies the log into the file when there is much of it, or `always`. Call it when nobody waits for an answer. */
  saveLog(when: "much" | "always"): void {
    const state = this.#state;
    if (state === null || state.unsavedBytes === 0) return;
    if (when === "much" && state.unsavedBytes < UNSAVED_BYTES_MAX) return;
    try {
      state.db.exec("PRAGMA wal_checkpoint(PASSIVE)");
      state.unsavedBytes = 0;
    } catch (error) {
      this.#log(`Could not copy the log into ${this.#options.file}: ${describe(error)}`);
      if (!isDiskFull(error)) this.#abandon();
    }
  }

  /** Hands back what is in hand. SQLite copies the log into the file as it closes. */
  close(): void {
    const { file, durability } = this.#options;
    let db = this.#state?.db;
    this.#state = null;
    try {
      // After a failed flush nothing is open.
      db ??= this.#open(file, durability);
      handBackAll(db);
    } catch (error) {
      this.#log(`Could not hand back what ran: ${describe(error)}`);
    }
    db?.close();
  }

  #transact(state: State, requests: readonly Request[], nowMs: number): unknown[] {
    this.#flushAtCommit(
      state,
      requests.some(([kind]) => !UNFLUSHED.has(kind)),
    );
    state.sql.begin.run();
    const results = requests.map((request) => apply(state, request));
    state.sql.commit.run();
    state.leases.keep();
    state.buckets.keep(state.time.at(nowMs));
    if (requests.some(isWrite)) this.#kept.refusal.written();
    return results;
  }

  /** A later flush covers earlier commits, too, so only what somebody must be able to rely on waits for the disk. */
  #flushAtCommit(state: State, isNeeded: boolean): void {
    if (this.#options.durability !== "power" || state.flushes === isNeeded) return;
    state.db.exec(`PRAGMA synchronous = ${isNeeded ? "FULL" : "NORMAL"}`);
    state.flushes = isNeeded;
  }

  #runOneByOne(requests: readonly Request[]): Reply {
    const replies = requests.map((request) => this.run([request]));
    return {
      results: replies.map((reply) => reply.results[0]),
      failures: replies.flatMap((reply, index) => reply.failures.map(({ message }) => ({ index, message }))),
      status: this.status,
    };
  }

  #refuse(requests: readonly Request[], error: unknown): Reply {
    const message = `Could not write to ${this.#options.file}: ${describe(error)}`;
    if (!isFaultOfOperation(error)) this.#kept.refusal.refused(message, requests.at(-1)?.[1] ?? 0);
    return {
      results: requests.map(() => null),
      failures: requests.map((_, index) => ({ index, message })),
      status: this.status,
    };
  }

  /** Takes memory back to what the file holds. */
  #restore(error: unknown, nowMs: number): void {
    this.#kept.leases.undo();
    this.#kept.buckets.undo();
    const state = this.#state;
    if (state === null) return;
    // After a failed flush, nobody knows what the disk holds: the kernel may have dropped the very pages that it
    // could not write, and would report success the next time.
    if (!isFaultOfOperation(error) && !isDiskFull(error)) {
      this.#abandon();
      return;
    }
    try {
      if (state.db.inTransaction) state.db.exec("ROLLBACK");
      this.#state = {
        ...loadState(state.db, this.#kept, nowMs),
        unsavedBytes: state.unsavedBytes,
        flushes: state.flushes,
      };
    } catch (failure) {
      this.#log(`Could not undo a failed write to ${this.#options.file}: ${describe(failure)}`);
      this.#abandon();
    }
  }

  #abandon(): void {
    const state = this.#state;
    this.#state = null;
    try {
      state?.db.close();
    } catch (error) {
      this.#log(`Could not close ${this.#options.file}: ${describe(error)}`);
    }
  }

  /** Opens the file again. What the log holds goes into the file, flushed, before anything is acknowledged on it. */
  #recover(nowMs: number): State {
    const state = this.#openState(nowMs);
    try {
      state.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      state.db.close();
      throw error;
    }
    this.#log(`Opened ${this.#options.file} again after a failed write`);
    return state;
  }

  #openState(nowMs: number, prepare: (db: Database) => void = () => {}): State {
    const { file, durability } = this.#options;
    const db = this.#open(file, durability);
    try {
      const copy = migrate(db, file);
      if (copy !== null) this.#log(`Migrated ${file}; the file as it was is kept as ${copy}`);
      prepare(db);
      return loadState(db, this.#kept, nowMs);
    } catch (error) {
      closeQuietly(db);
      if (error instanceof GatewayError) throw error;
      throw new GatewayError("STORE_OPEN_FAILED", `Could not open ${file}: ${describe(error)}`, {
        cause: error,
      });
    }
  }
}

/** Of somebody else than the check, and of a size that says something. */
function isWrite([kind]: Request): boolean {
  return kind !== "check" && !UNFLUSHED.has(kind);
}

function apply<K extends Kind>(state: State, request: Request<K>): Operations[K]["result"] {
  const [kind, nowMs, args] = request as readonly [K, number, Operations[K]["args"]];
  if (!READS.has(kind)) state.unsavedBytes += OPERATION_BYTES + textBytes(request);
  return HANDLERS[kind](state, args, nowMs);
}

/** What an operation adds to the log besides a few pages. */
function textBytes(request: Request): number {
  if (request[0] === "accept") return request[2][7].length;
  if (request[0] === "noteRequests") return request[2].rows.length * NOTE_BYTES;
  return request[0] === "checkpoint" ? request[2][1].length : 0;
}

function closeQuietly(db: Database): void {
  try {
    db.close();
  } catch {
    // The first error is the one to report.
  }
}
