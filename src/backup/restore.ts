import { existsSync, statSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isYaml } from "../config/files.ts";
import type { Deed } from "../domain/audit.ts";
import { GatewayError } from "../domain/errors.ts";
import { iso } from "../shared/time.ts";
import { fileOf, isLocked, slotsIn } from "../store/spool/slots.ts";
import { appendOffline } from "../store/sqlite/audit-offline.ts";
import { setAside } from "../store/sqlite/set-aside.ts";
import { copyFile, flushFolder } from "./copy.ts";
import { ArchiveError, describe, InUse, type Manifest } from "./manifest.ts";
import type { RedisRestored } from "./redis-restore.ts";
import { DATABASE, verifyArchive } from "./verify.ts";

export interface RestoreOptions {
  readonly archive: string;
  readonly dataDir: string;
  readonly mediaDir: string;
  /** Null: the configuration stays as it is. One that ends like YAML and is no folder is a file of agents, which is all there is. */
  readonly configFolder: string | null;
  /** Lets what waited at the backup run, though it may have been answered since. */
  readonly runsUnfinished: boolean;
  readonly nowMs: number;
  /** Where a snapshot of Redis is put back; null: it is not wanted, or there is no Redis. */
  readonly redis?: RedisPlace | null;
  /** For the audit of what is restored; absent: nobody keeps it. */
  readonly note?: { readonly id: string; readonly deed: Deed };
}

export interface RedisPlace {
  /** Throws InUse, or ArchiveError, where it may not be put there. */
  refuseUsed(): Promise<void>;
  restore(file: string): Promise<RedisRestored>;
}

export interface Restored {
  readonly manifest: Manifest;
  /** Where that lies which was there before; null: nothing was. */
  readonly before: string | null;
  /** Events that are dead letters now, because they may have been answered after the backup. */
  readonly setAside: number;
  /** How many keys of Redis were put back; null: none were. */
  readonly redisKeys: number | null;
}

/**
 * Puts an archive in the place of what is there, which is kept. The archive is checked before anything is touched; what
 * fails after that leaves what was there. Throws ArchiveError, also beside a running gateway.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { archive, dataDir, nowMs } = options;
  const manifest = await verifyArchive(archive);
  if (manifest.kind === "events")
    throw new ArchiveError(
      `Expected a backup in ${archive}, got an archive of finished events, which holds nothing that a gateway needs`,
    );
  const { configFolder } = options;
  if (configFolder !== null && isFileOfAgents(configFolder)) refuseMisfit(manifest, configFolder);
  refuseRunning(dataDir);
  const redis = manifest.redis_keys === null ? null : (options.redis ?? null);
  await redis?.refuseUsed();
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const stamp = iso(nowMs).replace(/[-:.]/g, "");
  const staging = join(dataDir, `.restoring-${stamp}`);
  const before = join(dataDir, `before-restore-${stamp}`);
  await mkdir(staging, { mode: 0o700 });
  try {
    for (const { path } of manifest.files) await copyFile(join(archive, path), join(staging, path));
    const database = join(staging, DATABASE);
    const held = existsSync(database) && !options.runsUnfinished ? setAside(database, nowMs) : 0;
    if (existsSync(database) && options.note !== undefined)
      appendOffline(database, options.note.id, options.note.deed);
    // The first look was some time ago.
    refuseRunning(dataDir);
    const put = (await redis?.restore(join(archive, SNAPSHOT))) ?? null;
    let kept: boolean;
    try {
      kept = await swap(placesOf(staging, before, options));
    } catch (error) {
      await put?.undo();
      throw error;
    }
    const setAsideThere = put?.setAside ?? 0;
    return {
      ...{ manifest, before: kept ? before : null },
      ...{ setAside: held + setAsideThere, redisKeys: put?.keys ?? null },
    };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

const SNAPSHOT = "redis/dump.rdb";

/** Throws InUse where a process has one of the files. */
export function refuseRunning(dataDir: string): void {
  const files = existsSync(dataDir)
    ? [join(dataDir, "parley.db"), ...slotsIn(dataDir).map((number) => fileOf(dataDir, number))]
    : [];
  const used = files.find((file) => existsSync(file) && isInUse(file));
  if (used === undefined) return;
  throw new InUse(`Expected no gateway to run on ${dataDir}, got one that uses ${used}; stop it first`);
}

