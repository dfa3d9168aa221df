import type { Database, OpenDatabase, Statement } from "../../src/store/sqlite/database.ts";
import { openDatabase } from "../../src/store/sqlite/database.ts";

/** SQLite with something around each commit. */
export function aroundCommits(around: <T>(commit: () => T) => T): OpenDatabase {
  return (file, durability) => {
    const db = openDatabase(file, durability);
    return {
      get inTransaction() {
        return db.inTransaction;
      },
      exec: (sql) => db.exec(sql),
      close: () => db.close(),
      prepare<Row>(sql: string): Statement<Row> {
        const statement = db.prepare<Row>(sql);
        if (sql !== "COMMIT") return statement;
        return {
          run: () => around(() => statement.run()),
          get: () => statement.get(),
          all: () => statement.all(),
        };
      },
    };
  };
}

/** What happens to the next commits and openings; each counts down as it happens. */
export interface Trouble {
  /** Commits whose flush fails before anything is kept. */
  commitsLost: number;
  /** Commits that are kept, though their flush is reported as failed. */
  commitsDoubted: number;
  opensRefused: number;
}

/** SQLite on a disk that fails when told to. */
export function failingDisk(): {
  open: OpenDatabase;
  trouble: Trouble;
  /** Makes the disk full at so many pages. */
  setPagesMax(pages: number): void;
} {
  const trouble: Trouble = { commitsLost: 0, commitsDoubted: 0, opensRefused: 0 };
  let current: Database | undefined;
  const open = aroundCommits((commit) => {
    if (trouble.commitsLost > 0) {
      trouble.commitsLost--;
      throw flushFailed();
    }
    const result = commit();
    if (trouble.commitsDoubted > 0) {
      trouble.commitsDoubted--;
      throw flushFailed();
    }
    return result;
  });
  return {
    trouble,
    setPagesMax: (pages) => current?.exec(`PRAGMA max_page_count = ${pages}`),
    open(file, durability) {
      if (trouble.opensRefused > 0) {
        trouble.opensRefused--;
        throw flushFailed();
      }
      current = open(file, durability);
      return current;
    },
  };
}

/** As SQLite reports SQLITE_IOERR_FSYNC. */
function flushFailed(): Error {
  return Object.assign(new Error("disk I/O error"), { errcode: 1034 });
}
