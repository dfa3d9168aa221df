import { setImmediate as nextTick } from "node:timers/promises";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Acceptance } from "../../../src/ports/inbox.ts";
import type { Store } from "../../../src/ports/store.ts";
import { anOffer } from "../../contract/store.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/event.ts";
import { eventually } from "../../support/eventually.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { type RedisSentinel, startReplica, startSentinel } from "../../support/redis-topology.ts";
import { DONE, LEASE_MS, openBench } from "./bench.ts";
import { openInEarnest } from "./setup.ts";

const UNAVAILABLE = { code: "STORE_UNAVAILABLE" };
const SLOW_MS = 30_000;

const offer = ({ inbox }: Store, event: Partial<TriggerEvent>) => inbox.accept(anOffer(anEvent(event)));

/** One that has synchronised counts from when it says so to its master, up to a second later. */
async function startOnlineReplica(master: RedisServer): Promise<RedisServer> {
  const replica = await startReplica(master);
  await master.replicated(1);
  return replica;
}

/** As a platform does that gets no 200. */
async function offerUntilTaken(store: Store, event: Partial<TriggerEvent>): Promise<Acceptance> {
  for (;;) {
    try {
      return await offer(store, event);
    } catch (error) {
      expect(error).toMatchObject(UNAVAILABLE);
      await nextTick();
    }
  }
}

describe("a failover by Sentinel", () => {
  it(
    "is followed to the new master, which has all that a replica was waited for",
    async () => {
      await using master = await startRedis();
      await using replica = await startOnlineReplica(master);
      await using sentinel = await startSentinel(master);
      const lines: string[] = [];
      await using store = await openInEarnest(
        {
          url: "redis://name.that.is.not.used",
          sentinel: { name: sentinel.name, nodes: [`127.0.0.1:${sentinel.port}`], password: null },
          waitReplicas: 1,
        },
        { lines },
      );
      await offerUntilTaken(store, { id: "a" });
      const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: LEASE_MS });
      if (job === undefined) throw new Error("Expected a job");
      await offerUntilTaken(store, { id: "b" });
      const heard = new Promise((resolve) => store.bus.subscribe("topic", resolve));

      await master.kill();
      const settled = store.queue.settle(job, DONE);
      await expect(offer(store, { id: "c" })).rejects.toMatchObject(UNAVAILABLE);
      expect(await sentinel.failedOver()).toBe(replica.port);
      expect(await settled).toBe(true);
      // Sentinel tells more than once, and each time the connection is made anew: what is asked just then is refused.
      const found = await eventually(() => store.journal.find("a"), SLOW_MS);
      expect(found).toMatchObject({ state: "done" });
      const claim = () => store.queue.claim({ jobsMax: 9, leaseMs: LEASE_MS });
      const [next] = await eventually(claim, SLOW_MS);
      expect(next).toMatchObject({ event: { id: "b" } });
      expect(lines.join()).not.toContain("lost everything");
      // The listener follows, too.
      const saying = setInterval(() => void store.bus.publish("topic", "word"), 10);
      expect(await heard).toBe("word");
      clearInterval(saying);
      // And nobody has it but the new master.
      await expect(offer(store, { id: "d" })).rejects.toMatchObject(UNAVAILABLE);
    },
    SLOW_MS,
  );

  it(
    "that was ordered is followed before the old master hears of it",
    async () => {
      await using master = await startRedis();
      await using replica = await startOnlineReplica(master);
      await using sentinel = await startSentinel(master);
      const nodes = [`127.0.0.1:${sentinel.port}`];
      await using store = await openInEarnest({
        url: master.url,
        sentinel: { name: sentinel.name, nodes, password: null },
      });
      await offer(store, { id: "a" });
      await master.replicated(1);
      await orderFailover(sentinel);
      expect(await sentinel.failedOver()).toBe(replica.port);
      for (let n = 0; (await replica.cli("EXISTS", `{earnest}:k:e${n}`)) === 0; n++)
        await offerUntilTaken(store, { id: `e${n + 1}` });
      expect(await master.cli("ROLE")).toContain("master");
      const jobs = await store.queue.claim({ jobsMax: 9, leaseMs: LEASE_MS });
      expect(jobs[0]).toMatchObject({ event: { id: "a" } });
    },
    SLOW_MS,
  );
});

/** It refuses for a while, until it has heard enough of the replica. */
async function orderFailover({ port, name }: RedisSentinel): Promise<void> {
  const client = new Redis({ port });
  for (;;) {
    try {
      await client.call("SENTINEL", "FAILOVER", name);
      return client.disconnect();
    } catch (error) {
      expect(String(error)).toContain("NOGOODSLAVE");
    }
  }
}

