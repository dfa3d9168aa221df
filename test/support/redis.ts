import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type Child, type Ending, launch } from "./child.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./ports.ts";
import { toolPath } from "./tools.ts";

export interface RedisOptions {
  /** When the append-only file is flushed; `off`: there is none. */
  readonly fsync?: "always" | "everysec" | "no" | "off";
  /** As Redis writes it, such as `20mb`; unlimited when absent. What is over it is refused, never evicted. */
  readonly maxMemory?: string;
  /** Further arguments, which win over ours. */
  readonly args?: readonly string[];
}

/** A Redis of its own on loopback: its own port and folder, no configuration from outside, gone with the test. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Where its files are. */
  readonly folder: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** What the process that runs now has logged. */
  log(): string;
  /** Resolves once that process has logged this, also when it already has. */
  said(wanted: string | RegExp): Promise<string>;
  /** SIGKILL. Resolves when it is over. */
  kill(): Promise<Ending>;
  /** SIGTERM: it saves what it has, and ends. */
  stop(): Promise<Ending>;
  /** Starts it again on the same port and folder, killing it first where it still runs. Resolves when it is ready. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT: connections stay open, and nobody answers. */
  pause(): void;
  resume(): void;
  /** It answers nobody for so long, ourselves included, and then all. */
  clientPause(durationMs: number): Promise<void>;
  flushAll(): Promise<void>;
  /** It cannot save its data to disk, and refuses writes because of that (MISCONF). Gives how to mend it. */
  failSaving(): Promise<() => Promise<void>>;
  /** One command over a connection of its own; rejects with what Redis says against it. */
  cli(command: string, ...args: readonly (string | number)[]): Promise<unknown>;
  /** Resolves once so many replicas have said that they hold all there is. */
  replicated(to: number): Promise<void>;
}

/** Other programs may take the port between our look and the start. */
const STARTS_MAX = 10;
const READY = "Ready to accept connections";

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "parley-redis-"));
  try {
    const { port, child } = await startOnFreePort((port) => commandFor(port, folder, options), READY);
    return serverOn(port, folder, child, () => commandFor(port, folder, options));
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
}

function commandFor(port: number, folder: string, options: RedisOptions): readonly string[] {
  const { fsync = "always", maxMemory = "0", args = [] } = options;
  return [
    toolPath("redis-server"),
    ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
    ...["--appendonly", fsync === "off" ? "no" : "yes", "--appendfsync", fsync === "off" ? "no" : fsync],
    ...["--maxmemory", maxMemory, "--maxmemory-policy", "noeviction"],
    // DEBUG SLEEP and its like, for tests.
    ...["--enable-debug-command", "local"],
    // A replica would else wait five seconds for others to come.
    ...["--repl-diskless-sync-delay", "0"],
    ...args,
  ];
}

/** Starts what `commandFor` gives on a free port; resolves once it has logged that it is ready. */
export async function startOnFreePort(
  commandFor: (port: number) => readonly string[],
  ready: string,
): Promise<{ readonly port: number; readonly child: Child }> {
  for (let starts = 1; ; starts++) {
    const port = await freePort();
    const child = launch(commandFor(port));
    try {
      await whenReady(child, ready);
      return { port, child };
    } catch (error) {
      if (starts === STARTS_MAX || !String(error).includes("Address already in use")) throw error;
    }
  }
}

async function whenReady(child: Child, ready: string): Promise<void> {
  const { ended, output } = child;
  await Promise.race([
    child.said("stdout", ready),
    ended.then((ending) => {
      throw new Error(`Expected a Redis, it ended with ${ending}:\n${output.stdout}${output.stderr}`);
    }),
  ]);
}

function serverOn(port: number, folder: string, first: Child, command: () => readonly string[]): RedisServer {
  let child = first;

  async function connected<T>(use: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis({ port, lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false });
    // Rejections say the same.
    client.on("error", () => {});
    try {
      await client.connect();
      return await use(client);
    } finally {
      client.disconnect();
    }
  }

  function cli(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    return connected((client) => client.call(command, ...args));
  }

  /** Not while another child writes, of which a server that also has an append-only file has one now and then. */
  async function save(): Promise<void> {
    await eventually(() => cli("BGSAVE", "SCHEDULE"), 20_000);
  }

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    folder,
    get pid() {
      return child.pid;
    },
    log: () => child.output.stdout,
    said: (wanted) => child.said("stdout", wanted),
    kill: () => child.end(),
    stop() {
      child.signal("SIGCONT");
      child.signal("SIGTERM");
      return child.ended;
    },
    async restart() {
      await child.end();
      child = launch(command());
      await whenReady(child, READY);
    },
    pause: () => child.signal("SIGSTOP"),
    resume: () => child.signal("SIGCONT"),
    async clientPause(durationMs) {
      await cli("CLIENT", "PAUSE", durationMs, "ALL");
    },
    async failSaving() {
      // Nothing can be moved to where a folder is.
      const dump = join(folder, "dump.rdb");
      rmSync(dump, { recursive: true, force: true });
      mkdirSync(join(dump, "in-the-way"), { recursive: true });
      await cli("CONFIG", "SET", "save", "3600 1");
      await save();
      await eventually(async () => {
        const info = String(await cli("INFO", "persistence"));
        if (!/rdb_last_bgsave_status:err/.test(info)) throw new Error("Expected the save to fail");
      }, 20_000);
      return async () => {
        rmSync(dump, { recursive: true, force: true });
        await save();
        await eventually(async () => {
          const info = String(await cli("INFO", "persistence"));
          if (!/rdb_last_bgsave_status:ok/.test(info)) throw new Error("Expected the save to succeed");
        }, 20_000);
        await cli("CONFIG", "SET", "save", "");
      };
    },
    async flushAll() {
      await cli("FLUSHALL");
    },
    cli,
    replicated(to) {
      const ask = () =>
        connected(async (client) => {
          // A wait covers what its own connection wrote, and this is written to replicas only.
          await client.publish("replicated", "");
          await client.wait(to, 0);
        });
      // A Sentinel that tells a server what it is cuts off its clients.
      return eventually(ask, 60_000);
    },
    async [Symbol.asyncDispose]() {
      await child.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