/** One that is damaged, or whose other half has gone, is used by nobody: it may be why somebody restores. */
function isInUse(file: string): boolean {
  try {
    return isLocked(file);
  } catch (error) {
    if (error instanceof GatewayError) return false;
    throw error;
  }
}

interface Place {
  /** Restored; null: nothing of the kind is, and what is there goes aside with the rest. */
  readonly from: string | null;
  readonly to: string;
  readonly aside: string;
}

async function placesOf(staging: string, before: string, options: RestoreOptions): Promise<readonly Place[]> {
  const { dataDir, mediaDir, configFolder } = options;
  const places: Place[] = [];
  const add = (from: string, to: string, aside: string) =>
    places.push({ from: existsSync(from) ? from : null, to, aside: join(before, aside) });
  const store = await namesIn(join(staging, "store"));
  // What is in a spool that the archive does not have was acknowledged, too: it stays, unless it would be replaced.
  const own = new Set([...store, ...(store.includes("parley.db") ? DATABASE_PARTS : [])]);
  for (const name of store) if (name.startsWith("spool-")) own.add(`${name}-wal`).add(`${name}-shm`);
  for (const name of own) add(join(staging, "store", name), join(dataDir, name), name);
  if (existsSync(join(staging, "media"))) add(join(staging, "media"), mediaDir, "media");
  if (configFolder === null) return places.filter(isNeeded);
  if (isFileOfAgents(configFolder)) {
    const [name] = await namesIn(join(staging, AGENTS));
    if (name !== undefined)
      add(join(staging, AGENTS, name), configFolder, join("config", basename(configFolder)));
  } else
    for (const name of await namesIn(join(staging, "config")))
      add(join(staging, "config", name), join(configFolder, name), join("config", name));
  return places.filter(isNeeded);
}

const isNeeded = ({ from, to }: Place): boolean => from !== null || existsSync(to);

const AGENTS = "config/agents";

function isFileOfAgents(path: string): boolean {
  return isYaml(basename(path)) && statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true;
}

/** Into one file goes one file. */
function refuseMisfit({ files }: Manifest, configFile: string): void {
  const found = files.map(({ path }) => path).filter((path) => path.startsWith("config/"));
  if (found.length === 0 || (found.length === 1 && found[0]?.startsWith(`${AGENTS}/`) === true)) return;
  throw new ArchiveError(
    `Expected an archive with one file of agents for ${configFile}, got ${found.join(", ")}; give a folder as the configuration`,
  );
}

const DATABASE_PARTS = ["parley.db", "parley.db-wal", "parley.db-shm", "parley.db.closing"];

/** Aside, then into place; what cannot be put into place brings back what was aside. Gives whether anything was there. */
async function swap(planned: Promise<readonly Place[]>): Promise<boolean> {
  const places = await planned;
  const moved: Place[] = [];
  const put: Place[] = [];
  try {
    for (const place of places) {
      if (!existsSync(place.to)) continue;
      await mkdir(dirname(place.aside), { recursive: true, mode: 0o700 });
      await move(place.to, place.aside);
      moved.push(place);
    }
    for (const place of places) {
      if (place.from === null) continue;
      await mkdir(dirname(place.to), { recursive: true, mode: 0o700 });
      await move(place.from, place.to);
      put.push(place);
    }
    for (const folder of new Set(places.map(({ to }) => dirname(to)))) await flushFolder(folder);
    return moved.length > 0;
  } catch (error) {
    for (const { to } of put) await rm(to, { recursive: true, force: true });
    for (const { to, aside } of moved) await move(aside, to);
    throw new ArchiveError(
      `Could not put the archive into place, and left what was there: ${describe(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** The folders of the configuration and of files may be on other disks. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    await copyTree(from, to);
    await rm(from, { recursive: true });
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  const names = await readdir(from).catch(() => null);
  if (names === null) await copyFile(from, to);
  else for (const name of names) await copyTree(join(from, name), join(to, name));
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}
