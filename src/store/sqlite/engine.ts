import { statSync } from "node:fs";
import { GatewayError } from "../../domain/errors.ts";
import type { HeldStill } from "../../ports/still-file.ts";
import { LastRefusal } from "../last-refusal.ts";
import { Buckets } from "./buckets.ts";
import type { Database, OpenDatabase } from "./database.ts";
import { describe, isDiskFull, isFaultOfOperation } from "./fault.ts";
import { closeAsItIs } from "./file.ts";
import { Leases } from "./leases.ts";
import { describeAt } from "./obstacle.ts";
import { haveFile, Opening } from "./opening.ts";
import { apply, isWrite, UNFLUSHED } from "./operations.ts";
import type { EngineOptions, Failure, Log, Reply, Request, Status } from "./protocol.ts";
import { Scrubber } from "./scrubber.ts";
import { isRefused, Soundness } from "./soundness.ts";
import { loadState, type State, type Volatile } from "./state.ts";
import { handBackAll } from "./suspects.ts";
import { SteadyTime } from "./time.ts";
import type { Fault, Look } from "./watch.ts";

/** Above this estimate the log is copied into the file, once the batch has been answered. */
const UNSAVED_BYTES_MAX = 8 * 1024 * 1024;
/** While the file is held still, its log may grow as far as this estimate; then the log matters more than a copy. */
const HELD_LOG_BYTES_MAX = 512 * 1024 * 1024;

