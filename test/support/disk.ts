import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { optionalToolPath, toolPath } from "./tools.ts";

/** Where a process keeps its files, until there is no more room. */
export interface Disk extends Disposable {
  readonly folder: string;
  /** From now on it takes nothing from this process. */
  fill(pid: number): void;
  /** It takes everything again. */
  free(pid: number): void;
}

const SIZE_MIB = 24;
const CHUNK = new Uint8Array(64 * 1024);

/** Whether a disk of our own can be made here, which needs root and its rights. */
export function mayMount(): boolean {
  if (process.getuid?.() !== 0 || optionalToolPath("mount") === undefined) return false;
  try {
    smallDisk()[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

/** A file system of its own and of a few MiB, which is really full: ENOSPC. */
export function smallDisk(): Disk {
  const folder = mkdtempSync(join(tmpdir(), "parley-disk-"));
  const ballast = join(folder, "ballast");
  const run = (tool: string, ...args: string[]) => execFileSync(toolPath(tool), args, { stdio: "pipe" });
  try {
    run("mount", "-t", "tmpfs", "-o", `size=${SIZE_MIB}m`, "tmpfs", folder);
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  return {
    folder,
    fill() {
      const fd = openSync(ballast, "a");
      try {
        for (;;) writeSync(fd, CHUNK);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      } finally {
        closeSync(fd);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]() {
      // Also when a process that was killed has not let go of it yet.
      run("umount", "-l", folder);
      rmSync(folder, { recursive: true });
    },
  };
}

/** A folder in which the system refuses a process each write to a file: an error of the disk, not a full one. */
export function refusingDisk(): Disk {
  const folder = mkdtempSync(join(tmpdir(), "parley-disk-"));
  const limit = (pid: number, bytes: string) =>
    execFileSync(toolPath("prlimit"), ["--pid", String(pid), `--fsize=${bytes}:`]);
  return {
    folder,
    fill: (pid) => void limit(pid, "0"),
    free: (pid) => void limit(pid, "unlimited"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
