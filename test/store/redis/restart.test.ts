import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/system/clock.ts";
import { aProgress, aTurn } from "../../contract/store.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { DONE, LEASE_MS, openBench, type RedisBench } from "./bench.ts";

describe("a Redis that forgets its scripts", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ fsync: "no" });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  it("is told them again, each where it is needed", async () => {
    const bench = await openBench(redis);
    const { store } = bench;
    const forgetting = async <T>(call: () => Promise<T>): Promise<T> => {
      await redis.cli("SCRIPT", "FLUSH");
      return await call();
    };
    expect(await forgetting(() => bench.accept({ id: "a" }))).toEqual({ kind: "accepted" });
    expect(await forgetting(() => bench.accept({ id: "a" }))).toEqual({ kind: "duplicate" });
    const job = await forgetting(() => bench.claimOne());
    expect(await forgetting(() => store.queue.extend(job, LEASE_MS))).toBe(true);
    expect(await forgetting(() => store.queue.checkpoint(job, aProgress("half")))).toBe(true);
    expect(await forgetting(() => store.outbox.reserve(job, "a/0"))).toMatchObject({ kind: "fresh" });
    await forgetting(() => store.outbox.record("a/0", { messageId: "m1", via: "test" }));
    expect(await forgetting(() => store.outbox.reserve(job, "a/0"))).toMatchObject({ kind: "sent" });
    expect(await forgetting(() => store.lanes.stateOf("c1"))).toBe("running");
    const end = { ...DONE, turns: [aTurn("hello")] };
    expect(await forgetting(() => store.queue.settle(job, end))).toBe(true);
    const recall = () => store.memory.recall("c1", { turnsMax: 9, sinceMs: 0 });
    expect(await forgetting(recall)).toMatchObject([aTurn("hello")]);
    await forgetting(() => store.memory.forget("c1"));
    expect(await forgetting(() => store.journal.list({ limit: 9 }))).toHaveLength(1);
    const request = { by: "ann", mode: "anew", states: ["done"] } as const;
    expect(await forgetting(() => store.archive.replay("a", request))).toBe("queued");
    await store.queue.settle(await bench.claimOne(), { kind: "dead", cause: "x" });
    expect(await forgetting(() => store.archive.drop("a", "ann"))).toBe(true);
    expect(await forgetting(() => store.journal.find("a"))).toMatchObject({ state: "dropped" });
    const heard = new Promise((resolve) => store.bus.subscribe("topic", resolve));
    await forgetting(() => store.bus.publish("topic", "word"));
    expect(await heard).toBe("word");
    const retention = { finishedMs: 0, deadMs: 0, turnsMs: 0 };
    expect(await forgetting(() => store.sweep(retention))).toBeGreaterThan(0);
  });

  it("keeps the order of events that are accepted one after the other", async () => {
    const bench = await openBench(redis);
    const ids = Array.from({ length: 60 }, (_, i) => `e${i}`);
    for (const [i, id] of ids.entries()) {
      if (i % 7 === 3) await redis.cli("SCRIPT", "FLUSH");
      await bench.accept({ id });
    }
    expect(await bench.drain()).toEqual(ids);
  });

  it("carries out what is asked at once in the order in which it was asked, also the first calls of a process", async () => {
    await redis.cli("SCRIPT", "FLUSH");
    await (await openBench(redis, { owner: "other", prefix: "other" })).store.journal.find("none");
    const bench = await openBench(redis, { owner: "new" });
    const accepted = bench.accept({ id: "first" });
    expect(await bench.store.journal.find("first")).toMatchObject({ state: "queued" });
    expect(await accepted).toEqual({ kind: "accepted" });
  });

  it("keeps the order of what is asked while it forgets, turn upon turn", async () => {
    const bench = await openBench(redis, { limits: { waitingPerLaneMax: 100_000, waitingMax: 100_000 } });
    const ids: string[] = [];
    const asked: Promise<unknown>[] = [];
    for (let round = 0; round < 15; round++) {
      const forgotten = redis.cli("SCRIPT", "FLUSH");
      let isForgotten = false;
      void forgotten.then(() => {
        isForgotten = true;
      });
      for (let i = 0; i < 3 || !isForgotten; i++) {
        const id = `e${ids.length}`;
        ids.push(id);
        asked.push(bench.accept({ id }));
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await Promise.all(asked);
    expect(await bench.drain()).toEqual(ids);
  });

  it("carries out once what many ask for while it forgets", async () => {
    const bench = await openBench(redis);
    const ids = Array.from({ length: 200 }, (_, i) => `e${i}`);
    const accepted = ids.map((id, i) => bench.accept({ id, conversation: `c${i % 10}` }));
    const forgotten = [1, 2, 3].map(() => redis.cli("SCRIPT", "FLUSH"));
    expect(await Promise.all(accepted)).toEqual(ids.map(() => ({ kind: "accepted" })));
    await Promise.all(forgotten);
    expect((await bench.drain()).sort()).toEqual([...ids].sort());
  });
});

