import { closeSync, openSync, readSync, statSync } from "node:fs";
import { GatewayError } from "../../domain/errors.ts";
import { type Database, openDatabase } from "./database.ts";
import { describe } from "./fault.ts";
import { bringBack, closeAsItIs } from "./file.ts";
import { readVersion, refuseNewer } from "./migrations.ts";
import { damaged } from "./watch.ts";

/** A quarter of a gigabyte is checked in about a second. */
const CHECKED_BYTES_MAX = 256 * 1024 * 1024;
/** After an end that was not in order, a start may take ten. */
const CHECKED_BYTES_MAX_UNCLEAN = 2 * 1024 * 1024 * 1024;
const FINDINGS_MAX = 3;
/** Small however large the file is, and what all work goes by. */
const WORKING_TABLES = ["waiting", "progress", "meta"] as const;

/** Bytes of the log that the last process left behind; 0 after an end in order. */
export function logBytes(file: string): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Before anything is opened: a log whose file is missing or empty holds what was acknowledged, and SQLite would throw
 * it away to begin anew.
 */
export function refuseLogWithoutFile(file: string): void {
  const left = logBytes(file);
  const stats = statSync(file, { throwIfNoEntry: false });
  if (left === 0 || (stats !== undefined && stats.size > 0)) return;
  throw new GatewayError(
    "STORE_DAMAGED",
    `Expected ${file} beside its log of ${left} bytes, got ${stats === undefined ? "no file" : "an empty file"}. ` +
      "The log holds what was acknowledged last and means nothing without its file: restore the file, or, to begin " +
      `anew without both, move ${file}-wal away.`,
  );
}

/** Throws STORE_DAMAGED. The pages and rows of the whole file, or of what all work goes by when it is a large one. */
export function examine(db: Database, file: string, isUnclean: boolean, log: (line: string) => void): void {
  const bytes = statSync(file).size;
  const max = isUnclean ? CHECKED_BYTES_MAX_UNCLEAN : CHECKED_BYTES_MAX;
  const isWhole = bytes <= max;
  for (const table of isWhole ? [undefined] : WORKING_TABLES) refuseDamaged(file, quickCheck(db, table));
  if (isUnclean && !isWhole) log(`${file} is too large to be checked whole at a start; parley doctor does`);
}

/** What SQLite finds wrong, at most a few lines; null: nothing. */
export function quickCheck(db: Database, table?: string): string | null {
  try {
    const rows = db.prepare<{ quick_check: string }>(`PRAGMA quick_check(${table ?? FINDINGS_MAX})`).all();
    const findings = rows.map((row) => row.quick_check).filter((finding) => finding !== "ok");
    return findings.length === 0 ? null : findings.slice(0, FINDINGS_MAX).join("; ").replace(/\s+/g, " ");
  } catch (error) {
    return describe(error);
  }
}

function refuseDamaged(file: string, finding: string | null): void {
  if (finding === null) return;
  const { code, message } = damaged(file, finding);
  throw new GatewayError(code, message);
}

const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const SALT_BYTES = 8;
/** What is broken may be the very salt of the first ones. */
const FRAMES_LOOKED_AT = 64;

/**
 * Whether the log goes on after the last frame that SQLite could read: frames of the same log, told by their salt. A
 * power cut leaves such a rest of what it never acknowledged; so does damage, of what it did.
 */
export function unreadableRest(file: string, pageBytes: number, framesRead: number): boolean {
  let fd: number;
  try {
    fd = openSync(`${file}-wal`, "r");
  } catch {
    return false;
  }
  try {
    const salt = Buffer.alloc(SALT_BYTES);
    const frame = Buffer.alloc(SALT_BYTES);
    if (readSync(fd, salt, 0, SALT_BYTES, 16) < SALT_BYTES) return false;
    for (let n = framesRead; n < framesRead + FRAMES_LOOKED_AT; n++) {
      const at = LOG_HEADER_BYTES + n * (FRAME_HEADER_BYTES + pageBytes) + 8;
      if (readSync(fd, frame, 0, SALT_BYTES, at) < SALT_BYTES) return false;
      if (salt.equals(frame)) return true;
    }
    return false;
  } finally {
    closeSync(fd);
  }
}

/** With what a process that was killed has left in the log. Throws STORE_*, STORE_LOCKED where one uses the file. */
export function versionOfIdle(file: string): number {
  bringBack(file);
  refuseLogWithoutFile(file);
  const db = openDatabase(file, "power");
  try {
    return readVersion(db);
  } finally {
    closeAsItIs(db, file);
  }
}

/** For a look from outside: the whole file, however long that takes, and nothing of it is changed. Throws STORE_*. */
export function inspectFile(file: string): void {
  bringBack(file);
  refuseLogWithoutFile(file);
  const db = openDatabase(file, "power");
  try {
    refuseDamaged(file, quickCheck(db));
    refuseNewer(readVersion(db), file);
  } finally {
    closeAsItIs(db, file);
  }
}
