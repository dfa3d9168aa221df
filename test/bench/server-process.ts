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

/** Starts `node script` and waits for its line `listening PORT`. */
export async function startServer(
  script: string,
  options: { env?: Record<string, string> } = {},
): Promise<ServerProcess> {
  const args = process.env.BENCH_NODE_ARGS?.split(" ") ?? [];
  const child = spawn(process.execPath, [...args, join(import.meta.dirname, script)], {
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
