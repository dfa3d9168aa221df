import { constants, type Stats } from "node:fs";
import { lstat, mkdir, mkdtemp, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ToolFault } from "../domain/tool-fault.ts";
import type { FoundFile, LeftFile, ToolOutput } from "../ports/tool.ts";
import { FILES_MAX, LEFT_BYTES_MAX } from "./bounds.ts";
import { typeByName } from "./file-types.ts";
import { reasonOf } from "./mcp/faults.ts";

const PREFIX = "files-";
/** Longer than any call may take: of a process that was killed. */
const STALE_MS = 2 * 3_600_000;

/** Runs it with a folder for what it makes for people, in which no file of any other call ever is. `folder`: of the tool. */
export async function withFiles(
  folder: string,
  nowMs: number,
  run: (files: string) => Promise<ToolOutput>,
): Promise<ToolOutput> {
  const own = await filesFolder(folder, nowMs).catch((error: unknown) => {
    const what = `there is no folder for its files: ${reasonOf(error)}`;
    throw new ToolFault(what, { mayHaveRun: false, isPassing: false, cause: error });
  });
  const made = await lstat(own);
  try {
    const output = await run(own);
    const files = output.isError || !(await isStill(own, made)) ? [] : await leftFiles(own);
    return files.length === 0 ? output : { ...output, files };
  } finally {
    await rm(own, { recursive: true, force: true }).catch(() => {});
  }
}

/** A program in a sandbox may put a link in its place, to what it may not see itself: we are in no sandbox. */
async function isStill(path: string, { dev, ino }: Stats): Promise<boolean> {
  const now = await lstat(path).catch(() => null);
  return now?.isDirectory() === true && now.dev === dev && now.ino === ino;
}

async function filesFolder(folder: string, nowMs: number): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await removeStale(folder, nowMs);
  return await mkdtemp(join(folder, PREFIX));
}

async function removeStale(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found !== null && nowMs - found.mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true });
  }
}

/**
 * The files that stand in it, by their names: no folders, no links, none that is hidden. Whoever has written them may have ended,
 * or not: what is read is what was opened.
 */
async function leftFiles(folder: string): Promise<readonly (FoundFile | LeftFile)[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.flatMap((entry) =>
    entry.isFile() && !entry.name.startsWith(".") ? [entry.name] : [],
  );
  const files: (FoundFile | LeftFile)[] = [];
  let leftBytes = LEFT_BYTES_MAX;
  for (const name of names.sort().slice(0, FILES_MAX)) {
    const data = await read(join(folder, name), leftBytes);
    if (data === "gone") continue;
    if (data === "too large") files.push({ name, why: TOO_LARGE });
    else files.push({ name, mime: typeByName(name, data), data });
    leftBytes -= data === "too large" ? 0 : data.length;
  }
  return files;
}

const TOO_LARGE = `all that one call leaves may have ${LEFT_BYTES_MAX / 2 ** 20} MiB together`;

async function read(path: string, bytesMax: number): Promise<Buffer | "gone" | "too large"> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => null,
  );
  if (file === null) return "gone";
  try {
    const found = await file.stat();
    if (!found.isFile()) return "gone";
    const { size } = found;
    if (size > bytesMax) return "too large";
    const data = Buffer.alloc(size);
    const { bytesRead } = await file.read(data, 0, size, 0);
    return data.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
