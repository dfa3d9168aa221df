import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import process from "node:process";
import { type Sandbox, sandboxed } from "./sandbox.ts";

/** What a process needs to find programs, its home and a language; secrets of ours are in none of them. */
const HANDED_ON = [
  "HOME",
  "LANG",
  "LC_ALL",
  "LOGNAME",
  "PATH",
  "SHELL",
  "TERM",
  "TMPDIR",
  "TZ",
  "USER",
  "SYSTEMROOT",
];

export function minimalEnvironment(
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const kept = HANDED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), ...more };
}

/** Leaders of the process groups that run. */
const running = new Set<number>();
let isWatched = false;

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Its working folder; made where it is not there. */
  readonly folder: string;
  readonly sandbox: Sandbox | null;
}

/**
 * A process with a group of its own, so that what it starts ends with it. No shell. It ends with ours at the latest. Throws
 * ToolFault where there is nothing to make its sandbox with.
 */
export function spawnGroup(
  { folder, sandbox, ...plain }: Program,
  options: Pick<SpawnOptions, "env" | "stdio">,
): ChildProcess {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { command, args } = sandbox === null ? plain : sandboxed({ ...plain, folder }, sandbox);
  if (!isWatched) {
    isWatched = true;
    process.on("exit", () => {
      for (const pid of running) signalGroup(pid, "SIGKILL");
    });
  }
  const alone = { cwd: folder, shell: false, detached: true, windowsHide: true };
  const child = spawn(command, [...args], { ...options, ...alone });
  const { pid } = child;
  if (pid !== undefined) {
    running.add(pid);
    // What it has left behind is ended with it.
    child.once("exit", () => {
      signalGroup(pid, "SIGKILL");
      running.delete(pid);
    });
  }
  return child;
}

export function signalGroup(pid: number | undefined, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It is gone.
  }
}
