import { spawn } from "node:child_process";
import { link, mkdtemp, copyFile as plainCopy, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ArchiveError } from "./manifest.ts";

const READY_WORDS = /ready to accept connections/i;
const KEYS_WORDS = /keys loaded: (\d+)/;
const SAID_CHARS_MAX = 64 * 1024;

/** Gives how many keys a snapshot has, by a Redis server of its own that loads it. Throws ArchiveError, see `withSnapshot`. */
export async function proveSnapshot(file: string, server: string): Promise<number> {
  return await withSnapshot(file, server, async ({ keys }) => keys);
}

/** A Redis server that has loaded a snapshot. */
export interface Loaded {
  /** Of its socket. */
  readonly path: string;
  readonly keys: number;
}

/**
 * Lets a Redis server of its own, which nobody else can reach, load a snapshot, and works with it until that is done; the
 * snapshot stays as it is. Throws ArchiveError where the server does not come to its end with it, or there is none.
 */
export async function withSnapshot<T>(
  file: string,
  server: string,
  work: (loaded: Loaded) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "parley-rdb-"));
  try {
    // Linked where that can be: a snapshot may be large.
    const loaded = join(folder, "dump.rdb");
    await link(file, loaded).catch(async () => await plainCopy(file, loaded));
    return await load(folder, server, file, work);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function load<T>(
  folder: string,
  server: string,
  file: string,
  work: (loaded: Loaded) => Promise<T>,
): Promise<T> {
  const args = [
    "--port",
    "0",
    "--unixsocket",
    join(folder, "s"),
    "--dir",
    folder,
    "--dbfilename",
    "dump.rdb",
  ];
  const child = spawn(server, [...args, "--appendonly", "no", "--save", "", "--daemonize", "no"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const named = `${basename(dirname(file))}/${basename(file)}`;
  let said = "";
  try {
    const keys = await new Promise<number>((resolve, reject) => {
      const fail = (what: string) =>
        reject(new ArchiveError(`Expected ${server} to load ${named}, got ${what}`));
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => {
          said = (said + text).slice(-SAID_CHARS_MAX);
          if (READY_WORDS.test(said)) resolve(Number(KEYS_WORDS.exec(said)?.[1] ?? 0));
        });
      child.once("error", (error: NodeJS.ErrnoException) =>
        fail(
          error.code === "ENOENT"
            ? "no such program; install Redis here, or see --redis-server"
            : error.message,
        ),
      );
      child.once("exit", (code) => fail(`an end with ${code}: ${lastLine(said)}`));
    });
    return await work({ path: join(folder, "s"), keys });
  } finally {
    child.kill("SIGKILL");
  }
}

function lastLine(said: string): string {
  return said.trim().split("\n").at(-1)?.slice(0, 300) ?? "nothing";
}
