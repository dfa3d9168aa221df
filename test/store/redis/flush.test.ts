import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aProgress, aTurn } from "../../contract/store.ts";
import { FakeClock } from "../../support/clock.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { DONE, isPending, LEASE_MS, openBench, type RedisBench } from "./bench.ts";

const LOST = "lost everything";

describe("a FLUSHALL", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ fsync: "no" });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  /** The test's clock stands still, and Redis has no sooner lost everything than time goes on. */
  async function flush(clock: FakeClock): Promise<void> {
    await redis.flushAll();
    clock.advance(1);
  }

  /** Two that share everything but their names. */
  async function two(): Promise<readonly [RedisBench, RedisBench, FakeClock]> {
    const clock = new FakeClock();
    const one = await openBench(redis, { clock });
    return [one, await openBench(redis, { clock, prefix: one.prefix, owner: "two" }), clock];
  }

  it("takes a running job's lease for every purpose, also from one that has the same place since", async () => {
    const [one, other, clock] = await two();
    await one.accept({ id: "a" });
    const old = await one.claimOne();
    await one.store.outbox.reserve(old, "a/0");
    await flush(clock);
    await other.accept({ id: "b" });
    const young = await other.claimOne();
    expect(young.token).toBeGreaterThan(old.token);
    expect((await one.store.journal.find("b"))?.seq).toBe(1);

    await one.store.outbox.record("a/0", { messageId: "m1", via: "test" });
    expect(await one.store.outbox.reserve(old, "a/1")).toEqual({ kind: "lost" });
    expect(await one.store.queue.checkpoint(old, aProgress("x"))).toBe(false);
    expect(await one.store.queue.extend(old, LEASE_MS)).toBe(false);
    expect(await one.store.queue.settle(old, { ...DONE, turns: [aTurn("hello")] })).toBe(false);
    expect(await one.store.memory.recall("c1", { turnsMax: 9, sinceMs: 0 })).toEqual([]);
    expect(await other.store.outbox.reserve(young, "b/0")).toEqual({ kind: "fresh", sendsBefore: 0 });
    expect(await other.store.journal.find("b")).toMatchObject({ state: "running", progress: null });
    expect(await other.done(young)).toBe(true);
  });

  it("loses the lease when the settlement comes first", async () => {
    const [one, , clock] = await two();
    await one.accept({ id: "a" });
    const job = await one.claimOne();
    await flush(clock);
    expect(await one.done(job)).toBe(false);
    expect(await one.store.journal.find("a")).toBeNull();
    expect(await one.accept({ id: "a" })).toEqual({ kind: "accepted" });
    expect(await one.drain()).toEqual(["a"]);
  });

  it("leaves an empty journal, which may be read before anything is written", async () => {
    const [one, , clock] = await two();
    await one.accept({ id: "a" });
    await flush(clock);
    expect(await one.store.journal.find("a")).toBeNull();
    expect(await one.store.journal.list({ limit: 9 })).toEqual([]);
    expect(await one.store.journal.list({ state: "queued", limit: 9 })).toEqual([]);
    expect(await one.store.journal.stats()).toMatchObject({
      queued: 0,
      running: 0,
      oldestAcceptedAtMs: null,
    });
    expect(await one.store.lanes.stateOf("c1")).toBe("idle");
    expect(await one.store.archive.replay("a", { by: "ann", mode: "anew", states: ["done"] })).toBe(
      "unknown",
    );
    expect(await one.store.archive.drop("a", "ann")).toBe(false);
    expect(await one.store.sweep({ finishedMs: 1, deadMs: 1, turnsMs: 1 })).toBe(0);
    await one.store.memory.forget("c1");
  });

  it("is said once in the log, by everyone who finds it", async () => {
    const [one, other, clock] = await two();
    await one.accept({ id: "a" });
    await flush(clock);
    for (const bench of [one, other, one, other]) await bench.claim();
    await one.accept({ id: "b" });
    await one.drain();
    await other.claim();
    for (const { lines } of [one, other]) expect(lines.filter((line) => line.includes(LOST))).toHaveLength(1);
  });

  it("is said once, too, when the first to look only reads", async () => {
    const [one, , clock] = await two();
    await flush(clock);
    const back = one.back();
    one.proxy.cut();
    await back;
    await one.logged(LOST);
    await one.claim();
    await one.accept({ id: "a" });
    await one.drain();
    expect(one.lines.filter((line) => line.includes(LOST))).toHaveLength(1);
  });

  it("wakes those who wait for what comes after it, who had heard many wakes before", async () => {
    const [one, other, clock] = await two();
    for (let i = 0; i < 20; i++) {
      await other.accept({ id: `a${i}` });
      await one.drain();
    }
    await one.claim();
    const ready = one.store.queue.ready(AbortSignal.timeout(10_000));
    await flush(clock);
    await other.accept({ id: "b" });
    await ready;
    expect(await one.drain()).toEqual(["b"]);
  });
});

describe("a server that took over without the newest wakes", () => {
  it("is believed: nobody claims in vain again and again, nor misses what comes", async () => {
    await using redis = await startRedis({ fsync: "no" });
    const one = await openBench(redis);
    const two = await openBench(redis, { prefix: one.prefix, owner: "two" });
    for (let i = 0; i < 20; i++) {
      await two.accept({ id: `a${i}` });
      await one.drain();
    }
    await redis.cli("HINCRBY", `{${one.prefix}}:meta`, "wake", -10);
    expect(await one.claim()).toEqual([]);
    const ready = one.store.queue.ready(AbortSignal.timeout(10_000));
    expect(await isPending(ready, one.store)).toBe(true);
    await two.accept({ id: "b" });
    await ready;
    expect(await one.drain()).toEqual(["b"]);
  });
});
