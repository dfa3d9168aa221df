import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { cpuMicrosOf } from "./server-process.ts";

/** `parley serve` as it is shipped, in a process whose memory the kernel bounds where the machine lets us. */
export interface BoundedGateway {
  readonly port: number;
  readonly pid: number;
  /** Whether the kernel kills it above the bound. */
  readonly isBounded: boolean;
  cpuMicros(): number;
  /** Resident now, and the most so far, of the whole process as the kernel counts it. */
  rss(): { readonly nowBytes: number; readonly peakBytes: number };
  /** Throws when it did not live until now. */
  stop(): Promise<void>;
}

const BIN = resolve(import.meta.dirname, "../../bin");
/** Version 1 of control groups, where a group needs nothing of its parents. */
const GROUPS = "/sys/fs/cgroup/memory";

export async function startBounded(env: Record<string, string>, boundBytes: number): Promise<BoundedGateway> {
  // As `npm ci` leaves it.
  execFileSync(process.execPath, [join(BIN, "compile.js")]);
  const group = makeGroup(boundBytes);
  const command = [process.execPath, join(BIN, "start.js"), "serve"];
  const enter = ["-c", 'echo $$ > "$0" && exec "$@"', join(group ?? "", "cgroup.procs"), ...command];
  const [file = "", args] = group === null ? [command[0], command.slice(1)] : ["sh", enter];
  const child = spawn(file, args, {
    env: { ...process.env, PARLEY_PORT: "0", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  exited.catch(() => {});
  const port = await portOf(child);
  const pid = child.pid ?? 0;
  return {
    port,
    pid,
    isBounded: group !== null,
    cpuMicros: () => cpuMicrosOf(pid),
    rss: () => ({ nowBytes: statusOf(pid, "VmRSS"), peakBytes: statusOf(pid, "VmHWM") }),
    async stop() {
      const died = child.exitCode ?? child.signalCode;
      child.kill("SIGTERM");
      await exited;
      if (group !== null) rmdirSync(group);
      if (died !== null) throw new Error(`Expected the gateway to live, it ended with ${died}`);
    },
  };
}

/** Null where this user may make none. */
function makeGroup(boundBytes: number): string | null {
  const group = join(GROUPS, `parley-bench-${process.pid}-${++groups}`);
  try {
    if (!existsSync(GROUPS)) return null;
    mkdirSync(group);
    writeFileSync(join(group, "memory.limit_in_bytes"), String(boundBytes));
    return group;
  } catch {
    return null;
  }
}
let groups = 0;

async function portOf(child: ChildProcess): Promise<number> {
  let said = "";
  for await (const chunk of child.stderr ?? []) {
    said += String(chunk);
    const port = /listens on http:\/\/\S+:(\d+)/.exec(said)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`Expected the gateway to listen, got ${said}`);
}

function statusOf(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
}
