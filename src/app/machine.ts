import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { dirname } from "node:path";
import process from "node:process";
import { getHeapStatistics } from "node:v8";
import type { ComponentReport } from "../ingress/health.ts";

/** Less than this on the disk of the data folder is soon nothing. */
const FREE_BYTES_MIN = 256 * 1024 * 1024;
const MEMORY_SHARE_MAX = 0.9;
const MIB = 1024 * 1024;

export interface Machine {
  disk(): Promise<ComponentReport>;
  memory(): ComponentReport;
}

/** What the process runs on: room on the disk of its data folder, and memory up to the limit of its container or heap. */
export function machineOf(dataDir: string): Machine {
  return {
    async disk() {
      let folder = dataDir;
      while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
      return await statfs(folder).then(
        ({ bavail, bsize }) => diskReport(bavail * bsize),
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
        limitBytes: memoryLimit(process.constrainedMemory(), totalmem()),
        heapBytes: used_heap_size,
        heapLimitBytes: heap_size_limit,
      });
    },
  };
}

export function diskReport(freeBytes: number): ComponentReport {
  const free = `${Math.floor(freeBytes / MIB)} MiB free in the data folder`;
  return freeBytes >= FREE_BYTES_MIN
    ? { status: "ok", details: free }
    : {
        status: "degraded",
        code: "DISK_LOW",
        details: `${free}, expected at least ${FREE_BYTES_MIN / MIB}`,
      };
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
