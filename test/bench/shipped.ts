import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join, resolve } from "node:path";
import { cpuMicrosOf, nodeArgs } from "./server-process.ts";

/** `parley serve` as it is shipped: compiled, in a process of its own. */
export interface ShippedGateway {
  readonly port: number;
  readonly pid: number;
  cpuMicros(): number;
  /** Throws when it did not live until now. */
  stop(): Promise<void>;
}

const BIN = resolve(import.meta.dirname, "../../bin");

/** `behind` is a command that starts another one, in its own place; `log` a file to write the log to. */
export async function startShipped(
  env: Record<string, string>,
  { behind = [], log = "/dev/null" }: { behind?: readonly string[]; log?: string } = {},
): Promise<ShippedGateway> {
  // As `npm ci` leaves it.
  execFileSync(process.execPath, [join(BIN, "compile.js")]);
  const command = [process.execPath, ...nodeArgs(), join(BIN, "start.js"), "serve"];
  const [file = "", ...args] = [...behind, ...command];
  const output = openSync(log, "a");
  const child = spawn(file, args, {
    env: { ...process.env, PARLEY_PORT: "0", ...env },
    stdio: ["ignore", output, "pipe"],
  });
  closeSync(output);
  const exited = once(child, "exit");
  exited.catch(() => {});
  const port = await portOf(child);
  const pid = child.pid ?? 0;
  return {
    port,
    pid,
    cpuMicros: () => cpuMicrosOf(pid),
    async stop() {
      const died = child.exitCode ?? child.signalCode;
      child.kill("SIGTERM");
      await exited;
      if (died !== null) throw new Error(`Expected the gateway to live, it ended with ${died}`);
    },
  };
}

async function portOf(child: ChildProcess): Promise<number> {
  let said = "";
  for await (const chunk of child.stderr ?? []) {
    said += String(chunk);
    const port = /listens on http:\/\/\S+:(\d+)/.exec(said)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`Expected the gateway to listen, got ${said}`);
}