describe("a Redis that is killed and started again, with appendfsync always", () => {
  const open = (redis: RedisServer, owner = "one") =>
    openBench(redis, { owner, prefix: "restarted", clock: systemClock, time: "server" });

  it("has everything that was acknowledged, in order, and the work goes on", async () => {
    await using redis = await startRedis({ fsync: "always" });
    const bench = await open(redis);
    await bench.accept({ id: "a" }, { limits: [{ scope: "user", key: "u", messages: 1, perMs: 3_600_000 }] });
    await bench.accept({ id: "b" });
    const job = await bench.claimOne();
    await bench.store.queue.checkpoint(job, aProgress("half"));
    await bench.store.outbox.reserve(job, "a/0");
    const back = bench.back();
    await redis.kill();
    const settled = bench.store.queue.settle(job, { ...DONE, turns: [aTurn("hello")] });
    await bench.logged("Lost the connection");
    await redis.restart();
    await back;
    expect(await settled).toBe(true);
    expect(await bench.store.journal.find("a")).toMatchObject({ state: "done", progress: aProgress("half") });
    expect(await bench.accept({ id: "a" })).toEqual({ kind: "duplicate" });
    const limits = [{ scope: "user", key: "u", messages: 1, perMs: 3_600_000 } as const];
    expect(await bench.accept({ id: "c" }, { limits, isTold: false })).toMatchObject({ kind: "refused" });
    expect(await bench.claimOne()).toMatchObject({ event: { id: "b" }, attempt: 1 });
    expect(bench.lines.join()).not.toContain("lost everything");
  });

  it("loses nothing that was acknowledged while it was killed again and again", async () => {
    await using redis = await startRedis({ fsync: "always" });
    const bench = await open(redis);
    const acknowledged: string[] = [];
    const done: string[] = [];
    let isOver = false;

    async function offer(): Promise<void> {
      for (let n = 0; !isOver; n++) {
        const id = `e${n}`;
        await persist(bench, () => bench.accept({ id, conversation: `c${n % 5}` }));
        acknowledged.push(id);
      }
    }
    async function work(): Promise<void> {
      while (!isOver || done.length < acknowledged.length) {
        for (const job of await persist(bench, () => bench.claim(3))) {
          expect(await bench.done(job)).toBe(true);
          done.push(job.event.id);
        }
      }
    }

    const all = Promise.all([offer(), work()]);
    for (let kills = 0; kills < 3; kills++) {
      await progress(() => done.length, 20);
      await redis.restart();
    }
    await progress(() => done.length, 20);
    isOver = true;
    await all;
    expect([...done].sort()).toEqual([...acknowledged].sort());
    for (let lane = 0; lane < 5; lane++) {
      const ofLane = (ids: readonly string[]) => ids.filter((id) => Number(id.slice(1)) % 5 === lane);
      expect(ofLane(done)).toEqual(ofLane(acknowledged));
    }
  });
});

/** Once more whenever the connection is back, as a platform or the dispatcher would. */
async function persist<T>(bench: RedisBench, call: () => Promise<T>): Promise<T> {
  for (;;) {
    const back = bench.back();
    try {
      return await call();
    } catch (error) {
      expect(error).toMatchObject({ code: "STORE_UNAVAILABLE" });
      await back;
    }
  }
}

async function progress(read: () => number, by: number): Promise<void> {
  const wanted = read() + by;
  while (read() < wanted) await new Promise((resolve) => setImmediate(resolve));
}
