import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { settlementFor } from "../../src/dispatch/settle.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import { NO_USAGE, type Step } from "../../src/domain/run.ts";
import type { AgentRuntime } from "../../src/ports/agent.ts";
import type { Outbox } from "../../src/ports/outbox.ts";
import type { Job } from "../../src/ports/queue.ts";
import { type InlineStore, openInlineStore } from "../../src/store/sqlite/inline.ts";
import { withUnwritten } from "../../src/store/unwritten.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { WorkerDeps } from "../../src/worker/deps.ts";
import { work } from "../../src/worker.ts";
import { FakeAdapter } from "../support/adapter.ts";
import { CHATS } from "../support/chat-platforms.ts";
import { FakeClock } from "../support/clock.ts";
import { NO_DESK } from "../support/desk.ts";
import { anEvent } from "../support/event.ts";
import { guideWith } from "../support/guide.ts";
import { selectionOf } from "../support/selection.ts";
import { aJob, claimOne, LEASE_MS } from "../support/store.ts";
import { failingDisk } from "./commits.ts";
import { aFolder } from "./folder.ts";

const STEP: Step = { kind: "model", text: "paid for", toolCalls: [], usage: NO_USAGE };
const ANSWER = { outcome: "answered", text: "one|two", usage: NO_USAGE, modelCalls: 1 } as const;
const FULL = Number.MAX_SAFE_INTEGER;
const refusedWrite = { code: "STORE_WRITE_FAILED" };

let clock: FakeClock;
let disk: ReturnType<typeof failingDisk>;
let store: InlineStore;
let kept: ReturnType<typeof withUnwritten>;
let paid: number;

beforeEach(async () => {
  clock = new FakeClock();
  disk = failingDisk();
  const folder = aFolder("memory");
  const limits = { waitingPerLaneMax: 1_000, waitingMax: 10_000 };
  store = await openInlineStore({ file: join(folder.path, "parley.db"), clock, limits, open: disk.open });
  kept = withUnwritten(store);
  paid = 0;
  onTestFinished(async () => {
    disk.trouble.commitsLost = 0;
    await store[Symbol.asyncDispose]();
    folder.remove();
  });
});

/** A model that answers once, and an agent that records it before it answers. */
const agent =
  (onPaid: () => void): AgentRuntime["run"] =>
  async ({ steps }, { record }) => {
    if (steps.length === 0) {
      paid += 1;
      onPaid();
      await record([STEP]);
    }
    return ANSWER;
  };

function doWork(job: Job, adapter: FakeAdapter, run: AgentRuntime["run"], { queue, outbox } = kept) {
  const log = silentLogger();
  const metrics = createMetrics();
  const deps: WorkerDeps = {
    queue,
    memory: store.memory,
    adapters: new Map([[adapter.platform, adapter]]),
    runtime: { run },
    routes: [{ match: {}, agent: "assistant" }],
    selection: selectionOf(),
    agents: new Map([["assistant", { turnsMax: 4, ttlMs: 60_000 }]]),
    guide: guideWith(),
    control: {
      memory: store.memory,
      lanes: store.lanes,
      describeAgent: (name) => ({ name, model: "a model" }),
      approversOf: () => null,
      clock,
      desk: NO_DESK,
      isPaused: () => false,
      version: "1",
    },
    render: (to, markdown, address) => to.render(markdown, address),
    delivery: { outbox, breakers: new Breakers(clock), inDoubt: "resend_marked", log, metrics },
    attemptsMax: 3,
    isPaused: () => false,
    clock,
    newId: (prefix) => `${prefix}_1`,
    log,
    metrics,
  };
  const signal = new AbortController().signal;
  return work(job, deps, {
    job: signal,
    run: signal,
    listen: () => () => {},
    heard: () => job.signals,
    isHeld: async () => true,
    leftMs: () => LEASE_MS,
  });
}

/** The lease runs out, because not even a deferral could be written; then there is room again. */
async function roomAgain(): Promise<Job> {
  disk.trouble.commitsLost = 0;
  clock.advance(LEASE_MS + 1);
  return await claimOne(kept.queue);
}

