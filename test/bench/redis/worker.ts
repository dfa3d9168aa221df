// One of two worker processes, `worker.ts settle|answer|bullmq REDIS_URL PREFIX`. Works while told to, and tells how far
// it has come.
import { Worker } from "bullmq";
import { Dispatcher } from "../../../src/dispatch/dispatcher.ts";
import { LEASE_MS } from "../../../src/domain/bounds.ts";
import { NO_USAGE, type Progress } from "../../../src/domain/run.ts";
import type { Job, Settlement } from "../../../src/ports/queue.ts";
import type { Store } from "../../../src/ports/store.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { silentLogger } from "../../../src/telemetry/log.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { openBenchStore } from "./store.ts";

export type Order = "start" | "stop";
/** `done` since the start, the last of them at that time. */
export type Word =
  | { readonly kind: "ready" | "stopped" }
  | { readonly kind: "done"; done: number; atMs: number };

interface Works {
  start(): void;
  stop(): Promise<void>;
}

const CONCURRENCY = 100;
const TELL_MS = 10;
const say = (word: Word) => process.send?.(word);

let done = 0;
let told = 0;
let atMs = 0;
const countOne = () => {
  done++;
  atMs = performance.timeOrigin + performance.now();
};
setInterval(() => {
  if (done !== told) say({ kind: "done", done, atMs });
  told = done;
}, TELL_MS);

const [kind, url = "", prefix = ""] = process.argv.slice(2);
const works = kind === "bullmq" ? bullWorker() : await parleyWorker(kind === "answer" ? answer : settle);
process.on("message", (order: Order) => {
  if (order === "stop") return void works.stop().then(() => say({ kind: "stopped" }));
  done = 0;
  told = 0;
  works.start();
});
// However the parent ends.
process.on("disconnect", () => process.exit());
say({ kind: "ready" });

type Work = (job: Job, store: Store) => Promise<Settlement>;

async function parleyWorker(work: Work): Promise<Works> {
  const store = await openBenchStore(url, prefix, `worker-${process.pid}`);
  const queue = {
    ...store.queue,
    async settle(job: Job, settlement: Settlement) {
      const held = await store.queue.settle(job, settlement);
      countOne();
      return held;
    },
  };
  const metrics = createMetrics();
  const create = () =>
    new Dispatcher({
      memory: { turnsMax: 20, ttlMs: 3_600_000 },
      queue,
      bus: store.bus,
      clock: systemClock,
      random: Math.random,
      work: (job) => work(job, store),
      retry: { attemptsMax: 3, baseMs: 1_000 },
      concurrency: CONCURRENCY,
      leaseMs: LEASE_MS,
      log: silentLogger(),
      metrics,
    });
  let dispatcher = create();
  return {
    start: () => dispatcher.start(),
    async stop() {
      await dispatcher.stop(1_000);
      dispatcher = create();
    },
  };
}

async function settle(): Promise<Settlement> {
  return { kind: "done", outcome: "answered", turns: [] };
}

/** What a run asks of the store when the model answers at once, in one part. */
async function answer(job: Job, { outbox }: Store): Promise<Settlement> {
  const nowMs = systemClock.nowMs();
  const text = "The deployment is green.";
  const progress: Progress = {
    runId: "run_1",
    agent: "assistant",
    startedAtMs: nowMs,
    steps: [],
    answer: { outcome: "answered", text, parts: [], usage: NO_USAGE },
  };
  const partId = `${job.event.id}/0`;
  await outbox.begin(job, progress, partId);
  await outbox.record(partId, { messageId: "1700000000.000001", via: "chat.postMessage" });
  return {
    kind: "done",
    outcome: "answered",
    turns: [
      { role: "user", name: "ann", text: job.event.text, atMs: nowMs },
      { role: "assistant", name: null, text, atMs: nowMs },
    ],
  };
}

function bullWorker(): Works {
  const connection = { host: "127.0.0.1", port: Number(new URL(url).port), maxRetriesPerRequest: null };
  const worker = new Worker("events", async () => {}, {
    connection,
    prefix,
    concurrency: CONCURRENCY,
    autorun: false,
  });
  worker.on("completed", countOne);
  let hasRun = false;
  return {
    start() {
      if (hasRun) void worker.resume();
      else void worker.run();
      hasRun = true;
    },
    stop: () => worker.pause(),
  };
}
