import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job } from "../../../src/ports/queue.ts";
import type { ScriptName } from "../../../src/store/redis/scripts.ts";
import { aProgress, aTurn } from "../../contract/store.ts";
import { A_STOP } from "../../support/event.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { calls, DONE, openBench, type RedisBench } from "./bench.ts";

const receipt = { messageId: "m1", via: "test" };
const UNAVAILABLE = { code: "STORE_UNAVAILABLE" };

/** A call for a running turn, and what shows that it was carried out once. */
interface Step {
  readonly script: ScriptName;
  readonly what: string;
  readonly call: (bench: RedisBench, job: Job) => Promise<unknown>;
  readonly expected: unknown;
  readonly check: (bench: RedisBench, job: Job) => Promise<void>;
}

const steps: readonly Step[] = [
  {
    script: "settle",
    what: "an end with turns",
    call: ({ store }, job) => store.queue.settle(job, { ...DONE, turns: [aTurn("hello")] }),
    expected: true,
    async check(bench) {
      expect(await bench.store.memory.recall("c1", { turnsMax: 9, sinceMs: 0 })).toMatchObject([
        aTurn("hello"),
      ]);
      expect(await bench.store.journal.find("a")).toMatchObject({ state: "done", attempt: 1 });
      expect(await bench.claimOne()).toMatchObject({ event: { id: "b" } });
    },
  },
  {
    script: "settle",
    what: "a failure",
    call: ({ store }, job) => store.queue.settle(job, { kind: "retry", afterMs: 0, cause: "x" }),
    expected: true,
    async check(bench) {
      expect(await bench.claimOne()).toMatchObject({
        event: { id: "a" },
        attempt: 2,
        failures: 1,
        crashes: 0,
      });
    },
  },
  {
    script: "settle",
    what: "a deferral",
    call: ({ store }, job) => store.queue.settle(job, { kind: "defer", afterMs: 0, cause: "x" }),
    expected: true,
    async check(bench) {
      expect(await bench.claimOne()).toMatchObject({ event: { id: "a" }, attempt: 1, failures: 0 });
    },
  },
  {
    script: "reserve",
    what: "a reservation",
    call: ({ store }, job) => store.outbox.reserve(job, "a/0"),
    expected: { kind: "fresh", sendsBefore: 0 },
    async check({ store }, job) {
      expect(await store.outbox.reserve(job, "a/0")).toMatchObject({ kind: "in-doubt", sendsBefore: 1 });
    },
  },
  {
    script: "record",
    what: "a receipt",
    async call({ store }, job) {
      await store.outbox.reserve(job, "a/0");
      return await store.outbox.record("a/0", receipt);
    },
    expected: undefined,
    async check({ store }, job) {
      expect(await store.outbox.reserve(job, "a/0")).toEqual({ kind: "sent", receipt });
    },
  },
  {
    script: "record",
    what: "a preview",
    async call({ store }, job) {
      await store.outbox.reserve(job, "a/0");
      return await store.outbox.record("a/0", { kind: "shown", receipt });
    },
    expected: undefined,
    async check({ store }, job) {
      expect(await store.outbox.reserve(job, "a/0")).toEqual({ kind: "shown", receipt });
    },
  },
  {
    script: "checkpoint",
    what: "progress",
    call: ({ store }, job) => store.queue.checkpoint(job, aProgress("half")),
    expected: true,
    async check({ store }) {
      expect(await store.journal.find("a")).toMatchObject({ progress: aProgress("half"), attempt: 1 });
    },
  },
  {
    script: "reserve",
    what: "an answer that begins to be said",
    call: ({ store }, job) => store.outbox.begin(job, aProgress("whole"), "a/0"),
    expected: { kind: "fresh", sendsBefore: 0 },
    async check({ store }) {
      expect(await store.journal.find("a")).toMatchObject({ progress: aProgress("whole") });
    },
  },
  {
    script: "recall",
    what: "a look into the memory",
    call: ({ store }) => store.memory.recall("c1", { turnsMax: 9, sinceMs: 0 }),
    expected: [],
    check: async () => {},
  },
  {
    script: "forget",
    what: "forgetting",
    call: ({ store }) => store.memory.forget("c1"),
    expected: undefined,
    async check({ store }, job) {
      await store.queue.settle(job, { ...DONE, turns: [aTurn("before")] });
      expect(await store.memory.recall("c1", { turnsMax: 9, sinceMs: 0 })).toEqual([]);
    },
  },
  {
    script: "withdraw",
    what: "a message that is taken back",
    call: ({ store }) => store.memory.withdraw("a"),
    expected: "live",
    async check({ store }, job) {
      await store.queue.settle(job, { ...DONE, turns: [aTurn("before")] });
      expect(await store.memory.recall("c1", { turnsMax: 9, sinceMs: 0 })).toEqual([]);
    },
  },
  {
    script: "signal",
    what: "asking for a stop",
    call: ({ store }) => store.lanes.signal("c1", A_STOP),
    expected: { state: "running", isKept: true },
    async check(bench, job) {
      await bench.store.queue.settle(job, { kind: "retry", afterMs: 0, cause: "x" });
      expect(await bench.claimOne()).toMatchObject({ signals: [A_STOP] });
    },
  },
];