describe.each(CHATS)("a full disk, on %s", (platform) => {
  let adapter: FakeAdapter;
  const aClaimed = () => aJob({ ...kept, inbox: store.inbox }, { platform, id: `${platform}:1` });
  beforeEach(() => {
    adapter = new FakeAdapter(platform);
  });

  it("when a model has answered: the answer is not paid for again", async () => {
    const job = await aClaimed();
    const filling = agent(() => {
      disk.trouble.commitsLost = FULL;
    });
    await expect(doWork(job, adapter, filling)).rejects.toMatchObject(refusedWrite);
    const again = await roomAgain();
    expect(again.progress?.steps).toEqual([STEP]);
    await kept.queue.settle(again, await doWork(again, adapter, filling));
    expect(paid).toBe(1);
    expect(adapter.said).toEqual(["one", "two"]);
  });

  it("when the answer is to be kept: it is kept before a word of it is said", async () => {
    const job = await aClaimed();
    const run: AgentRuntime["run"] = async () => {
      paid += 1;
      disk.trouble.commitsLost = FULL;
      return ANSWER;
    };
    await expect(doWork(job, adapter, run)).rejects.toMatchObject(refusedWrite);
    expect(adapter.said).toEqual([]);
    const again = await roomAgain();
    await kept.queue.settle(again, await doWork(again, adapter, run));
    expect(paid).toBe(1);
    expect(adapter.said).toEqual(["one", "two"]);
    expect(await store.journal.find(`${platform}:1`)).toMatchObject({
      state: "done",
      progress: { answer: ANSWER },
    });
  });

  it.each([0, 1])("when part %i is said: it is not said again, and nothing is marked", async (last) => {
    const job = await aClaimed();
    adapter.fate = ({ index }) => {
      if (index === last) disk.trouble.commitsLost = FULL;
      return { messageId: `m${index}`, via: "fake" };
    };
    const run = agent(() => {});
    const end = await doWork(job, adapter, run).catch((error: unknown) =>
      settlementFor(error, job, { attemptsMax: 3, baseMs: 1_000 }, () => 0.5),
    );
    if (end === null) throw new Error("Expected a settlement, got none");
    await expect(kept.queue.settle(job, end)).rejects.toMatchObject(refusedWrite);
    const again = await roomAgain();
    adapter.fate = ({ index }) => ({ messageId: `m${index}`, via: "fake" });
    await kept.queue.settle(again, await doWork(again, adapter, run));
    expect(adapter.said).toEqual(["one", "two"]);
    expect(adapter.recoveries).toEqual([]);
    expect(paid).toBe(1);
  });

  it("when the lease has run out as the disk has room again: the next claim goes on from it", async () => {
    const job = await aClaimed();
    const filling = agent(() => {
      disk.trouble.commitsLost = FULL;
    });
    await expect(doWork(job, adapter, filling)).rejects.toMatchObject(refusedWrite);
    disk.trouble.commitsLost = 0;
    clock.advance(LEASE_MS + 1);
    // Ends the lease, and gives our event to nobody.
    expect(await store.queue.claim({ jobsMax: 0, leaseMs: LEASE_MS })).toEqual([]);
    expect(await kept.queue.settle(job, { kind: "defer", afterMs: 0, cause: "late" })).toBe(false);
    expect((await claimOne(kept.queue)).progress?.steps).toEqual([STEP]);
    expect(kept.left).toEqual({ runs: 0, parts: 0 });
  });

  it("when the store took so long that the lease was gone: the next claim goes on from it, if it is ours", async () => {
    const job = await aClaimed();
    let lost: Promise<unknown> = Promise.resolve();
    const late = agent(() => {
      clock.advance(LEASE_MS + 1);
      // Ends the lease, and gives our event to nobody.
      lost = store.queue.claim({ jobsMax: 0, leaseMs: LEASE_MS });
    });
    await expect(doWork(job, adapter, late)).rejects.toMatchObject({ why: "lease-lost" });
    await lost;
    expect(kept.left).toEqual({ runs: 0, parts: 0 });
    expect((await claimOne(kept.queue)).progress?.steps).toEqual([STEP]);
  });

  it("what another process has done meanwhile wins", async () => {
    const job = await aClaimed();
    const filling = agent(() => {
      disk.trouble.commitsLost = FULL;
    });
    await expect(doWork(job, adapter, filling)).rejects.toMatchObject(refusedWrite);
    disk.trouble.commitsLost = 0;
    clock.advance(LEASE_MS + 1);
    const theirs = await claimOne(store.queue);
    const other = { ...STEP, text: "of another" };
    const progress = { runId: "run_2", agent: "assistant", startedAtMs: 1, steps: [other], answer: null };
    expect(await store.queue.checkpoint(theirs, progress)).toBe(true);
    expect((await roomAgain()).progress?.steps).toEqual([other]);
  });
});

