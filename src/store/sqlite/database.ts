import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { GatewayError } from "../../domain/errors.ts";
import { closeAsItIs } from "./file.ts";
import { describeAt } from "./obstacle.ts";
import { damaged } from "./watch.ts";

type Value = string | number | null;

/** The few calls that the engine makes, so that another binding, or one that fails on purpose, can stand in. */
export interface Database {
  readonly inTransaction: boolean;
  exec(sql: string): void;
  /** `Row` is what the columns of `sql` give; nothing checks it. */
  prepare<Row = never>(sql: string): Statement<Row>;
  close(): void;
}
export interface Statement<Row> {
  run(...values: Value[]): { changes: number | bigint };
  get(...values: Value[]): Row | undefined;
  all(...values: Value[]): Row[];
}
export type OpenDatabase = (file: string, durability: "power" | "process") => Database;

/** "Prly": tells our files from other SQLite databases. */
export const APPLICATION_ID = 0x50726c79;

/** Pages kept in memory, in KiB (SQLite counts a negative size in KiB). */
const CACHE_KIB = 32 * 1024;
const WAL_FILE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Opens the file and takes its lock, which is held until `close`.
 * Throws STORE_LOCKED when another process has it, STORE_OPEN_FAILED when it cannot be opened.
 */
export const openDatabase: OpenDatabase = (file, durability) => {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(existing(file), { timeout: 0 });
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    refuseStranger(db, file);
    // Only takes effect in a new file, and only before the first page is written.
    db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    const mode = db.prepare("PRAGMA journal_mode = WAL").get();
    if (mode?.journal_mode !== "wal") throw new Error("the file system does not support WAL mode");
    db.exec(`
      PRAGMA synchronous = ${durability === "power" ? "FULL" : "NORMAL"};
      PRAGMA fullfsync = ON;
      PRAGMA checkpoint_fullfsync = ON;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA journal_size_limit = ${WAL_FILE_BYTES_MAX};
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA temp_store = MEMORY;
      BEGIN IMMEDIATE;
      COMMIT;
    `);
    return wrap(db);
  } catch (error) {
    const failure = openFailure(error, file);
    if (db !== undefined && failure.code === "STORE_DAMAGED") closeAsItIs(db, file);
    else db?.close();
    throw failure;
  }
};

/** Never makes a file: where ours has gone, an empty one in its place would be taken for all there is. */
function existing(file: string): URL {
  const url = pathToFileURL(file);
  url.searchParams.set("mode", "rw");
  return url;
}

/** Before anything is set that would change another program's file. */
function refuseStranger(db: DatabaseSync, file: string): void {
  if (db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined) return;
  const id = db.prepare("PRAGMA application_id").get()?.application_id;
  if (id === APPLICATION_ID) return;
  throw new GatewayError("STORE_OPEN_FAILED", `Expected a Parley database, got another program's in ${file}`);
}

function wrap(db: DatabaseSync): Database {
  return {
    get inTransaction() {
      return db.isTransaction;
    },
    exec: (sql) => db.exec(sql),
    prepare: <Row>(sql: string) => db.prepare(sql) as unknown as Statement<Row>,
    close: () => db.close(),
  };
}

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const SQLITE_TOOBIG = 18;
const SQLITE_CONSTRAINT = 19;
const SQLITE_MISMATCH = 20;
const SQLITE_FULL = 13;

/** Damage is met where a page is read, and the pages of the neighbours may be sound. */
const FAULTS_OF_OPERATION: ReadonlySet<number> = new Set([
  SQLITE_CORRUPT,
  SQLITE_TOOBIG,
  SQLITE_CONSTRAINT,
  SQLITE_MISMATCH,
]);

/** SQLite's primary result code; undefined for an error from elsewhere. */
function resultCode(error: unknown): number | undefined {
  const code = error instanceof Error ? (error as { errcode?: unknown }).errcode : undefined;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** The statement was wrong, not the disk: other operations of the batch can still succeed. */
export function isFaultOfOperation(error: unknown): boolean {
  const code = resultCode(error);
  return code === undefined || FAULTS_OF_OPERATION.has(code);
}

/** What is in the file is not what was written. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error instanceof GatewayError ? error.cause : error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** There was no room. The file is sound, and a later write may find room again. */
export function isDiskFull(error: unknown): boolean {
  return resultCode(error) === SQLITE_FULL;
}

export function openFailure(error: unknown, file: string): GatewayError {
  if (error instanceof GatewayError) return error;
  if (resultCode(error) === SQLITE_CORRUPT) {
    const { code, message } = damaged(file, describe(error));
    return new GatewayError(code, message, { cause: error });
  }
  if (resultCode(error) === SQLITE_BUSY) {
    return new GatewayError(
      "STORE_LOCKED",
      `Expected to be the only process that uses ${file}, but another one holds its lock. ` +
        "Stop the other process, or give this one its own data folder.",
      { cause: error },
    );
  }
  return new GatewayError("STORE_OPEN_FAILED", `Could not open ${file}: ${describeAt(file, error)}`, {
    cause: error,
  });
}

/** What SQLite or the system said; neither repeats the values of a statement. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = resultCode(error);
  return code === undefined ? error.message : `${error.message} (SQLite ${code})`;
}
