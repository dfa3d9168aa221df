import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "../../domain/errors.ts";
import type { Random } from "../../ports/clock.ts";
import type { StillFile } from "../../ports/still-file.ts";
import type { Store } from "../../ports/store.ts";
import { describe } from "../../shared/fault.ts";
import { openDatabase, openFailure } from "../sqlite/database.ts";
import { refuseLogWithoutFile } from "../sqlite/examine.ts";
import { bringBack, createFile } from "../sqlite/file.ts";
import type { Log } from "../sqlite/protocol.ts";

const SLOTS_MAX = 64;
const DEAD_MAX = 1_000;
const NAME = /^[0-9a-f]{24}$/;

/** With the file itself, where it may be copied. */
export type SpoolFile = Store & { readonly still?: StillFile };
export type OpenFile = (file: string) => Promise<SpoolFile>;

export interface Slot {
  readonly number: number;
  readonly file: string;
  readonly store: SpoolFile;
}

/** Slots that hold something which cannot be brought to the store, by their numbers, with the reason of each. */
export type Unusable = Map<number, unknown>;

/**
 * Opens the first slot that no other process has, of those whose name is known before others: a process that is started
 * again goes on under the name of its predecessor, whom the rest would wait for. Throws STORE_OPEN_FAILED.
 */
export async function takeSlot(
  folder: string,
  open: OpenFile,
  random: Random,
  log: Log,
): Promise<Slot & { owner: string; unusable: Unusable }> {
  const unusable: Unusable = new Map();
  for (const number of namedFirst(folder)) {
    const isNew = !isTaken(folder, number);
    try {
      const slot = await openSlot(folder, number, open, log);
      if (slot === null) continue;
      await using unused = new AsyncDisposableStack();
      unused.use(slot.store);
      const owner = ownerOf(folder, number, random);
      unused.move();
      return { ...slot, owner, unusable };
    } catch (error) {
      // A file that cannot even be made says that no other can; one that is damaged, or of a newer version, does not.
      if (isNew) throw error;
      log(`Could not use ${fileOf(folder, number)}: ${describe(error)}`, "error");
      unusable.set(number, error);
    }
  }
  throw new GatewayError(
    "STORE_OPEN_FAILED",
    `Expected one of ${SLOTS_MAX} spool files in ${folder} to be free, got none. Fewer processes, or another folder.`,
    { cause: unusable.values().next().value },
  );
}

/** Who looks whether a slot is free has it for that moment, so a process may have got a later one than it had to. */
function namedFirst(folder: string): readonly number[] {
  const named = new Set(readable(folder).flatMap((name) => /^spool-(\d+)\.owner$/.exec(name)?.[1] ?? []));
  const all = Array.from({ length: SLOTS_MAX }, (_, number) => number);
  const isNamed = (number: number) => named.has(String(number));
  return [...all.filter(isNamed), ...all.filter((number) => !isNamed(number))];
}

/** Null when another process has it. */
export async function openSlot(
  folder: string,
  number: number,
  open: OpenFile,
  log: (line: string) => void,
): Promise<Slot | null> {
  const file = fileOf(folder, number);
  haveFile(file, log);
  const before = identityOf(file);
  if (isLocked(file)) return null;
  const store = await opened(file, open);
  if (store === null) return null;
  await using unused = new AsyncDisposableStack();
  unused.use(store);
  // Removed by whoever had it until now: what we would write would be gone with the last handle.
  if (before === null || identityOf(file) !== before) return null;
  await reviveDead(store, file, log);
  unused.move();
  return { number, file, store };
}

function haveFile(file: string, log: (line: string) => void): void {
  try {
    if (bringBack(file)) log(`Gave ${file} its name back, which a process that ended had taken`);
    // SQLite would throw the log away with what it holds.
    refuseLogWithoutFile(file);
    createFile(file);
  } catch (error) {
    throw openFailure(error, file);
  }
}

/** What could not be forwarded gets one more try with each start: often it was a fault that a new version has not. */
async function reviveDead(store: Store, file: string, log: (line: string) => void): Promise<void> {
  const dead = await store.journal.list({ state: "dead", limit: DEAD_MAX });
  if (dead.length > 0) log(`${dead.length} events in ${file} could not be forwarded; trying again`);
  // Newest first in the list, oldest first in the lane.
  for (const { id } of dead.toReversed()) {
    await store.archive.replay(id, { by: "spool", mode: "resume", states: ["dead"] });
  }
}

async function opened(file: string, open: OpenFile): Promise<Store | null> {
  try {
    return await open(file);
  } catch (error) {
    if (isLockedError(error)) return null;
    throw error;
  }
}

/** Asked before a store is opened, because a store starts a thread only to find the same. */
export function isLocked(file: string): boolean {
  try {
    refuseLogWithoutFile(file);
    openDatabase(file, "process").close();
    return false;
  } catch (error) {
    if (isLockedError(error)) return true;
    throw error;
  }
}

function isLockedError(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "STORE_LOCKED";
}

export function slotsIn(folder: string): readonly number[] {
  return numbersIn(readdirSync(folder));
}

function numbersIn(names: readonly string[]): readonly number[] {
  const numbers = names
    .flatMap((name) => /^spool-(\d+)\.db(?:-wal|\.closing)?$/.exec(name)?.[1] ?? [])
    .map(Number);
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** Also by a log whose file has gone: it holds what was acknowledged. */
function isTaken(folder: string, number: number): boolean {
  return numbersIn(readable(folder)).includes(number);
}

/** Names of files. */
function readable(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // No folder, or none that we may look into.
  }
}

export function fileOf(folder: string, number: number): string {
  return join(folder, `spool-${number}.db`);
}

/**
 * Call it while the store is still open: its lock keeps others from using a file that is about to go. The log goes
 * first, since SQLite finds it by name, and must not find this one beside a new file.
 */
export function removeFile(file: string): void {
  rmSync(`${file}-wal`, { force: true });
  rmSync(file, { force: true });
}

/** Another file of the same name is not the same file. */
function identityOf(file: string): string | null {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`;
}

/** The name stays when the file of the slot goes, and is safe to use because the file is locked. */
function ownerOf(folder: string, number: number, random: Random): string {
  const path = join(folder, `spool-${number}.owner`);
  try {
    const kept = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
    if (NAME.test(kept)) return kept;
    const name = Array.from({ length: 24 }, () => Math.floor(random() * 16).toString(16)).join("");
    writeFileSync(`${path}.new`, `${name}\n`, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
    return name;
  } catch (error) {
    throw new GatewayError("STORE_OPEN_FAILED", `Could not keep the name of this process in ${path}`, {
      cause: error,
    });
  }
}
