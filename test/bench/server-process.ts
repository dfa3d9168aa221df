import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A server under test in a process of its own. */
export interface ServerProcess {
  readonly port: number;
  readonly pid: number;
  cpuMicros(): number;
  rssBytes(): number;
  stop(): Promise<void>;
}

const TICK_MICROS = 10_000;

/** Processor time that a process has used so far, all threads, in microseconds (in steps of a clock tick, 10 ms). */
export function cpuMicrosOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
}

/** For Node, of every server under test: `--cpu-prof`, say. */
export function nodeArgs(): readonly string[] {
  return process.env.BENCH_NODE_ARGS?.split(" ") ?? [];
}

/** Starts `node script`, perhaps behind a command that starts another, and waits for its line `listening PORT`. */
export async function startServer(
  script: string,
  options: { env?: Record<string, string>; behind?: readonly string[] } = {},
): Promise<ServerProcess> {
  const command = [process.execPath, ...nodeArgs(), join(import.meta.dirname, script)];
  const [file = "", ...args] = [...(options.behind ?? []), ...command];
  const child = spawn(file, args, {
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await listeningPort(child);
  // The log goes on; a pipe that nobody reads would fill, and the server keep in memory what it cannot write.
  child.stdout?.resume();
  const pid = child.pid ?? 0;
  return {
    port,
    pid,
    cpuMicros: () => cpuMicrosOf(pid),
    rssBytes: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024,
    stop() {
      const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill("SIGTERM");
      return gone;
    },
  };
}

async function listeningPort(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error("The server process has no output");
  const lines = createInterface({ input: child.stdout });
  const died = new Promise<never>((_, reject) => {
    child.once("exit", (code) =>
      reject(new Error(`The server process ended with ${code} before it listened`)),
    );
  });
  died.catch(() => {});
  const heard = (async () => {
    for await (const line of lines) {
      const port = /^listening (\d+)$/.exec(line)?.[1];
      if (port !== undefined) return Number(port);
    }
    throw new Error("The server process said no port");
  })();
  return await Promise.race([heard, died]);
}
