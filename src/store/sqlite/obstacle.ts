import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readlinkSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { errnoOf } from "../../shared/fault.ts";
import { describe } from "./fault.ts";

/** SQLite says little more than that it failed; this is that, and what the system says of the path. */
export function describeAt(file: string, error: unknown): string {
  const obstacle = obstacleAt(file);
  return obstacle === null ? describe(error) : `${obstacle} (${describe(error)})`;
}

/** What keeps us from writing the file, its log or beside it; null when nothing does. */
export function obstacleAt(file: string): string | null {
  const folder = dirname(file);
  const above = obstacleAbove(folder);
  if (above !== null) return above;
  for (const path of [folder, file, `${file}-wal`]) {
    const stats = look(path);
    if (stats === null) continue;
    if (typeof stats === "string") return sentence(stats, path);
    if (path !== folder && stats.isDirectory()) return `${path} is a folder, where a file was expected`;
    const code = codeOf(() => accessSync(path, constants.W_OK));
    if (code !== null) return sentence(code, path);
  }
  const code = codeOf(() => tryWriting(folder));
  return code === null ? null : sentence(code, folder);
}

/** Why there is no folder, or none can be made: told of the first thing on its path that is there. */
function obstacleAbove(folder: string): string | null {
  for (let path = folder; ; path = dirname(path)) {
    const stats = look(path);
    if (typeof stats === "string") return sentence(stats, path);
    if (stats === null) {
      const target = linkTarget(path);
      if (target !== null) return `${path} is a link to ${target}, which does not exist`;
      if (dirname(path) !== path) continue;
      return `${path} does not exist`;
    }
    if (!stats.isDirectory()) return `${path} is no folder`;
    if (path === folder) return null;
    const code = codeOf(() => accessSync(path, constants.W_OK));
    return code === null ? `${path} takes no folder` : sentence(code, path);
  }
}

/** The system's code where it does not say; null: there is nothing. */
function look(path: string): Stats | string | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    const code = errnoOf(error);
    return code === "ENOTDIR" ? null : code;
  }
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
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
    return errnoOf(error);
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
  const stats = look(path);
  if (stats === null || typeof stats === "string") return "it may not even be looked at";
  return `it belongs to user ${stats.uid}, mode ${(stats.mode & 0o7777).toString(8).padStart(4, "0")}`;
}
