import { GatewayError } from "../../domain/errors.ts";

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

/** Another process has the file's lock. */
export function isLocked(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY;
}

/** Of a file that is one of SQLite's; one that is none at all is not damaged, but another. */
export function isPageDamaged(error: unknown): boolean {
  return resultCode(error) === SQLITE_CORRUPT;
}

/** What SQLite or the system said; neither repeats the values of a statement. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = resultCode(error);
  return code === undefined ? error.message : `${error.message} (SQLite ${code})`;
}
