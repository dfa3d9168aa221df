import process from "node:process";

/** Milliseconds that this thread computed for it: on a busy machine less than it took. */
export function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