describe("a connection that is cut", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ fsync: "no" });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  describe.each(steps)("during $what", ({ script, call, expected, check }) => {
    it.each(["loseAnswer", "loseCommand"] as const)("is one call in the end (%s)", async (loses) => {
      const bench = await openBench(redis);
      await bench.accept({ id: "a" });
      await bench.accept({ id: "b" });
      const job = await bench.claimOne();
      const cut = bench.proxy[loses](calls(script));
      const answer = call(bench, job);
      await cut;
      expect(await answer).toEqual(expected);
      await check(bench, job);
    });
  });

  it("makes acceptance fail at once; what was stored all the same is a duplicate afterwards", async () => {
    const bench = await openBench(redis);
    const back = bench.back();
    const cut = bench.proxy.loseAnswer(calls("accept"));
    await expect(bench.accept({ id: "a" })).rejects.toMatchObject(UNAVAILABLE);
    await cut;
    await back;
    expect(await bench.accept({ id: "a" })).toEqual({ kind: "duplicate" });
    expect(await bench.drain()).toEqual(["a"]);
  });

  it("makes acceptance fail at once; what never arrived is new afterwards", async () => {
    const bench = await openBench(redis);
    const back = bench.back();
    const cut = bench.proxy.loseCommand(calls("accept"));
    await expect(bench.accept({ id: "a" })).rejects.toMatchObject(UNAVAILABLE);
    await cut;
    await back;
    expect(await bench.accept({ id: "a" })).toEqual({ kind: "accepted" });
    expect(await bench.drain()).toEqual(["a"]);
  });

  it("gives back what a lost claim took, at once and uncounted, and leaves the rest in good hands", async () => {
    const bench = await openBench(redis);
    await bench.accept({ id: "a", conversation: "c1" });
    const held = await bench.claimOne();
    await bench.accept({ id: "b", conversation: "c2" });
    await bench.accept({ id: "c", conversation: "c3" });
    const back = bench.back();
    const cut = bench.proxy.loseAnswer(calls("claim"));
    await expect(bench.claim()).rejects.toMatchObject(UNAVAILABLE);
    await cut;
    await back;
    const jobs = await bench.claim();
    expect(jobs.map(({ event, attempt, crashes }) => ({ id: event.id, attempt, crashes }))).toEqual([
      { id: "b", attempt: 1, crashes: 0 },
      { id: "c", attempt: 1, crashes: 0 },
    ]);
    expect(await bench.done(held)).toBe(true);
  });

  it("asks again for the return of a lost claim when that call is cut, too", async () => {
    const bench = await openBench(redis);
    await bench.accept({ id: "a" });
    for (const script of ["claim", "release", "release"] as const) {
      const back = bench.back();
      const cut = bench.proxy.loseAnswer(calls(script));
      await expect(bench.claim()).rejects.toMatchObject(UNAVAILABLE);
      await cut;
      await back;
    }
    expect(await bench.claimOne()).toMatchObject({ event: { id: "a" }, attempt: 1, crashes: 0 });
  });

  it("leaves no call without an answer, whatever was on its way", async () => {
    const bench = await openBench(redis);
    for (let i = 0; i < 10; i++) await bench.accept({ id: `e${i}`, conversation: `c${i}` });
    const jobs = await bench.claim(9);
    const back = bench.back();
    bench.proxy.stall();
    const brief = [
      bench.accept({ id: "new" }),
      bench.claim(),
      bench.store.journal.find("e1"),
      bench.store.journal.stats(),
      bench.store.journal.list({ limit: 9 }),
      bench.store.sweep({ finishedMs: 1, deadMs: 1, turnsMs: 1 }),
      bench.store.archive.drop("e1", "ann"),
      ...jobs.map((job) => bench.store.queue.extend(job, 1_000)),
    ];
    const lasting = jobs.map((job) => bench.done(job));
    const said = bench.store.bus.publish("topic", "word");
    bench.proxy.cut();
    const outcomes = await Promise.allSettled(brief);
    expect(outcomes.map(({ status }) => status)).toEqual(brief.map(() => "rejected"));
    await said;
    bench.proxy.resume();
    await back;
    expect(await Promise.all(lasting)).toEqual(jobs.map(() => true));
    expect(await bench.drain()).toEqual(["e9"]);
  });

  it("is remade, however often it is refused meanwhile, and then hears what others say", async () => {
    const bench = await openBench(redis);
    const other = await openBench(redis, { prefix: bench.prefix, owner: "two" });
    const ready = bench.store.queue.ready(AbortSignal.timeout(10_000));
    const back = bench.back();
    bench.proxy.refuse();
    await bench.logged("Lost the connection");
    await expect(bench.accept({ id: "a" })).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("no connection"),
    });
    await other.accept({ id: "b" });
    bench.proxy.admit();
    await back;
    await ready;
    expect(await bench.claimOne()).toMatchObject({ event: { id: "b" } });
    const heard = new Promise((resolve) => bench.store.bus.subscribe("topic", resolve));
    await other.store.bus.publish("topic", "word");
    expect(await heard).toBe("word");
  });
});
