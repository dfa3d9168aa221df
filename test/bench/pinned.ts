import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";

/** What is measured has a core for itself, and what loads it another one. */
export const SERVER_CORE = 0;
const LOAD_CORE = 1;

/** Whether this machine has two cores, and the tool that gives one away. */
export const canPin =
  availableParallelism() > 1 &&
  (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, "taskset")));

/** A command that runs on one core, where this machine can do that. */
export function onCore(core: number, command: readonly string[]): readonly string[] {
  return canPin ? ["taskset", "--cpu-list", String(core), ...command] : command;
}

/** All threads of this process, and those that it will start. */
export function leaveServerCore(): void {
  if (canPin)
    execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(LOAD_CORE), String(process.pid)]);
}
