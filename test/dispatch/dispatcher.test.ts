import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { Dispatcher, type DispatcherDeps, type JobSignals } from "../../src/dispatch/dispatcher.ts";
import { RunAborted } from "../../src/domain/abort.ts";
import { BreakerOpen } from "../../src/domain/breaker.ts";
import { controlLane } from "../../src/domain/command.ts";
import { DeliveryError, GatewayError, ModelError } from "../../src/domain/errors.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Job, Queue, Settlement } from "../../src/ports/queue.ts";
import type { InlineStore } from "../../src/store/sqlite/inline.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";
import { A_STOP, anEvent } from "../support/event.ts";
import { countOf } from "../support/metrics.ts";
import { anOffer, claimOne, LEASE_MS, openTestStore } from "../support/store.ts";

const ATTEMPTS_MAX = 3;
const DRAIN_MS = 27_000;
/** How often a lease is renewed. */
const RENEWAL_MS = LEASE_MS / 4;
const DONE: Settlement = { kind: "done", outcome: "answered", turns: [] };
const storeDown = new GatewayError("STORE_WRITE_FAILED", "disk full");

/** A job that is being worked on, until the test says how it ends. */
interface Work {
  readonly job: Job;
  readonly signals: JobSignals;
  readonly finish: (settlement?: Settlement) => void;
  readonly fail: (error: unknown) => void;
}

let clock: FakeClock;
let store: InlineStore;
let metrics: Metrics;
/** All that was begun, in order. */
let begun: Work[];

beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
  metrics = createMetrics();
  begun = [];
});

