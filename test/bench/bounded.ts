import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ShippedGateway, startShipped } from "./shipped.ts";

/** `parley serve` as it is shipped, in a process whose memory the kernel bounds where the machine lets us. */
export interface BoundedGateway extends ShippedGateway {
  /** Whether the kernel kills it above the bound. */
  readonly isBounded: boolean;
  /** Resident now, and the most so far, of the whole process as the kernel counts it. */
  rss(): { readonly nowBytes: number; readonly peakBytes: number };
}

/** Version 1 of control groups, where a group needs nothing of its parents. */
const GROUPS = "/sys/fs/cgroup/memory";

export async function startBounded(env: Record<string, string>, boundBytes: number): Promise<BoundedGateway> {
  const group = makeGroup(boundBytes);
  const enter = ["sh", "-c", 'echo $$ > "$0" && exec "$@"', join(group ?? "", "cgroup.procs")];
  const gateway = await startShipped(env, { behind: group === null ? [] : enter });
  const { pid } = gateway;
  return {
    ...gateway,
    isBounded: group !== null,
    rss: () => ({ nowBytes: statusOf(pid, "VmRSS"), peakBytes: statusOf(pid, "VmHWM") }),
    async stop() {
      try {
        await gateway.stop();
      } finally {
        if (group !== null) rmdirSync(group);
      }
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

function statusOf(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
}
