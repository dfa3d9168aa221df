import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  statfsSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { GatewayError } from "../../domain/errors.ts";
import { messageOf } from "../../shared/fault.ts";
import { describeAt } from "./obstacle.ts";

/** File system types, as Linux numbers them, on which locks or flushes cannot be trusted. */
const DOUBTFUL: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x65735546, "FUSE"],
  [0x01021997, "9P"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x0bd00bd0, "Lustre"],
  [0x01021994, "tmpfs, which is memory"],
]);

/**
 * Creates the folder (0700) and the file (0600) where they do not exist; messages are private.
 * An existing file is not opened here: closing a second handle would drop the locks of the first in this process.
 * Gives whether the file is a new one.
 */
export function createFile(file: string): boolean {
  try {
    makeFolder(dirname(file));
    closeSync(openSync(file, "wx", 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new GatewayError("STORE_OPEN_FAILED", `Could not create ${file}: ${describeAt(file, error)}`, {
      cause: error,
    });
  }
}

/** One after the other: the recursive mkdir of Node never ends where no folder can be made and none is there (/proc). */
function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been as quick.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !isFolder(folder))
      throw new NoFolder(folder, error);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Not to be taken for a file that is there already. */
class NoFolder extends Error {
  constructor(folder: string, cause: unknown) {
    super(`${folder} cannot be made: ${messageOf(cause)}`, { cause });
  }
}

/** A warning when the file lies where a power cut or a second machine could harm it; null when nothing is known. */
export function fileSystemWarning(file: string): string | null {
  if (process.platform !== "linux") return null;
  try {
    const name = DOUBTFUL.get(statfsSync(dirname(file)).type);
    if (name === undefined) return null;
    return `${file} is on ${name}; locks and flushes are not reliable there. Use a local disk.`;
  } catch {
    return null;
  }
}

export function makePrivate(file: string): void {
  chmodSync(file, 0o600);
}

/** Size on disk with the write-ahead log, in bytes. */
export function sizeBytes(file: string): number {
  const size = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return size(file) + size(`${file}-wal`);
}

/**
 * Closes a file that is damaged and leaves it and its log as they are. SQLite would copy the log into the file, and
 * with it whatever is wrong in it; but not into a file that has another name by then.
 */
export function closeAsItIs(db: { close(): void }, file: string): void {
  const aside = asideOf(file);
  let isAside = false;
  try {
    renameSync(file, aside);
    isAside = true;
  } catch {
    // A folder that takes no changes takes none from SQLite either.
  }
  try {
    db.close();
  } finally {
    if (isAside) bringBack(file);
  }
}

/** Gives a file its name back that was to be closed as it is: by whoever closed it, or by the next who opens it. */
export function bringBack(file: string): boolean {
  const aside = asideOf(file);
  if (existsSync(file) || !existsSync(aside)) return false;
  renameSync(aside, file);
  return true;
}

function asideOf(file: string): string {
  return `${file}.closing`;
}
