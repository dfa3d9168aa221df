import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { GatewayError } from "../../domain/errors.ts";
import { describe, isLocked, isPageDamaged } from "./fault.ts";
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

/**
 * For reading a file that nobody writes to now. It takes no lock, and makes nothing beside it; the lock that this process has on
 * it stays, because SQLite keeps a handle that shares one open as long as that.
 */
export function openStill(file: string): Database {
  const url = pathToFileURL(file);
  url.searchParams.set("immutable", "1");
  return wrap(new DatabaseSync(url, { readOnly: true }));
}

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

export function openFailure(error: unknown, file: string): GatewayError {
  if (error instanceof GatewayError) return error;
  if (isPageDamaged(error)) {
    const { code, message } = damaged(file, describe(error));
    return new GatewayError(code, message, { cause: error });
  }
  if (isLocked(error)) {
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
