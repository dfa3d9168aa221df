import { openDatabase } from "../store/sqlite/database.ts";
import { refuseLogWithoutFile } from "../store/sqlite/examine.ts";
import { bringBack, closeAsItIs, makePrivate } from "../store/sqlite/file.ts";

/**
 * Copies a database that no process uses, its log included, and leaves both as they are. False: it was
 * made, and nothing has been in it yet. Throws STORE_LOCKED where a process uses it.
 */
export function copyIdle(file: string, to: string): boolean {
  bringBack(file);
  refuseLogWithoutFile(file);
  const db = openDatabase(file, "power");
  try {
    if (db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined) return false;
    db.prepare("VACUUM INTO ?").run(to);
    makePrivate(to);
    return true;
  } finally {
    closeAsItIs(db, file);
  }
}
