import { GatewayError } from "../../domain/errors.ts";
import { type Database, type OpenDatabase, openFailure } from "./database.ts";
import { examine, logBytes, refuseLogWithoutFile, unreadableRest } from "./examine.ts";
import { bringBack, closeAsItIs, createFile, fileSystemWarning } from "./file.ts";
import { migrate } from "./migrations.ts";
import { makeFolderPrivate } from "./privacy.ts";
import type { EngineOptions, Log } from "./protocol.ts";
import type { Soundness } from "./soundness.ts";
import { loadState, type State, type Volatile } from "./state.ts";
import { endClaimsOfTheDead } from "./suspects.ts";

/** Where the file is not there, it is made. Throws STORE_OPEN_FAILED. */
export function haveFile(file: string, log: Log): void {
  try {
    if (bringBack(file)) log(`Gave ${file} its name back, which a process that ended had taken`);
    refuseLogWithoutFile(file);
    if (createFile(file)) log(`Made a new database, ${file}`, "info");
  } catch (error) {
    throw openFailure(error, file);
  }
  makeFolderPrivate(file, log);
  const warning = fileSystemWarning(file);
  if (warning !== null) log(warning);
}

/** How the file is opened: the first time, and again after a write that failed. */
export class Opening {
  readonly #options: EngineOptions;
  readonly #open: OpenDatabase;
  readonly #log: Log;
  readonly #kept: Volatile;
  readonly #soundness: Soundness;

  constructor(options: EngineOptions, open: OpenDatabase, log: Log, kept: Volatile, soundness: Soundness) {
    this.#options = options;
    this.#open = open;
    this.#log = log;
    this.#kept = kept;
    this.#soundness = soundness;
  }

  /** Throws STORE_LOCKED, STORE_SCHEMA_NEWER, STORE_DAMAGED or STORE_OPEN_FAILED. */
  first(nowMs: number): State {
    const { file } = this.#options;
    const isUnclean = logBytes(file) > 0;
    return this.#state(nowMs, {
      examine: (db) => examine(db, file, isUnclean, this.#log),
      prepare: (db) => {
        if (isUnclean) this.#readLog(db);
        endClaimsOfTheDead(db);
      },
    });
  }

  /** What the log holds goes into the file, flushed, before anything is acknowledged on it. */
  again(nowMs: number): State {
    // A new, empty file in the place of ours would take events, and forget those that it does not know.
    const fault = this.#soundness.beforeOpening();
    if (fault !== null) throw new GatewayError(fault.code, fault.message);
    const state = this.#state(nowMs);
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

  #state(
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
}

const NOT_FIRST = { examine: () => {}, prepare: () => {} };

function closeQuietly(db: Database): void {
  try {
    db.close();
  } catch {
    // The first error is the one to report.
  }
}
