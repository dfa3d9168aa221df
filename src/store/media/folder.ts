import { randomUUID } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../ports/clock.ts";
import {
  type KeptFile,
  type Media,
  type MediaKey,
  MediaRefused,
  type MediaUsage,
} from "../../ports/media.ts";
import { messageOf } from "../../shared/fault.ts";
import { digest } from "./digest.ts";

export interface MediaFolderOptions {
  readonly folder: string;
  /** Of all files together. */
  readonly bytesMax: number;
  /** No other process writes here: what was begun before is nobody's. */
  readonly isOwn: boolean;
  readonly clock: Pick<Clock, "nowMs">;
}

/** What has been begun for so long was given up: no download takes as long. */
const HALF_FILE_MS = 600_000;
/** Files that are empty or nearly so cost a place on the disk, too. */
const FILES_MAX = 200_000;
const TRIAL = new Uint8Array(4_096);
const INCOMING = ".incoming";
const PRIVATE_FOLDER = { recursive: true, mode: 0o700 } as const;

/**
 * Files in a folder of their own: `<conversation>/<file>`, each name a digest, so that nothing from outside is in a path. A
 * file is written beside, flushed, and moved to its place whole.
 */
export async function openMediaFolder(options: MediaFolderOptions): Promise<Media> {
  await mkdir(join(options.folder, INCOMING), PRIVATE_FOLDER);
  const media = new MediaFolder(options);
  if (options.isOwn) await media.dropHalfFiles(0);
  await foldersIn(options.folder);
  return media;
}

class MediaFolder implements Media {
  readonly place: string;
  readonly #options: MediaFolderOptions;
  /** As counted last, and what this process has added since. */
  #used: MediaUsage = { files: 0, bytes: 0 };
  /** There may be many: nobody's start waits for it, but the first file that is kept. */
  #counted: Promise<unknown> | null = null;

  constructor(options: MediaFolderOptions) {
    this.#options = options;
    this.place = `the folder ${options.folder}`;
  }

