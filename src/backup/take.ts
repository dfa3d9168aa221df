import { existsSync, statSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { isYaml } from "../config/files.ts";
import { GatewayError } from "../domain/errors.ts";
import { iso } from "../shared/time.ts";
import { fileOf, slotsIn } from "../store/spool/slots.ts";
import { logBytes } from "../store/sqlite/examine.ts";
import { copyFile, flushFolder } from "./copy.ts";
import { copyIdle } from "./idle-database.ts";
import { ArchiveError, type ArchiveFile, digestOf, MANIFEST, type Manifest } from "./manifest.ts";
import { DATABASE, lookInto, verifyArchive } from "./verify.ts";

/** A running gateway, which leaves its database file as it is while that is copied. */
export interface RunningGateway {
  /** The file of this identity if one of its processes has it; another one if none has. */
  hold(
    identity: string,
  ): Promise<{ readonly path: string; readonly bytes: number; readonly identity: string }>;
  /** False: the file was written to meanwhile. */
  extend(): Promise<boolean>;
  release(): Promise<boolean>;
}

export interface BackupSources {
  readonly kind: "full" | "configuration";
  readonly dataDir: string;
  readonly configFolder: string;
  /** Where files of messages are kept; null: they are not wanted, or not in a folder. */
  readonly mediaDir: string | null;
  readonly store: Manifest["store"];
  /** Writes all that Redis holds to a file and proves it readable; gives how many keys it has. Null: not wanted. */
  readonly takeRedis: ((to: string) => Promise<number>) | null;
  /** Asked only where a file is in use. */
  readonly running: RunningGateway;
}

export interface BackupOptions extends BackupSources {
  /** The folder that archives are in. */
  readonly to: string;
  readonly version: string;
  readonly nowMs: number;
}

export interface Taken {
  readonly archive: string;
  readonly manifest: Manifest;
}

/** Makes an archive and reads it back before it gets its name. Throws ArchiveError; then nothing is left of it. */
export async function takeBackup(options: BackupOptions): Promise<Taken> {
  const { to, kind, nowMs } = options;
  return await whole(to, archiveName(kind, nowMs), (partial) => fill(partial, options));
}

/** What is filled has its name once it is read back and on the disk, or is gone. */
export async function whole(
  to: string,
  name: string,
  fillIn: (partial: string) => Promise<void>,
): Promise<Taken> {
  const partial = join(to, `.partial-${name}`);
  const archive = join(to, name);
  if (existsSync(archive)) throw new ArchiveError(`Expected ${archive} to be free, got one that is there`);
  await mkdir(to, { recursive: true, mode: 0o700 });
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  try {
    await fillIn(partial);
    const manifest = await verifyArchive(partial);
    await flushFolder(partial);
    await rename(partial, archive);
    await flushFolder(to);
    return { archive, manifest };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

export const ARCHIVE_NAME = /^parley-(?:config-|events-)?\d{8}T\d{9}Z$/;

const BEGINNINGS: Readonly<Record<Manifest["kind"], string>> = {
  full: "parley-",
  configuration: "parley-config-",
  events: "parley-events-",
};

export function archiveName(kind: Manifest["kind"], nowMs: number): string {
  return `${BEGINNINGS[kind]}${iso(nowMs).replace(/[-:.]/g, "")}`;
}

async function fill(partial: string, options: BackupOptions): Promise<void> {
  const { kind, store, version, nowMs } = options;
  const files: ArchiveFile[] = [];
  const leftOut: string[] = [];
  let redisKeys: number | null = null;
  if (kind === "full") {
    files.push(...(await copyDatabases(partial, options, leftOut)));
    if (store === "redis") {
      if (options.takeRedis === null) leftOut.push("what Redis holds");
      else redisKeys = await copyRedis(options.takeRedis, partial, files);
    }
    if (options.mediaDir !== null) files.push(...(await copyMedia(options.mediaDir, partial)));
  }
  files.push(...(await copyConfiguration(options.configFolder, partial)));
  if (files.length === 0)
    throw new ArchiveError(`Expected something to back up, got nothing: ${nowhere(options)}`);
  const looked = files.some(({ path }) => path === DATABASE) ? lookInto(join(partial, DATABASE)) : null;
  const manifest: Manifest = {
    format: 1,
    kind,
    version,
    created_at: iso(nowMs),
    host: hostname(),
    store,
    events: looked?.events ?? null,
    schema_version: looked?.schemaVersion ?? null,
    redis_keys: redisKeys,
    left_out: leftOut,
    files,
  };
  await writeManifest(partial, manifest);
}

export async function writeManifest(partial: string, manifest: Manifest): Promise<void> {
  await writeFlushed(join(partial, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function copyRedis(
  take: (to: string) => Promise<number>,
  partial: string,
  files: ArchiveFile[],
): Promise<number> {
  const path = "redis/dump.rdb";
  const to = join(partial, path);
  await mkdir(join(partial, "redis"), { mode: 0o700 });
  const keys = await take(to);
  await flushFolder(join(partial, "redis"));
  files.push({ path, ...(await digestOf(to)) });
  return keys;
}

function nowhere({ dataDir, configFolder }: BackupSources): string {
  return `no database in ${dataDir}, and no configuration in ${configFolder}`;
}

async function copyDatabases(
  partial: string,
  { dataDir, store, running }: BackupSources,
  leftOut: string[],
): Promise<ArchiveFile[]> {
  const files: ArchiveFile[] = [];
  const own = join(dataDir, "parley.db");
  if (store === "sqlite" && (existsSync(own) || logBytes(own) > 0))
    files.push(...(await copyDatabase(own, DATABASE, partial, running)));
  const slots = existsSync(dataDir) ? slotsIn(dataDir) : [];
  for (const number of slots) {
    const name = `spool-${number}.db`;
    try {
      const copied = await copyDatabase(fileOf(dataDir, number), `store/${name}`, partial, running);
      if (copied.length === 0) continue;
      files.push(...copied);
    } catch (error) {
      if (!(error instanceof OfAnother)) throw error;
      leftOut.push(`${name}: another gateway uses it, and forwards what waits in it to Redis`);
      continue;
    }
    const owner = join(dataDir, `spool-${number}.owner`);
    if (existsSync(owner)) files.push(await copyInto(owner, `store/spool-${number}.owner`, partial));
  }
  return files;
}

/**
 * Nobody's, or that of the gateway which was asked. None where it was made for a process that then took another one.
 */
async function copyDatabase(
  file: string,
  path: string,
  partial: string,
  running: RunningGateway,
): Promise<readonly ArchiveFile[]> {
  const to = join(partial, path);
  try {
    await mkdir(join(partial, "store"), { recursive: true, mode: 0o700 });
    if (!copyIdle(file, to)) return [];
  } catch (error) {
    if (!(error instanceof GatewayError && error.code === "STORE_LOCKED")) throw error;
    return [{ path, ...(await copyHeld(file, to, running)) }];
  }
  await flushFolder(join(partial, "store"));
  return [{ path, ...(await digestOf(to)) }];
}

/** The gateway that was asked uses another file. */
class OfAnother extends ArchiveError {}

/** Well within the time that a gateway gives. */
const EXTENDED_EVERY_MS = 15_000;

async function copyHeld(file: string, to: string, running: RunningGateway) {
  const wanted = identityOf(file);
  const { path, bytes, identity } = await running.hold(wanted);
  const lost = () =>
    new ArchiveError(`Expected ${file} to stay as it was while it was copied, got changes; try again`);
  let isLost = false;
  const extending = setInterval(() => {
    running.extend().then(
      (isStill) => {
        isLost ||= !isStill;
      },
      () => {
        isLost = true;
      },
    );
  }, EXTENDED_EVERY_MS);
  try {
    if (identity !== wanted || identityOf(file) !== wanted)
      throw new OfAnother(
        `Expected the gateway to use ${file}, got one that uses ${path}. Run this command where the gateway runs, with ` +
          "its PARLEY_DATA_DIR.",
      );
    const copied = await copyFile(file, to, bytes);
    if (isLost || copied.bytes !== bytes) throw lost();
    clearInterval(extending);
    if (!(await running.release())) throw lost();
    return copied;
  } catch (error) {
    clearInterval(extending);
    // It ends by itself, too.
    await running.release().catch(() => false);
    throw error;
  }
}

function identityOf(file: string): string {
  const { dev, ino } = statSync(file, { bigint: true });
  return `${dev}:${ino}`;
}

/** What the gateway reads of the folder. */
async function copyConfiguration(folder: string, partial: string): Promise<ArchiveFile[]> {
  // One file of agents, which is all there is.
  if (isYaml(basename(folder)) && NAME.test(basename(folder)) && (await isFile(folder)))
    return [await copyInto(folder, `config/agents/${basename(folder)}`, partial)];
  const files: ArchiveFile[] = [];
  for (const [from, path] of [
    [folder, "config"],
    [join(folder, "agents"), "config/agents"],
  ] as const)
    for (const name of await namesIn(from))
      if (isYaml(name) && NAME.test(name))
        files.push(await copyInto(join(from, name), `${path}/${name}`, partial));
  return files;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true;
}

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** They are written once and never changed; one that is swept meanwhile is gone for the gateway, too. */
async function copyMedia(folder: string, partial: string): Promise<ArchiveFile[]> {
  const files: ArchiveFile[] = [];
  for (const conversation of await namesIn(folder)) {
    if (!DIGEST.test(conversation)) continue;
    for (const name of await namesIn(join(folder, conversation))) {
      if (!DIGEST.test(name)) continue;
      const path = `media/${conversation}/${name}`;
      const copied = await copyIfThere(join(folder, conversation, name), join(partial, path));
      if (copied !== null) files.push({ path, ...copied });
    }
  }
  return files;
}

async function copyIfThere(from: string, to: string) {
  try {
    return await copyFile(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await rm(to, { force: true });
    return null;
  }
}

const DIGEST = /^[A-Za-z0-9_-]{32}$/;

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = await readdir(folder).catch(() => []);
  return names.sort();
}

async function copyInto(from: string, path: string, partial: string): Promise<ArchiveFile> {
  return { path, ...(await copyFile(from, join(partial, path))) };
}

async function writeFlushed(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flag: "wx" });
  const file = await open(path, "r");
  await file.sync();
  await file.close();
}