it("a deferral carries with it what could not be written before", async () => {
  const job = await aJob({ ...kept, inbox: store.inbox }, anEvent());
  const adapter = new FakeAdapter("slack");
  const filling = agent(() => {
    disk.trouble.commitsLost = FULL;
  });
  await expect(doWork(job, adapter, filling)).rejects.toMatchObject(refusedWrite);
  disk.trouble.commitsLost = 0;
  await kept.queue.settle(job, { kind: "defer", afterMs: 0, cause: "full" });
  // Another process, which knows nothing of it.
  expect((await claimOne(store.queue)).progress?.steps).toEqual([STEP]);
});

it("is told of at an end: what is left, and that nothing is once it could be written", async () => {
  const job = await aJob({ ...kept, inbox: store.inbox }, anEvent());
  const adapter = new FakeAdapter("slack");
  const filling = agent(() => {
    disk.trouble.commitsLost = FULL;
  });
  await expect(doWork(job, adapter, filling)).rejects.toMatchObject(refusedWrite);
  await expect(kept.outbox.record("slack:9/0", "not-sent")).rejects.toMatchObject(refusedWrite);
  await kept.writeAll();
  expect(kept.left).toEqual({ runs: 1, parts: 1 });
  disk.trouble.commitsLost = 0;
  await kept.writeAll();
  expect(kept.left).toEqual({ runs: 0, parts: 0 });
  expect((await store.journal.find(job.event.id))?.progress?.steps).toEqual([STEP]);
});

it("one receipt that is refused for good keeps nothing else from being claimed", async () => {
  const refused = new Error("of the wrong type");
  const narrow = withUnwritten({
    queue: store.queue,
    outbox: {
      ...store.outbox,
      record: () => Promise.reject(refused),
    },
  });
  const ill = anEvent({ id: "slack:ill", conversation: "ill" });
  const well = anEvent({ id: "slack:well", conversation: "well" });
  await expect(narrow.outbox.record(`${ill.id}/0`, "not-sent")).rejects.toBe(refused);
  expect((await aJob({ ...narrow, inbox: store.inbox }, well)).event.id).toBe(well.id);
  const job = await aJob({ ...narrow, inbox: store.inbox }, ill);
  await expect(narrow.outbox.reserve(job, `${ill.id}/0`)).rejects.toBe(refused);
});

it("is bounded: of very many, the oldest are forgotten, and that is said once", async () => {
  let isFull = true;
  let timesSaid = 0;
  const seen: string[] = [];
  const outbox: Outbox = {
    ...store.outbox,
    async record(partId) {
      if (isFull) throw new Error("full");
      seen.push(partId);
    },
  };
  const narrow = withUnwritten({ queue: store.queue, outbox }, () => {
    timesSaid += 1;
  });
  const receipt = { messageId: "m", via: "fake" };
  await Promise.allSettled(
    Array.from({ length: 1_002 }, (_, i) => narrow.outbox.record(`other ${i}/0`, receipt)),
  );
  isFull = false;
  await narrow.queue.claim({ jobsMax: 1, leaseMs: LEASE_MS });
  expect(seen).toHaveLength(1_000);
  expect(seen).not.toContain("other 0/0");
  expect(timesSaid).toBe(1);
});
