import { accessSync, closeSync, constants, openSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe } from "./database.ts";

/** SQLite says little more than that it failed; this is that, and what the system says of the path. */
export function describeAt(file: string, error: unknown): string {
  const obstacle = obstacleAt(file);
  return obstacle === null ? describe(error) : `${obstacle} (${describe(error)})`;
}

/** What keeps us from writing the file, its log or beside it; null when nothing does. */
export function obstacleAt(file: string): string | null {
  const folder = dirname(file);
  for (const path of [folder, file, `${file}-wal`]) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (path !== folder && stats.isDirectory()) return `${path} is a folder, where a file was expected`;
    if (path === folder && !stats.isDirectory()) return `${path} is no folder`;
    const code = codeOf(() => accessSync(path, constants.W_OK));
    if (code !== null) return sentence(code, path);
  }
  const code = codeOf(() => tryWriting(folder));
  return code === null ? null : sentence(code, folder);
}

const PROBE = new Uint8Array(16_384);

/** As much as a commit, because quotas and full disks are only found by writing. */
function tryWriting(folder: string): void {
  const probe = join(folder, `.parley-probe-${process.pid}`);
  const fd = openSync(probe, "w", 0o600);
  try {
    writeSync(fd, PROBE);
  } finally {
    closeSync(fd);
    rmSync(probe, { force: true });
  }
}

function codeOf(attempt: () => void): string | null {
  try {
    attempt();
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "an error";
  }
}

function sentence(code: string, path: string): string {
  switch (code) {
    case "EROFS":
      return `${path} is on a read-only file system`;
    case "EACCES":
    case "EPERM":
      return `${path} is read-only for ${whoWeAre()}: ${ownerOf(path)}`;
    case "ENOSPC":
      return `the disk of ${path} is full`;
    case "EDQUOT":
      return `the disk quota of ${whoWeAre()} on ${path} is used up`;
    case "ENOENT":
      return `${path} does not exist`;
    default:
      return `${path} cannot be written: ${code}`;
  }
}

function whoWeAre(): string {
  return process.getuid === undefined ? "this user" : `user ${process.getuid()}`;
}

function ownerOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return "nobody knows why";
  return `it belongs to user ${stats.uid}, mode ${(stats.mode & 0o7777).toString(8).padStart(4, "0")}`;
}
