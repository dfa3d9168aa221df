import { openDatabase } from "../store/sqlite/database.ts";
import { refuseLogWithoutFile } from "../store/sqlite/examine.ts";
import { bringBack, closeAsItIs, makePrivate } from "../store/sqlite/file.ts";

/** Copies a database that no process uses, its log included, and leaves both as they are. Throws STORE_LOCKED where one does. */
export function copyIdle(file: string, to: string): void {
  bringBack(file);
  refuseLogWithoutFile(file);
  const db = openDatabase(file, "power");
  try {
    db.prepare("VACUUM INTO ?").run(to);
    makePrivate(to);
  } finally {
    closeAsItIs(db, file);
  }
}
