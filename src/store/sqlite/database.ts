import { DatabaseSync } from "node:sqlite";
import { GatewayError } from "../../domain/errors.ts";

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
    db = new DatabaseSync(file, { timeout: 0 });
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
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
    db?.close();
    throw openFailure(error, file);
  }
};

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
const SQLITE_TOOBIG = 18;
const SQLITE_CONSTRAINT = 19;
const SQLITE_MISMATCH = 20;
const SQLITE_FULL = 13;

/** SQLite's primary result code; undefined for an error from elsewhere. */
function resultCode(error: unknown): number | undefined {
  const code = error instanceof Error ? (error as { errcode?: unknown }).errcode : undefined;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** The statement was wrong, not the disk: other operations of the batch can still succeed. */
export function isFaultOfOperation(error: unknown): boolean {
  const code = resultCode(error);
  return (
    code === undefined || code === SQLITE_CONSTRAINT || code === SQLITE_TOOBIG || code === SQLITE_MISMATCH
  );
}

/** There was no room. The file is sound, and a later write may find room again. */
export function isDiskFull(error: unknown): boolean {
  return resultCode(error) === SQLITE_FULL;
}

function openFailure(error: unknown, file: string): GatewayError {
  if (error instanceof GatewayError) return error;
  if (resultCode(error) === SQLITE_BUSY) {
    return new GatewayError(
      "STORE_LOCKED",
      `Expected to be the only process that uses ${file}, but another one holds its lock. ` +
        "Stop the other process, or give this one its own data folder.",
      { cause: error },
    );
  }
  return new GatewayError("STORE_OPEN_FAILED", `Could not open ${file}: ${describe(error)}`, {
    cause: error,
  });
}

/** What SQLite or the system said; neither repeats the values of a statement. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = resultCode(error);
  return code === undefined ? error.message : `${error.message} (SQLite ${code})`;
}