describe("an event that replicas must have", () => {
  it("is not acknowledged without one, and is a duplicate once there is", async () => {
    await using master = await startRedis();
    const bench = await openBench(master, { connection: { waitReplicas: 1 } });
    for (let tries = 0; tries < 3; tries++) {
      await expect(bench.accept({ id: "a" })).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining("expected 1 replicas to have the event in 400 ms, got 0"),
      });
    }
    // Nothing else waits for them.
    const job = await bench.claimOne();
    expect(await bench.done(job)).toBe(true);
    await using _ = await startOnlineReplica(master);
    expect(await offerUntilTaken(bench.store, { id: "a" })).toEqual({ kind: "duplicate" });
    expect(await bench.accept({ id: "b" })).toEqual({ kind: "accepted" });
  });

  it("is not acknowledged by one that does not answer, and keeps nobody else waiting for long", async () => {
    await using master = await startRedis();
    await using replica = await startOnlineReplica(master);
    const bench = await openBench(master, { connection: { waitReplicas: 1 } });
    await bench.accept({ id: "a" });
    const job = await bench.claimOne();
    replica.pause();
    const refused = Array.from({ length: 50 }, (_, n) =>
      bench.accept({ id: `b${n}`, conversation: `c${n}` }),
    );
    // Each for itself would hold the connection for half a minute.
    const settled = bench.done(job);
    const outcomes = await Promise.allSettled(refused);
    expect(outcomes.map(({ status }) => status)).toEqual(refused.map(() => "rejected"));
    expect(await settled).toBe(true);
    replica.resume();
    expect(await offerUntilTaken(bench.store, { id: "b1" })).toEqual({ kind: "duplicate" });
  });

  it("is acknowledged to all who came while others were waited for", async () => {
    await using master = await startRedis();
    await using _ = await startOnlineReplica(master);
    const times = { briefMs: SLOW_MS, silentMs: SLOW_MS };
    const bench = await openBench(master, { connection: { waitReplicas: 1 }, times });
    const first = bench.accept({ id: "a" });
    await nextTick();
    const others = Array.from({ length: 50 }, (_, n) => bench.accept({ id: `b${n}` }));
    expect(await Promise.all([first, ...others])).toEqual(Array(51).fill({ kind: "accepted" }));
  });
});

describe("a failover to a replica that lacked the newest claims", () => {
  /** Two processes on a master whose replica has fallen behind, and how to fail over to it. */
  async function setUp() {
    const clock = new FakeClock();
    const master = await startRedis();
    const replica = await startOnlineReplica(master);
    const one = await openBench(master, { clock });
    await one.accept({ id: "a", conversation: "c1" });
    await one.accept({ id: "b", conversation: "c2" });
    await master.replicated(1);
    await replica.cli("REPLICAOF", "NO", "ONE");
    return {
      one,
      replica,
      async failOver() {
        clock.advance(1);
        const back = one.back();
        one.proxy.target = replica.port;
        one.proxy.cut();
        await back;
      },
      openOther: () => openBench(replica, { clock, prefix: one.prefix, owner: "two" }),
      async [Symbol.asyncDispose]() {
        await one.store[Symbol.asyncDispose]();
        await master[Symbol.asyncDispose]();
        await replica[Symbol.asyncDispose]();
      },
    };
  }

  it("ends them, for whoever got them is told nothing else", async () => {
    await using world = await setUp();
    const [old] = await world.one.claim(1);
    if (old === undefined) throw new Error("Expected a job");
    await world.failOver();
    const other = await world.openOther();
    const [young] = await other.claim(1);
    expect(young?.event.id).toBe(old.event.id);
    expect(young?.token).toBeGreaterThan(old.token);
    expect(await world.one.store.queue.extend(old, LEASE_MS)).toBe(false);
    expect(await world.one.done(old)).toBe(false);
    expect(young && (await other.done(young))).toBe(true);
    await other.store[Symbol.asyncDispose]();
  });

  it("lets none of them stand for another event of the same process", async () => {
    await using world = await setUp();
    const [old] = await world.one.claim(1);
    if (old === undefined) throw new Error("Expected a job");
    await world.failOver();
    const other = await world.openOther();
    await other.claim(1);
    const [young] = await world.one.claim(1);
    expect(old.event.id).toBe("a");
    expect(young?.event.id).toBe("b");
    expect(await world.one.done(old)).toBe(false);
    expect(await world.one.store.journal.find("a")).toMatchObject({ state: "running" });
    expect(await world.one.store.journal.find("b")).toMatchObject({ state: "running" });
    expect(young && (await world.one.done(young))).toBe(true);
    await other.store[Symbol.asyncDispose]();
  });
});
