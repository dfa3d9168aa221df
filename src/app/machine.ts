import { existsSync, type StatsFs } from "node:fs";
import { statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { dirname } from "node:path";
import process from "node:process";
import { getHeapStatistics } from "node:v8";
import type { ComponentReport } from "../ingress/health.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Less than this on the disk of the data folder is soon nothing. */
const FREE_BYTES_MIN = 256 * 1024 * 1024;
/** So full a disk has little left, unless that share of it is much. */
const DISK_SHARE_MAX = 0.9;
const PLENTY_BYTES = 10 * 1024 * 1024 * 1024;
const MEMORY_SHARE_MAX = 0.9;
const MIB = 1024 * 1024;

export interface Machine {
  disk(): Promise<ComponentReport>;
  memory(): ComponentReport;
  /** Shares from 0 to 1; null where it cannot be looked at. */
  usage(): Promise<{ readonly disk: number | null; readonly memory: number }>;
}

/** What the process runs on: room on the disk of its data folder, and memory up to the limit of its container or heap. */
export function machineOf(dataDir: string): Machine {
  const look = () => statfs(existingAbove(dataDir));
  return {
    async disk() {
      return await look().then(
        (disk) => diskReport(disk.bavail * disk.bsize, usedShare(disk)),
        (error: NodeJS.ErrnoException) => ({
          status: "degraded" as const,
          code: "DISK_UNKNOWN",
          details: `the data folder cannot be looked at (${error.code})`,
        }),
      );
    },
    memory() {
      const { used_heap_size, heap_size_limit } = getHeapStatistics();
      return memoryReport({
        residentBytes: process.memoryUsage.rss(),
        limitBytes: limitBytes(),
        heapBytes: used_heap_size,
        heapLimitBytes: heap_size_limit,
      });
    },
    async usage() {
      const disk = await look().then(usedShare, () => null);
      return { disk, memory: process.memoryUsage.rss() / limitBytes() };
    },
  };
}

export function showMachine(machine: Pick<Machine, "usage">, metrics: Metrics): void {
  let before = performance.eventLoopUtilization();
  metrics.beforeScrape(async () => {
    const now = performance.eventLoopUtilization();
    // One thread does nearly all: it is full at one core, however many the machine has.
    metrics.loopBusy.set(performance.eventLoopUtilization(now, before).utilization);
    before = now;
    const { disk, memory } = await machine.usage();
    metrics.memoryUsage.set(memory);
    if (disk !== null) metrics.diskUsage.set(disk);
  });
}

function existingAbove(folder: string): string {
  let found = folder;
  while (!existsSync(found) && found !== dirname(found)) found = dirname(found);
  return found;
}

/** As `df` has it: of what may be used without being root. */
function usedShare({ blocks, bfree, bavail }: Pick<StatsFs, "blocks" | "bfree" | "bavail">): number {
  const used = blocks - bfree;
  return used + bavail === 0 ? 1 : used / (used + bavail);
}

export function diskReport(freeBytes: number, share: number): ComponentReport {
  const free = `${Math.floor(freeBytes / MIB)} MiB free in the data folder, ${Math.round(share * 100)} % full`;
  if (freeBytes >= FREE_BYTES_MIN && (share <= DISK_SHARE_MAX || freeBytes >= PLENTY_BYTES))
    return { status: "ok", details: free };
  const expected = `expected at least ${FREE_BYTES_MIN / MIB}, and at most ${DISK_SHARE_MAX * 100} % full`;
  return { status: "degraded", code: "DISK_LOW", details: `${free}; ${expected}` };
}

function limitBytes(): number {
  return memoryLimit(process.constrainedMemory(), totalmem());
}

/** The limit of the container, where there is one; a control group without one gives a number beyond any memory. */
export function memoryLimit(constrainedBytes: number, totalBytes: number): number {
  return constrainedBytes > 0 && constrainedBytes < totalBytes ? constrainedBytes : totalBytes;
}

export function memoryReport(memory: {
  readonly residentBytes: number;
  readonly limitBytes: number;
  readonly heapBytes: number;
  readonly heapLimitBytes: number;
}): ComponentReport {
  const { residentBytes, limitBytes, heapBytes, heapLimitBytes } = memory;
  const details =
    `${Math.round(residentBytes / MIB)} of ${Math.round(limitBytes / MIB)} MiB in use, ` +
    `heap ${Math.round(heapBytes / MIB)} of ${Math.round(heapLimitBytes / MIB)}`;
  const isLow =
    residentBytes > limitBytes * MEMORY_SHARE_MAX || heapBytes > heapLimitBytes * MEMORY_SHARE_MAX;
  return isLow ? { status: "degraded", code: "MEMORY_LOW", details } : { status: "ok", details };
}