/** Resolves when all work that waits for nothing outside is done. */
function calm(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function advance(ms: number): Promise<void> {
  clock.advance(ms);
  await calm();
}

function open(changes: Partial<DispatcherDeps> = {}, queue: Partial<Queue> = {}): Dispatcher {
  const dispatcher = new Dispatcher({
    queue: { ...store.queue, ...queue },
    bus: store.bus,
    clock,
    random: () => 0.5,
    work(job, signals) {
      const { promise, resolve, reject } = Promise.withResolvers<Settlement>();
      begun.push({ job, signals, finish: (settlement = DONE) => resolve(settlement), fail: reject });
      return promise;
    },
    retry: { attemptsMax: ATTEMPTS_MAX, baseMs: 2_000 },
    concurrency: 2,
    leaseMs: LEASE_MS,
    memory: { turnsMax: 10, ttlMs: 60_000 },
    log: silentLogger(),
    metrics,
    ...changes,
  });
  return dispatcher;
}

async function start(changes: Partial<DispatcherDeps> = {}, queue: Partial<Queue> = {}): Promise<Dispatcher> {
  const dispatcher = open(changes, queue);
  dispatcher.start();
  onTestFinished(async () => {
    for (const { finish } of begun) finish();
    await dispatcher.stop(0);
  });
  await calm();
  return dispatcher;
}

async function accept(id: string, conversation = id, changes: Partial<TriggerEvent> = {}): Promise<void> {
  await store.inbox.accept(anOffer(anEvent({ id, conversation, ...changes })));
  await calm();
}

function work(index: number): Work {
  const one = begun[index];
  if (one === undefined)
    throw new Error(`Expected at least ${index + 1} jobs to be begun, got ${begun.length}`);
  return one;
}

const ids = () => begun.map(({ job }) => job.event.id);

async function finish(index: number): Promise<void> {
  work(index).finish();
  await calm();
}

async function fail(index: number, error: unknown): Promise<void> {
  work(index).fail(error);
  await calm();
}

async function recordOf(id: string) {
  const record = await store.journal.find(id);
  if (record === null) throw new Error(`Expected ${id} in the journal, got nothing`);
  return record;
}

it("what the store cannot read of an event is not begun: it is a dead letter, and what came with it goes on", async () => {
  for (const id of ["slack:a", "slack:b"])
    await store.inbox.accept(anOffer(anEvent({ id, conversation: `slack:T1:${id}` })));
  const damage = "EVENT_DAMAGED: expected its text";
  await start(
    {},
    {
      async claim(options) {
        const jobs = await store.queue.claim(options);
        return jobs.map((job) => (job.event.id === "slack:a" ? { ...job, damage } : job));
      },
    },
  );
  expect(ids()).toEqual(["slack:b"]);
  await calm();
  expect(await store.journal.find("slack:a")).toMatchObject({ state: "dead", cause: damage });
  expect(await countOf(metrics, "deadLetters", { platform: "slack" })).toBe(1);
});

it("commands to the gateway are in hand, and are no runs", async () => {
  const dispatcher = await start();
  await accept("reset", "a", { text: "/reset" });
  const status = anEvent({ id: "status", text: "/status" });
  await store.inbox.accept(anOffer(status, { kind: "command", lane: controlLane(status.conversation) }));
  await calm();
  expect(dispatcher.running).toBe(2);
  expect(await countOf(metrics, "runsActive")).toBe(0);
});

describe("a dispatcher", () => {
  it("claims what is accepted, and settles it with what came of the work", async () => {
    const dispatcher = await start();
    await accept("a");
    expect(ids()).toEqual(["a"]);
    expect(dispatcher.running).toBe(1);
    expect(await countOf(metrics, "runsActive")).toBe(1);

    await finish(0);
    expect((await recordOf("a")).state).toBe("done");
    expect(dispatcher.running).toBe(0);
    expect(await countOf(metrics, "runsActive")).toBe(0);
  });

  it("runs one conversation in order and others beside it", async () => {
    await start();
    await accept("a1", "a");
    await accept("a2", "a");
    await accept("b1", "b");
    expect(ids()).toEqual(["a1", "b1"]);
    await finish(0);
    expect(ids()).toEqual(["a1", "b1", "a2"]);
  });

  it("carries out a command to the gateway also when every slot is taken", async () => {
    await start({ concurrency: 1 });
    await accept("a");
    await accept("b");
    const stop = anEvent({ id: "stop", conversation: "a" });
    await store.inbox.accept({ ...anOffer(stop), lane: controlLane("a"), kind: "command" });
    await advance(500);
    expect(ids()).toEqual(["a", "stop"]);
    await finish(1);
    await finish(0);
    expect(ids()).toEqual(["a", "stop", "b"]);
  });

  it("never runs more than it may at once, and goes on as soon as there is room", async () => {
    const dispatcher = await start({ concurrency: 2 });
    for (const id of ["a", "b", "c", "d"]) await accept(id);
    expect(ids()).toEqual(["a", "b"]);
    await finish(1);
    expect(ids()).toEqual(["a", "b", "c"]);
    await finish(0);
    expect(ids()).toEqual(["a", "b", "c", "d"]);
    expect(dispatcher.running).toBe(2);
  });

  it("goes on claiming when a claim fails", async () => {
    let fails = 2;
    await start(
      {},
      {
        claim: async (options) => {
          if (fails-- > 0) throw storeDown;
          return await store.queue.claim(options);
        },
      },
    );
    await accept("a");
    expect(ids()).toEqual([]);
    await advance(250);
    await advance(250);
    expect(ids()).toEqual(["a"]);
  });

  it("goes on claiming when it cannot be told what is ready", async () => {
    let fails = 1;
    await start(
      {},
      {
        ready: async (signal) => {
          if (fails-- > 0) throw storeDown;
          await store.queue.ready(signal);
        },
      },
    );
    await accept("a");
    await advance(250);
    expect(ids()).toEqual(["a"]);
  });

  it("beats at least every ten seconds while there is nothing to do", async () => {
    const dispatcher = await start();
    for (let n = 0; n < 7; n++) await advance(10_000);
    expect(clock.nowMs() - dispatcher.lastBeatMs).toBeLessThanOrEqual(10_000);
  });

  it("beats also while it has all that it may run", async () => {
    const dispatcher = await start({ concurrency: 1 });
    await accept("a");
    await accept("b");
    for (let n = 0; n < 7; n++) await advance(10_000);
    expect(ids()).toEqual(["a"]);
    expect(clock.nowMs() - dispatcher.lastBeatMs).toBeLessThanOrEqual(10_000);
  });
});

describe("a failure", () => {
  const busy = new ModelError("MODEL_OVERLOADED", "busy", { retryable: true });

  it("is tried again after its delay, and given up after its last attempt", async () => {
    await start();
    await accept("a");
    await fail(0, busy);
    expect(await recordOf("a")).toMatchObject({ state: "retrying", cause: "MODEL_OVERLOADED: busy" });
    await advance(1_499);
    expect(begun).toHaveLength(1);
    await advance(1);
    expect(work(1).job.attempt).toBe(2);

    await fail(1, busy);
    await advance(3_000);
    await fail(2, busy);
    expect(await recordOf("a")).toMatchObject({ state: "dead", attempt: 3 });
    expect(await countOf(metrics, "retries", { stage: "event" })).toBe(2);
    expect(await countOf(metrics, "deadLetters", { platform: "slack" })).toBe(1);
  });

  it("that is nobody's fault uses up no attempt", async () => {
    await start();
    await accept("a");
    for (let n = 0; n < ATTEMPTS_MAX + 2; n++) {
      await fail(n, new BreakerOpen("slack", 5_000));
      expect(await recordOf("a")).toMatchObject({ state: "queued" });
      await advance(5_000);
    }
    expect(begun.map(({ job }) => job.attempt)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(await countOf(metrics, "retries")).toBe(0);
  });

  it("does not hold other conversations", async () => {
    await start({ concurrency: 1 });
    await accept("a");
    await accept("b");
    await fail(0, busy);
    expect(ids()).toEqual(["a", "b"]);
  });

  it("thrown before there is a promise is a failure like any other", async () => {
    await start({
      work: () => {
        throw new TypeError("x is not a function");
      },
    });
    await accept("a");
    expect(await recordOf("a")).toMatchObject({ state: "retrying", cause: "TypeError: x is not a function" });
  });
});

describe("a lease", () => {
  it("is kept for as long as the work takes", async () => {
    await start();
    await accept("a");
    for (let n = 0; n < 12; n++) {
      await advance(RENEWAL_MS);
      expect(await store.queue.claim({ jobsMax: 1, leaseMs: LEASE_MS })).toEqual([]);
    }
    await finish(0);
    expect(await recordOf("a")).toMatchObject({ state: "done", attempt: 1 });
    expect(begun).toHaveLength(1);
  });

  it("that is lost aborts the work, and nothing is settled", async () => {
    let settlements = 0;
    await start(
      {},
      {
        extend: async () => false,
        settle: async (job, settlement) => {
          settlements += 1;
          return await store.queue.settle(job, settlement);
        },
      },
    );
    await accept("a");
    const { signals } = work(0);
    expect(signals.job.aborted).toBe(false);
    await advance(RENEWAL_MS);
    expect(signals.job.reason).toMatchObject({ why: "lease-lost" });
    expect(signals.run.aborted).toBe(true);
    // Whatever the work says broke, it broke because of the abort.
    await fail(0, new DeliveryError("unknown", "aborted"));
    expect(settlements).toBe(0);
  });

  it("that is lost just before the end changes nothing for the next holder", async () => {
    await start({ concurrency: 1 });
    await accept("a");
    clock.advance(LEASE_MS + 1); // Without a turn for the renewal.
    const next = await claimOne(store.queue);
    await finish(0);
    expect((await recordOf("a")).state).toBe("running");
    expect(await store.queue.settle(next, DONE)).toBe(true);
  });

  it("that ran out while the store was away is renewed before the store is asked for work, and the work goes on", async () => {
    let isAway = false;
    await start(
      {},
      {
        claim: async (options) => {
          if (isAway) throw storeDown;
          return await store.queue.claim(options);
        },
        extend: async (job, leaseMs) => {
          if (isAway) throw storeDown;
          return await store.queue.extend(job, leaseMs);
        },
      },
    );
    await accept("a");
    isAway = true;
    await accept("b");
    await advance(3 * LEASE_MS);
    isAway = false;
    for (let ms = 0; ms < RENEWAL_MS; ms += 250) await advance(250);
    expect(ids()).toEqual(["a", "b"]);
    expect(work(0).signals.job.aborted).toBe(false);
    await finish(0);
    expect(await recordOf("a")).toMatchObject({ state: "done", attempt: 1 });
  });

  it("that could not be renewed in time is claimed again, and begun when the work before has ended", async () => {
    let isAway = true;
    let isClaimedAgain = false;
    await start(
      {},
      {
        claim: async (options) => {
          if (isAway && begun.length > 0) throw storeDown;
          const jobs = await store.queue.claim(options);
          isClaimedAgain ||= jobs.some(({ attempt }) => attempt > 1);
          return jobs;
        },
        extend: async (job, leaseMs) => {
          if (isAway || !isClaimedAgain) throw storeDown;
          return await store.queue.extend(job, leaseMs);
        },
      },
    );
    await accept("a");
    await advance(LEASE_MS);
    isAway = false;
    for (let ms = 0; ms < RENEWAL_MS; ms += 250) await advance(250);
    expect(work(0).signals.job.reason).toMatchObject({ why: "lease-lost" });
    expect(begun).toHaveLength(1);
    await fail(0, work(0).signals.job.reason);
    expect(ids()).toEqual(["a", "a"]);
    expect(work(1).job.attempt).toBe(2);
    await finish(1);
    expect(await recordOf("a")).toMatchObject({ state: "done" });
  });

  it("is looked for before the work begins when the claim was answered late, and nothing begins without it", async () => {
    let isLate = true;
    await start(
      {},
      {
        claim: async (options) => {
          const jobs = await store.queue.claim(options);
          if (!isLate || jobs.length === 0) return jobs;
          isLate = false;
          clock.advance(LEASE_MS + 1);
          await claimOne(store.queue);
          return jobs;
        },
      },
    );
    await accept("a");
    expect(isLate).toBe(false);
    expect(begun).toEqual([]);
    expect(await recordOf("a")).toMatchObject({ state: "running", attempt: 2 });
  });

  it("survives two renewals in a row that fail", async () => {
    let fails = 2;
    await start(
      {},
      {
        extend: async (job, leaseMs) => {
          if (fails-- > 0) throw storeDown;
          return await store.queue.extend(job, leaseMs);
        },
      },
    );
    await accept("a");
    for (let n = 0; n < 8; n++) await advance(RENEWAL_MS);
    expect(work(0).signals.job.aborted).toBe(false);
    await finish(0);
    expect(await recordOf("a")).toMatchObject({ state: "done", attempt: 1 });
  });

  it("is renewed soon after the store is back, however long that was away", async () => {
    let isAway = true;
    const renewedAtMs: number[] = [];
    await start(
      {},
      {
        extend: async (job, leaseMs) => {
          if (isAway) throw storeDown;
          renewedAtMs.push(clock.nowMs());
          return await store.queue.extend(job, leaseMs);
        },
      },
    );
    await accept("a");
    await advance(RENEWAL_MS);
    isAway = false;
    const backAtMs = clock.nowMs();
    await advance(500);
    expect(renewedAtMs).toEqual([backAtMs + 500]);
    await finish(0);
  });

  it("is renewed no longer once the work is settled", async () => {
    let renewals = 0;
    await start(
      {},
      {
        extend: async (job, leaseMs) => {
          renewals += 1;
          return await store.queue.extend(job, leaseMs);
        },
      },
    );
    await accept("a");
    await finish(0);
    await advance(LEASE_MS);
    expect(renewals).toBe(0);
  });
});

describe("a settlement that cannot be stored", () => {
  it("is repeated until it is, and the work is not done again", async () => {
    let fails = 3;
    const dispatcher = await start(
      {},
      {
        settle: async (job, settlement) => {
          if (fails-- > 0) throw storeDown;
          return await store.queue.settle(job, settlement);
        },
      },
    );
    await accept("a");
    await finish(0);
    for (let n = 0; n < 3; n++) {
      expect(dispatcher.running).toBe(1);
      await advance(250);
    }
    expect(dispatcher.running).toBe(0);
    expect((await recordOf("a")).state).toBe("done");
    expect(begun).toHaveLength(1);
  });

  it("is given up when the lease would be over, so that the slot is free again", async () => {
    let tries = 0;
    const dispatcher = await start(
      {},
      {
        settle: async () => {
          tries += 1;
          throw storeDown;
        },
      },
    );
    await accept("a");
    await finish(0);
    for (let ms = 0; ms <= LEASE_MS; ms += 250) await advance(250);
    expect(dispatcher.running).toBe(0);
    expect(tries).toBeGreaterThan(100);
    const triesBefore = tries;
    await advance(LEASE_MS / 2);
    expect(tries).toBe(triesBefore);
  });

  it("because the store is closed is not repeated", async () => {
    let tries = 0;
    const dispatcher = await start(
      {},
      {
        settle: async () => {
          tries += 1;
          throw new GatewayError("STORE_CLOSED", "closed");
        },
      },
    );
    await accept("a");
    await finish(0);
    expect([tries, dispatcher.running]).toEqual([1, 0]);
  });
});

describe("a drain", () => {
  /** Stops it, and tells when that is over. */
  function drain(dispatcher: Dispatcher): { isOver: boolean; over: Promise<void> } {
    const state = { isOver: false, over: Promise.resolve() };
    state.over = dispatcher.stop(DRAIN_MS).then(() => {
      state.isOver = true;
    });
    return state;
  }

  it("of an idle dispatcher ends at once", async () => {
    await (await start()).stop(DRAIN_MS);
    await accept("a");
    expect(begun).toEqual([]);
  });

  it("waits for what runs, and claims no more", async () => {
    const dispatcher = await start();
    await accept("a");
    const state = drain(dispatcher);
    await accept("b");
    await advance(DRAIN_MS - 1);
    expect(state.isOver).toBe(false);
    await finish(0);
    await state.over;
    expect(ids()).toEqual(["a"]);
    expect(work(0).signals.job.aborted).toBe(false);
    expect([(await recordOf("a")).state, (await recordOf("b")).state]).toEqual(["done", "queued"]);
  });

  it("waits no longer for what runs because a claim took a part of its time", async () => {
    const answered = Promise.withResolvers<readonly Job[]>();
    let hangs = false;
    const dispatcher = await start(
      {},
      { claim: (options) => (hangs ? answered.promise : store.queue.claim(options)) },
    );
    await accept("a");
    hangs = true;
    await accept("b");
    const state = drain(dispatcher);
    work(0).signals.job.addEventListener("abort", () => work(0).fail(work(0).signals.job.reason));
    await advance(DRAIN_MS - 1);
    answered.resolve([]);
    await calm();
    expect(state.isOver).toBe(false);
    await advance(1);
    await state.over;
    expect(await recordOf("a")).toMatchObject({ state: "queued", cause: "draining" });
  });

  it("hands back what is left after its time, and no attempt is used up", async () => {
    const dispatcher = await start();
    await accept("a");
    const state = drain(dispatcher);
    const { signals } = work(0);
    signals.job.addEventListener("abort", () => work(0).fail(signals.job.reason));
    await calm();
    await advance(DRAIN_MS);
    await state.over;
    expect(await recordOf("a")).toMatchObject({ state: "queued", cause: "draining" });
    expect((await claimOne(store.queue)).attempt).toBe(1);
  });

  it("hands back what broke because of it, whatever broke", async () => {
    const dispatcher = await start();
    await accept("a");
    const state = drain(dispatcher);
    work(0).signals.job.addEventListener("abort", () => work(0).fail(new DeliveryError("unknown", "cut")));
    await calm();
    await advance(DRAIN_MS);
    await state.over;
    expect(await recordOf("a")).toMatchObject({ state: "queued", cause: "draining" });
  });

  it("does not wait for ever for work that does not heed it", async () => {
    const dispatcher = await start();
    await accept("a");
    const state = drain(dispatcher);
    await calm();
    await advance(DRAIN_MS);
    expect(state.isOver).toBe(false);
    await advance(2_000);
    expect(state.isOver).toBe(true);
  });

  it("of a dispatcher that has all that it may run takes no longer than any other", async () => {
    const dispatcher = await start({ concurrency: 1 });
    await accept("a");
    await accept("b");
    const state = drain(dispatcher);
    await calm();
    await advance(DRAIN_MS);
    await advance(2_000);
    expect(state.isOver).toBe(true);
    expect(ids()).toEqual(["a"]);
  });
});

describe("a pause", () => {
  it("hands back all that runs and goes on claiming", async () => {
    const dispatcher = await start();
    await accept("a");
    const { signals } = work(0);
    signals.job.addEventListener("abort", () => work(0).fail(signals.job.reason));
    dispatcher.handBack();
    await calm();
    expect(begun.map(({ job }) => [job.event.id, job.attempt])).toEqual([
      ["a", 1],
      ["a", 1],
    ]);
  });
});

describe("a run that a person stops", () => {
  it("is told by its own signal, and by no other", async () => {
    await start();
    await accept("a1", "a");
    await accept("b1", "b");
    expect(await store.lanes.signal("a", A_STOP)).toEqual({ state: "running", isKept: true });
    await calm();
    expect(work(0).signals.run.reason).toEqual(new RunAborted("stopped"));
    expect(work(0).signals.job.aborted).toBe(false);
    expect(work(1).signals.run.aborted).toBe(false);
  });

  it("is told with the next renewal of its lease when the word did not reach it", async () => {
    let isDeaf = true;
    const bus: DispatcherDeps["bus"] = {
      subscribe: (topic, heard) =>
        store.bus.subscribe(topic, (message) => {
          if (!isDeaf) heard(message);
        }),
    };
    await start({ bus });
    await accept("a");
    await store.lanes.signal("a", A_STOP);
    await calm();
    expect(work(0).signals.run.aborted).toBe(false);
    isDeaf = false;
    await advance(RENEWAL_MS);
    expect(work(0).signals.run.reason).toEqual(new RunAborted("stopped"));
  });

  it("ends at once when the word came before what it is about", async () => {
    await start(
      {},
      {
        async claim(options) {
          const jobs = await store.queue.claim(options);
          if (jobs.some(({ lane }) => lane === "a")) {
            await store.lanes.signal("a", A_STOP);
            await calm();
          }
          return jobs;
        },
      },
    );
    await accept("a");
    await calm();
    await accept("b");
    expect(begun.map(({ job }) => [job.event.id, job.signals])).toEqual([
      ["a", [A_STOP]],
      ["b", []],
    ]);
  });

  it("hears what else is said to it, once each, and goes on", async () => {
    await start();
    await accept("a1", "a");
    const interrupt = { kind: "interrupt", byEvent: "a2" } as const;
    await store.lanes.signal("a", interrupt);
    await store.lanes.signal("b", A_STOP);
    await calm();
    expect(work(0).signals.heard()).toEqual([interrupt]);
    await advance(RENEWAL_MS);
    await store.lanes.signal("a", interrupt);
    expect(work(0).signals.heard()).toEqual([interrupt]);
    expect(work(0).signals.run.aborted).toBe(false);
  });

  it("is not told any more once the dispatcher has stopped", async () => {
    const dispatcher = await start();
    await dispatcher.stop(0);
    await accept("a");
    await claimOne(store.queue);
    expect(await store.lanes.signal("a", A_STOP)).toEqual({ state: "running", isKept: true });
    await calm();
    expect(begun).toEqual([]);
  });
});