/**
 * Owns the file. Synchronous and deterministic: time comes with each operation, and nothing happens in between.
 * A batch is one transaction, and its answer is given only after the commit.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #open: OpenDatabase;
  readonly #log: Log;
  readonly #kept: Volatile;
  readonly #soundness: Soundness;
  readonly #scrubber: Scrubber;
  readonly #opening: Opening;
  /** Null after a failed flush, until the file has been opened again. */
  #state: State | null;
  /** The file itself is not written to: somebody copies it. */
  #isHeld = false;

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
    haveFile(options.file, log);
    this.#soundness = new Soundness(options.file, log);
    this.#scrubber = new Scrubber(options.file);
    this.#opening = new Opening(options, open, log, this.#kept, this.#soundness);
    this.#state = this.#opening.first(nowMs);
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
      this.#state ??= this.#opening.again(nowMs);
      const before = this.#soundness.now();
      const results = this.#transact(this.#state, requests, nowMs, faultOf(before));
      // The disk took it, which says nothing of the name under which the next process will look for it.
      const after = before === null ? this.#soundness.now() : before;
      if (after === "log-lost") this.#bringLogHome(this.#state, nowMs);
      return { results, failures: refusalsOf(requests, faultOf(after)), status: this.status };
    } catch (error) {
      return this.#failed(requests, error, nowMs);
    }
  }

  /** Copies the log into the file when there is much of it, or `always`. Call it when nobody waits for an answer. */
  saveLog(when: "much" | "always"): void {
    const state = this.#state;
    // What is wrong in the log must not get into the file.
    if (state === null || state.unsavedBytes === 0 || this.#soundness.damage !== null) return;
    if (when === "much" && state.unsavedBytes < UNSAVED_BYTES_MAX) return;
    if (this.#isHeld) {
      if (state.unsavedBytes < HELD_LOG_BYTES_MAX) return;
      this.#isHeld = false;
      this.#log(`The log of ${this.#options.file} has grown too large for the copy that was being made`);
    }
    try {
      // When nobody is busy the disk gets the room of the log back; until then it is written over from its beginning.
      state.db.exec(`PRAGMA wal_checkpoint(${when === "always" ? "TRUNCATE" : "PASSIVE"})`);
      state.unsavedBytes = 0;
      this.#soundness.saved();
    } catch (error) {
      this.#soundness.failed(error);
      this.#log(`Could not copy the log into ${this.#options.file}: ${describe(error)}`);
      if (!isDiskFull(error)) this.#abandon();
    }
  }

  /** See StillFile. */
  hold(): HeldStill | null {
    const state = this.#state;
    if (state === null || this.#isHeld || this.#soundness.damage !== null) return null;
    // It is an estimate: also where it is none, what is in the log goes into the file now.
    state.unsavedBytes = Math.max(state.unsavedBytes, 1);
    this.saveLog("always");
    if (this.#state === null || this.#state.unsavedBytes > 0) return null;
    this.#isHeld = true;
    const { size, dev, ino } = statSync(this.#options.file, { bigint: true });
    return { bytes: Number(size), identity: `${dev}:${ino}` };
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Whether it was still until now. */
  letGo(): boolean {
    const wasHeld = this.#isHeld;
    this.#isHeld = false;
    return wasHeld;
  }

  /**
   * Clears one bite of what the file holds of deleted rows; null: from its end. Gives where to go on, 0 at the end; or why it
   * cannot be done now.
   */
  scrub(upTo: number | null): number | string {
    const { file } = this.#options;
    if (this.#isHeld) return "a copy of it is being made";
    const state = this.#state;
    if (state === null) return "it is not open";
    try {
      state.unsavedBytes = Math.max(state.unsavedBytes, 1);
      this.saveLog("always");
      if (this.#state === null || state.unsavedBytes > 0) return "its log could not be copied into it";
      // What is in memory is as it was read, and would be written again as it was.
      state.db.exec("PRAGMA shrink_memory");
      return this.#scrubber.bite(upTo) ?? "it was not made by this program";
    } catch (error) {
      this.#soundness.failed(error);
      return describeAt(file, error);
    }
  }

  /** Hands back what is in hand. SQLite copies the log into the file as it closes. */
  close(): void {
    const { file, durability } = this.#options;
    let db = this.#state?.db;
    this.#state = null;
    try {
      // After a failed flush nothing is open. What has the name of our file may be another.
      if (db === undefined && this.#soundness.beforeOpening() !== null) return;
      db ??= this.#open(file, durability);
      handBackAll(db);
    } catch (error) {
      this.#log(`Could not hand back what ran: ${describe(error)}`);
    }
    if (db !== undefined) this.#closeFile(db);
  }

  #closeFile(db: Database): void {
    try {
      if (this.#soundness.damage === null) db.close();
      else closeAsItIs(db, this.#options.file);
    } finally {
      this.#scrubber.close();
    }
  }

  #failed(requests: readonly Request[], error: unknown, nowMs: number): Reply {
    this.#soundness.failed(error);
    this.#restore(error, nowMs);
    // One that cannot be carried out must not take its neighbours with it.
    if (isFaultOfOperation(error) && requests.length > 1 && this.#state !== null) {
      return this.#runOneByOne(requests);
    }
    return this.#refuse(requests, error);
  }

  #transact(state: State, requests: readonly Request[], nowMs: number, fault: Fault | null): unknown[] {
    this.#flushAtCommit(
      state,
      requests.some(([kind]) => !UNFLUSHED.has(kind)),
    );
    state.sql.begin.run();
    const results = requests.map((request) => (isRefused(request[0], fault) ? null : apply(state, request)));
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
      failures: replies.flatMap(({ failures }, index) => failures.map((failure) => ({ ...failure, index }))),
      status: this.status,
    };
  }

  #refuse(requests: readonly Request[], error: unknown): Reply {
    const { damage } = this.#soundness;
    const { code, message } =
      error instanceof GatewayError && error.code === "STORE_MOVED"
        ? error
        : (damage ?? this.#writeFailed(error));
    if (!isFaultOfOperation(error)) {
      this.#kept.refusal.refused(message, requests.at(-1)?.[1] ?? 0);
      this.#kept.leases.excuse();
    }
    return {
      results: requests.map(() => null),
      failures: requests.map((_, index) => ({ index, code, message })),
      status: this.status,
    };
  }

  #writeFailed(error: unknown): Omit<Failure, "index"> {
    const { file } = this.#options;
    return { code: "STORE_WRITE_FAILED", message: `Could not write to ${file}: ${describeAt(file, error)}` };
  }

  /**
   * The log has lost its name, and with it all that the next process would know of what it holds. The open file still
   * has both: what it holds goes into the file, and the next log has a name again.
   */
  #bringLogHome(state: State, nowMs: number): void {
    this.#isHeld = false;
    state.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#log(
      `${this.#options.file}-wal was deleted or replaced; what it held is in the file, and a new one is made`,
      "error",
    );
    this.#abandon();
    this.#state = this.#opening.again(nowMs);
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
    // As it closes, and as it is opened again, the log goes into the file.
    this.#isHeld = false;
    try {
      if (state !== null) this.#closeFile(state.db);
    } catch (error) {
      this.#log(`Could not close ${this.#options.file}: ${describe(error)}`);
    }
  }
}

/** A lost log is no fault: it is brought home. */
function faultOf(look: Look): Fault | null {
  return look === "log-lost" ? null : look;
}

function refusalsOf(requests: readonly Request[], fault: Fault | null): readonly Failure[] {
  if (fault === null) return [];
  const { code, message } = fault;
  return requests.flatMap(([kind], index) => (isRefused(kind, fault) ? [{ index, code, message }] : []));
}
