import { chmodSync, readdirSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

/** Databases, spools, their logs and copies, the names of processes, the key for developers, and the folder of files. */
const OURS = /^(parley\.db|spool-\d+\.(db|owner)|dev-key(\.new)?$|media$)/;
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

/**
 * Messages are for our user alone: what others may read or write is taken from them, and said. A folder is closed
 * only when it holds nothing but ours; else it may be meant for others too, and is warned of if they may write to it.
 */
export function makeFolderPrivate(file: string, say: (line: string) => void): void {
  for (const path of openToOthers(file)) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    const wanted = stats.isDirectory() ? 0o700 : 0o600;
    const mode = modeOf(stats);
    if (stats.isDirectory() && !holdsOnlyOurs(path)) {
      say(
        `${path} has mode ${mode}, so others may replace the database; it holds other files too, and is left so`,
      );
      continue;
    }
    try {
      chmodSync(path, wanted);
      say(`${path} had mode ${mode}, open to others; it has 0${wanted.toString(8)} now`);
    } catch {
      say(`${path} has mode ${mode}, open to others, and belongs to user ${stats.uid}: change it there`);
    }
  }
}

/** The folder of a database and what of ours lies in it, where others may do what they should not. */
export function openToOthers(file: string): readonly string[] {
  if (process.platform === "win32") return [];
  const folder = dirname(file);
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isDirectory()) return [];
  const bits = holdsOnlyOurs(folder) ? OTHERS : OTHERS_WRITE;
  // A sticky one, as /tmp, lets nobody replace the files of others.
  const isOpen = (stats.mode & bits) !== 0 && (stats.mode & 0o1000) === 0;
  return [
    ...(isOpen ? [folder] : []),
    ...namesIn(folder)
      .filter((name) => OURS.test(name))
      .map((name) => join(folder, name))
      .filter((path) => {
        const found = statSync(path, { throwIfNoEntry: false });
        return found?.isFile() === true && (found.mode & OTHERS) !== 0;
      }),
  ];
}

function holdsOnlyOurs(folder: string): boolean {
  const names = namesIn(folder);
  return names.length > 0 && names.every((name) => OURS.test(name));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
