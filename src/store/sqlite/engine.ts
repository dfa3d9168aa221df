import { statSync } from "node:fs";
import { GatewayError } from "../../domain/errors.ts";
import type { HeldStill } from "../../ports/still-file.ts";
import { LastRefusal } from "../last-refusal.ts";
import { Buckets } from "./buckets.ts";
import { type Database, type OpenDatabase, openFailure } from "./database.ts";
import { examine, logBytes, refuseLogWithoutFile, unreadableRest } from "./examine.ts";
import { describe, isDiskFull, isFaultOfOperation } from "./fault.ts";
import { bringBack, closeAsItIs, createFile, fileSystemWarning } from "./file.ts";
import { Leases } from "./leases.ts";
import { migrate } from "./migrations.ts";
import { describeAt } from "./obstacle.ts";
import { apply, isWrite, UNFLUSHED } from "./operations.ts";
import { makeFolderPrivate } from "./privacy.ts";
import type { EngineOptions, Failure, Log, Reply, Request, Status } from "./protocol.ts";
import { Scrubber } from "./scrubber.ts";
import { isRefused, Soundness } from "./soundness.ts";
import { loadState, type State, type Volatile } from "./state.ts";
import { endClaimsOfTheDead, handBackAll } from "./suspects.ts";
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
    this.#haveFile();
    makeFolderPrivate(options.file, log);
    const warning = fileSystemWarning(options.file);
    if (warning !== null) log(warning);
    this.#soundness = new Soundness(options.file, log);
    this.#scrubber = new Scrubber(options.file);
    this.#state = this.#openFirst(nowMs);
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
    this.#state = this.#recover(nowMs);
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

  /** Opens the file again. What the log holds goes into the file, flushed, before anything is acknowledged on it. */
  #recover(nowMs: number): State {
    // A new, empty file in the place of ours would take events, and forget those that it does not know.
    const fault = this.#soundness.beforeOpening();
    if (fault !== null) throw new GatewayError(fault.code, fault.message);
    const state = this.#openState(nowMs);
    try {
      state.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      this.#soundness.saved();
    } catch (error) {
      closeQuietly(state.db);
      throw error;
    }
    this.#log(`Opened ${this.#options.file} again after a failed write`);
    return state;
  }

  #haveFile(): void {
    const { file } = this.#options;
    try {
      if (bringBack(file)) this.#log(`Gave ${file} its name back, which a process that ended had taken`);
      refuseLogWithoutFile(file);
      if (createFile(file)) this.#log(`Made a new database, ${file}`, "info");
    } catch (error) {
      throw openFailure(error, file);
    }
  }

  #openFirst(nowMs: number): State {
    const { file } = this.#options;
    const isUnclean = logBytes(file) > 0;
    return this.#openState(nowMs, {
      examine: (db) => examine(db, file, isUnclean, this.#log),
      prepare: (db) => {
        if (isUnclean) this.#readLog(db);
        endClaimsOfTheDead(db);
      },
    });
  }

  /** Into the file; and says what of it could not be read. */
  #readLog(db: Database): void {
    const { file } = this.#options;
    const pageBytes = db.prepare<{ page_size: number }>("PRAGMA page_size").get()?.page_size ?? 0;
    const frames = db.prepare<{ log: number }>("PRAGMA wal_checkpoint(PASSIVE)").get()?.log ?? 0;
    if (!unreadableRest(file, pageBytes, frames)) return;
    this.#log(
      `${file}-wal breaks off after ${frames} pages that could be read. After a power cut that is what was not ` +
        "acknowledged yet; otherwise the log is damaged, and events may be missing.",
    );
  }

  #openState(
    nowMs: number,
    first: { examine: (db: Database) => void; prepare: (db: Database) => void } = NOT_FIRST,
  ): State {
    const { file, durability } = this.#options;
    const db = this.#open(file, durability);
    try {
      first.examine(db);
      const copy = migrate(db, file);
      if (copy !== null) this.#log(`Migrated ${file}; the file as it was is kept as ${copy}`);
      first.prepare(db);
      const fault = this.#soundness.opened();
      if (fault !== null) throw new GatewayError(fault.code, fault.message);
      return loadState(db, this.#kept, nowMs);
    } catch (error) {
      if (error instanceof GatewayError && error.code === "STORE_DAMAGED") closeAsItIs(db, file);
      else closeQuietly(db);
      throw openFailure(error, file);
    }
  }
}

const NOT_FIRST = { examine: () => {}, prepare: () => {} };

/** A lost log is no fault: it is brought home. */
function faultOf(look: Look): Fault | null {
  return look === "log-lost" ? null : look;
}

function refusalsOf(requests: readonly Request[], fault: Fault | null): readonly Failure[] {
  if (fault === null) return [];
  const { code, message } = fault;
  return requests.flatMap(([kind], index) => (isRefused(kind, fault) ? [{ index, code, message }] : []));
}

function closeQuietly(db: Database): void {
  try {
    db.close();
  } catch {
    // The first error is the one to report.
  }
}
