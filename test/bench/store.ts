/**
 * What accepting costs: `node test/bench/store.ts [events]`. Prints accepts per second, latency and CPU for an empty
 * file and for one with a million idle conversations, and the same for claim and settle.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RateLimit } from "../../src/ports/inbox.ts";
import type { Store } from "../../src/ports/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/index.ts";
import { systemClock } from "../../src/system/clock.ts";
import { anEvent } from "../support/event.ts";
import { fill } from "./fill.ts";

const EVENTS = Number(process.argv[2] ?? 60_000);
const PRODUCERS = 64;
const IDLE_CONVERSATIONS = 1_000_000;

const text = "All work and no play makes a gateway a dull place to wait for an answer in. ".repeat(8);
const limits: readonly RateLimit[] = (["user", "conversation", "tenant", "global"] as const).map((scope) => ({
  scope,
  key: `${scope}-1`,
  messages: 1e9,
  perMs: 60_000,
}));

for (const idle of [0, IDLE_CONVERSATIONS]) await measure(idle);

async function measure(idle: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const file = join(folder, "parley.db");
  const open = () =>
    openSqliteStore({
      file,
      clock: systemClock,
      limits: { waitingPerLaneMax: EVENTS, waitingMax: EVENTS * 2 },
    });
  try {
    await (await open())[Symbol.asyncDispose]();
    fill(file, idle);
    const store = await open();
    await run("warm-up", 2_000, (i) => accept(store, i - 1_000_000));
    await run(`accept, ${idle} idle conversations`, EVENTS, (i) => accept(store, i));
    await run(`claim and settle, ${idle} idle conversations`, EVENTS, () => work(store));
    await store[Symbol.asyncDispose]();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function accept(store: Store, i: number): Promise<void> {
  const conversation = `slack:T1:C${i % 1_000}`;
  const event = anEvent({ id: `${conversation}:${i}`, aliases: [`slack:Ev${i}`], conversation, text });
  const answer = await store.inbox.accept({
    event,
    lane: conversation,
    kind: "message",
    agent: "assistant",
    busy: "queue",
    refusal: null,
    limits,
    onlyIfKnown: false,
    isTold: true,
    dedupMs: 3_600_000,
  });
  if (answer.kind !== "accepted") throw new Error(`Expected accepted, got ${answer.kind}`);
}

async function work(store: Store): Promise<void> {
  const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: 30_000 });
  if (job === undefined) throw new Error("Expected a job, got none");
  await store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
}

async function run(name: string, count: number, once: (i: number) => Promise<void>): Promise<void> {
  const latencies: number[] = [];
  let next = 0;
  const producer = async () => {
    for (let i = next++; i < count; i = next++) {
      const startMs = performance.now();
      await once(i);
      latencies.push(performance.now() - startMs);
    }
  };
  const startMs = performance.now();
  const processCpu = process.cpuUsage();
  const mainCpu = process.threadCpuUsage();
  await Promise.all(Array.from({ length: PRODUCERS }, producer));
  const seconds = (performance.now() - startMs) / 1000;
  const mainUs = total(process.threadCpuUsage(mainCpu)) / count;
  const allUs = total(process.cpuUsage(processCpu)) / count;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2);
  console.log(
    `${name}: ${Math.round(count / seconds)}/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
      `CPU ${allUs.toFixed(1)} µs each (main thread ${mainUs.toFixed(1)})`,
  );
}

function total({ user, system }: { user: number; system: number }): number {
  return user + system;
}
