import { statSync } from "node:fs";
import type { Soundness } from "../../ports/upkeep.ts";
import { openDatabase } from "./database.ts";
import { refuseLogWithoutFile } from "./examine.ts";
import { bringBack, closeAsItIs } from "./file.ts";
import { readVersion, refuseNewer } from "./migrations.ts";
import { soundnessOf } from "./survey.ts";

/** Reads a whole file that no process uses, and leaves it and its log as they are. Throws STORE_*, STORE_LOCKED where one does. */
export function surveyFile(file: string): Soundness {
  bringBack(file);
  refuseLogWithoutFile(file);
  const db = openDatabase(file, "power");
  try {
    refuseNewer(readVersion(db), file);
    return soundnessOf(db);
  } finally {
    closeAsItIs(db, file);
  }
}

/** Writes a file that no process uses anew, without gaps. Throws STORE_*, or what SQLite says. Gives its size before and after. */
export function vacuumFile(file: string): { readonly before: number; readonly after: number } {
  bringBack(file);
  refuseLogWithoutFile(file);
  const db = openDatabase(file, "power");
  try {
    refuseNewer(readVersion(db), file);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const before = statSync(file).size;
    db.exec("VACUUM");
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return { before, after: statSync(file).size };
  } finally {
    db.close();
  }
}
