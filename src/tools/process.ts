import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import process from "node:process";

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

/** A process with a group of its own, so that what it starts ends with it. No shell. It ends with ours at the latest. */
export function spawnGroup(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  if (!isWatched) {
    isWatched = true;
    process.on("exit", () => {
      for (const pid of running) signalGroup(pid, "SIGKILL");
    });
  }
  const child = spawn(command, [...args], { ...options, shell: false, detached: true, windowsHide: true });
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
