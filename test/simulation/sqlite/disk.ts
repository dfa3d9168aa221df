import { type OpenDatabase, openDatabase } from "../../../src/store/sqlite/database.ts";
import type { DiskFate } from "../faults.ts";

const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;

class DiskError extends Error {
  readonly errcode: number;

  constructor(message: string, errcode: number) {
    super(message);
    this.errcode = errcode;
  }
}

/** SQLite on a disk whose flushes fail as told. */
export function openOn(disk: () => DiskFate): OpenDatabase {
  return (file, durability) => {
    const db = openDatabase(file, durability);
    return {
      get inTransaction() {
        return db.inTransaction;
      },
      prepare: <Row>(sql: string) => {
        const statement = db.prepare<Row>(sql);
        if (sql !== "COMMIT") return statement;
        const run = (...values: Parameters<typeof statement.run>) =>
          flushed(disk(), () => statement.run(...values));
        return {
          run,
          get: (...values) => statement.get(...values),
          all: (...values) => statement.all(...values),
        };
      },
      exec: (sql) => flushed(sql === "COMMIT" ? disk() : "ok", () => db.exec(sql)),
      close: () => db.close(),
    };
  };
}

function flushed<T>(fate: DiskFate, flush: () => T): T {
  if (fate === "full") throw new DiskError("the simulated disk is full", SQLITE_FULL);
  if (fate === "failed") throw new DiskError("the simulated disk failed", SQLITE_IOERR);
  const result = flush();
  if (fate === "landed") throw new DiskError("the simulated disk failed late", SQLITE_IOERR);
  return result;
}
