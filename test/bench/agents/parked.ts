import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "../../e2e/ask.ts";
import { configFolder, NO_LIMITS } from "../../e2e/configuration.ts";
import { startGateway, temporaryFolder } from "../../e2e/gateway-process.ts";
import { scrape } from "../../e2e/scrape.ts";
import { eventually } from "../../support/eventually.ts";
import { median } from "../drive.ts";
import { cpuMicrosOf } from "../server-process.ts";

export interface Parked {
  readonly runs: number;
  readonly workers: number;
  /** Resident memory that came with them, for one; and with as many messages that were answered before them. */
  readonly memoryBytes: number;
  readonly answeredBytes: number;
  /** What the file and its log grew by, for one. */
  readonly diskBytes: number;
  /** A message of somebody else, before and beside them. */
  readonly beforeMs: number;
  readonly besideMs: number;
  /** Of one core, while nothing happens. */
  readonly idleBeforePercent: number;
  readonly idleBesidePercent: number;
}

const WORKERS = 4;
const ASKED = 20;
const WARM_UP = 6;
const SETTLE_MS = 5_000;
const IDLE_STRETCHES = 5;
const PATIENCE_MS = 120_000;
const AGENT = `metadata: { name: assistant }
spec:
  model: { provider: demo }
  approvals: { self_approval: true, expires_seconds: 3600 }
`;

export async function benchParked({ runs }: { runs: number }): Promise<Parked> {
  const dataDir = temporaryFolder();
  await using gateway = await startGateway({
    dataDir,
    config: configFolder(`${NO_LIMITS}  queue: { concurrency: ${WORKERS} }\n`, AGENT),
  });
  const answeredIn = async (name: string) => {
    const times: number[] = [];
    for (let n = 0; n < ASKED; n++) {
      const startedAt = performance.now();
      await ask(gateway.url, { message: "hello", conversation: `${name}${n}`, wait: 60 });
      times.push(performance.now() - startedAt);
    }
    return median(times);
  };
  // The median: once after a busy time its leftovers are collected, which is most of the stretch in which it happens.
  const idlePercent = async () => {
    const percents: number[] = [];
    for (let stretch = 0; stretch < IDLE_STRETCHES; stretch++) {
      const before = cpuMicrosOf(gateway.pid);
      await sleep(SETTLE_MS);
      percents.push(((cpuMicrosOf(gateway.pid) - before) / (SETTLE_MS * 1000)) * 100);
    }
    return median(percents);
  };
  const hello = (name: string) =>
    inTurns(runs, (n) => ask(gateway.url, { message: "hello", conversation: `${name}${n}`, wait: 60 }));
  // Memory grows while it is new to its work, whatever that is.
  for (let round = 0; round < WARM_UP; round++) await hello(`warm${round}-`);
  const beforeMs = await answeredIn("before");
  const idleBeforePercent = await idlePercent();
  const first = rssOf(gateway.pid);
  await hello("answered");
  await sleep(SETTLE_MS);
  const before = { memory: rssOf(gateway.pid), disk: sizeOf(dataDir) };
  await inTurns(runs, (n) => ask(gateway.url, { message: "demo: ask Deploy?", conversation: `parked${n}` }));
  await eventually(async () => {
    const parked = (await scrape(gateway.url)).value('parley_queue_events{state="parked"}');
    if (parked !== runs) throw new Error(`Expected ${runs} to be parked, got ${parked}`);
  }, PATIENCE_MS);
  await sleep(SETTLE_MS);
  const after = { memory: rssOf(gateway.pid), disk: sizeOf(dataDir) };
  const besideMs = await answeredIn("beside");
  const idleBesidePercent = await idlePercent();
  return {
    ...{ runs, workers: WORKERS, beforeMs, besideMs, idleBeforePercent, idleBesidePercent },
    memoryBytes: (after.memory - before.memory) / runs,
    answeredBytes: (before.memory - first) / runs,
    diskBytes: (after.disk - before.disk) / runs,
  };
}

const AT_ONCE = 32;

async function inTurns(count: number, task: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

function sizeOf(dataDir: string): number {
  return ["parley.db", "parley.db-wal"]
    .map((name) => statSync(join(dataDir, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}
