import { spawn } from "node:child_process";
import { link, mkdtemp, copyFile as plainCopy, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ArchiveError } from "./manifest.ts";

const READY_WORDS = /ready to accept connections/i;
const KEYS_WORDS = /keys loaded: (\d+)/;
const SAID_CHARS_MAX = 64 * 1024;

/**
 * Lets a Redis server of its own, which nobody can reach, load a snapshot. Gives how many keys it has. Throws ArchiveError
 * where the server does not come to its end with it, or there is none.
 */
export async function proveSnapshot(file: string, server: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "parley-rdb-"));
  try {
    // Linked where that can be: a snapshot may be large.
    const loaded = join(folder, "dump.rdb");
    await link(file, loaded).catch(async () => await plainCopy(file, loaded));
    return await load(folder, server, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function load(folder: string, server: string, file: string): Promise<number> {
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
    return await new Promise<number>((resolve, reject) => {
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
  } finally {
    child.kill("SIGKILL");
  }
}

function lastLine(said: string): string {
  return said.trim().split("\n").at(-1)?.slice(0, 300) ?? "nothing";
}