  async put(key: MediaKey, bytes: AsyncIterable<Uint8Array>, bytesMax: number): Promise<number> {
    const target = this.#pathOf(key);
    const there = await sizeOf(target);
    if (there !== null) return there;
    await this.#known();
    const half = await this.#newHalf();
    try {
      const size = await this.#write(half, bytes, bytesMax);
      await onDisk(mkdir(this.#folderOf(key.conversation), PRIVATE_FOLDER));
      await onDisk(rename(half, target));
      await flushFolder(this.#folderOf(key.conversation));
      return size;
    } catch (error) {
      await rm(half, { force: true });
      throw error;
    }
  }

  /** Somebody may have deleted the folder: what it held was copied from elsewhere, so a new one will do. */
  async #newHalf(): Promise<string> {
    const folder = join(this.#options.folder, INCOMING);
    await onDisk(mkdir(folder, PRIVATE_FOLDER));
    return join(folder, randomUUID());
  }

  async find(key: MediaKey): Promise<KeptFile | null> {
    const path = this.#pathOf(key);
    const sizeBytes = await sizeOf(path);
    return sizeBytes === null ? null : { sizeBytes, read: () => readOf(path) };
  }

  async forget(conversation: string, id?: string): Promise<void> {
    if (id === undefined) await rm(this.#folderOf(conversation), { recursive: true, force: true });
    else await rm(this.#pathOf({ conversation, id }), { force: true });
  }

  async sweep(keptMs: number): Promise<number> {
    const beforeMs = this.#options.clock.nowMs() - keptMs;
    await this.#tryOut();
    await this.dropHalfFiles(HALF_FILE_MS);
    let gone = 0;
    const left = { files: 0, bytes: 0 };
    for await (const file of this.#files()) {
      if (file.atMs < beforeMs) {
        await rm(file.path, { force: true });
        gone++;
      } else {
        left.files++;
        left.bytes += file.bytes;
      }
    }
    for (const folder of await foldersIn(this.#options.folder)) await removeIfEmpty(folder);
    this.#used = left;
    return gone;
  }

  /** Counts what is there: others may write to the folder, too. */
  async usage(): Promise<MediaUsage> {
    let files = 0;
    let bytes = 0;
    for await (const file of this.#files()) {
      files++;
      bytes += file.bytes;
    }
    this.#used = { files, bytes };
    return this.#used;
  }

  async dropHalfFiles(olderThanMs: number): Promise<void> {
    const folder = join(this.#options.folder, INCOMING);
    const beforeMs = this.#options.clock.nowMs() - olderThanMs;
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
      if (olderThanMs === 0 || mtimeMs < beforeMs) await unlink(path).catch(() => {});
    }
  }

  /** Before a message brings a file is when an operator wants to know. An empty one has room on a full disk, too. */
  async #tryOut(): Promise<void> {
    const half = await this.#newHalf();
    try {
      await onDisk(writeFile(half, TRIAL));
    } finally {
      await rm(half, { force: true });
    }
  }

  #known(): Promise<unknown> {
    this.#counted ??= onDisk(this.usage()).catch((error: unknown) => {
      this.#counted = null;
      throw error;
    });
    return this.#counted;
  }

  /** Whole, flushed, and counted. */
  async #write(path: string, bytes: AsyncIterable<Uint8Array>, bytesMax: number): Promise<number> {
    const file = await onDisk(open(path, "wx", 0o600));
    try {
      let size = 0;
      for await (const chunk of bytes) {
        size += chunk.length;
        if (size > bytesMax) throw new MediaRefused("too-large", `Larger than ${bytesMax} bytes`);
        this.#makeRoom(size);
        await onDisk(writeAll(file, chunk));
      }
      this.#makeRoom(size);
      const now = this.#options.clock.nowMs() / 1000;
      await onDisk(file.utimes(now, now));
      await onDisk(file.sync());
      this.#used = { files: this.#used.files + 1, bytes: this.#used.bytes + size };
      return size;
    } finally {
      await file.close();
    }
  }

  #makeRoom(size: number): void {
    const { bytesMax } = this.#options;
    if (this.#used.bytes + size > bytesMax || this.#used.files >= FILES_MAX)
      throw new MediaRefused("full", `No room: all files together may have ${bytesMax} bytes`);
  }

  async *#files(): AsyncGenerator<{ path: string; bytes: number; atMs: number }> {
    for (const folder of await foldersIn(this.#options.folder)) {
      for (const name of await readdir(folder).catch(() => [])) {
        const path = join(folder, name);
        const found = await stat(path).catch(() => null);
        if (found?.isFile()) yield { path, bytes: found.size, atMs: found.mtimeMs };
      }
    }
  }

  #folderOf(conversation: string): string {
    return join(this.#options.folder, digest(conversation));
  }

  #pathOf({ conversation, id }: MediaKey): string {
    return join(this.#folderOf(conversation), digest(id));
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== INCOMING)
    .map(({ name }) => join(folder, name));
}

/** Somebody may put a file into it at this moment: then it stays. */
async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch(() => {});
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; )
    written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
}

/** A rename is on the disk once its folder is. */
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => null);
  try {
    await folder?.sync();
  } catch {
    // Not every system flushes folders, and those that do not need not.
  } finally {
    await folder?.close();
  }
}

async function sizeOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() ? found.size : null;
}

async function* readOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path);
  } catch (error) {
    throw refusalOf(error);
  }
}

/** What the disk does not do is another matter than a download that breaks off, whose faults have codes like it. */
async function onDisk<T>(doing: Promise<T>): Promise<T> {
  try {
    return await doing;
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): MediaRefused {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT")
    return new MediaRefused("full", "The disk of the files is full");
  return new MediaRefused("failed", `The folder of the files cannot be used: ${code ?? messageOf(error)}`);
}
