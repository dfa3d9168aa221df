import { join } from "node:path";
import { setImmediate as nextTick } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/system/clock.ts";
import { launch } from "../../support/child.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { standStill } from "../../support/stand-still.ts";
import { openBench, type RedisBench } from "./bench.ts";

const UNAVAILABLE = { code: "STORE_UNAVAILABLE" };
/** Shorter than in earnest: what is tested is that they are kept, and in which order. */
const times = { briefMs: 200, silentMs: 1_000 };
const patient = { briefMs: 200, silentMs: 60_000 };

/** Rejected before anything that was sent could have been answered. */
async function isRefusedAtOnce(call: Promise<unknown>): Promise<boolean> {
  return await Promise.race([
    call.then(
      () => false,
      () => true,
    ),
    nextTick(false),
  ]);
}

describe("a Redis that does not answer", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ fsync: "no" });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  const open = (linkTimes = times) =>
    openBench(redis, { times: linkTimes, clock: systemClock, time: "server" });

  /** Held back until it is given up; from then on refused without being sent. */
  async function expectRefusals(bench: RedisBench): Promise<void> {
    const askedAt = performance.now();
    await expect(bench.accept({ id: "late" })).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("has not answered for 200 ms"),
    });
    expect(performance.now() - askedAt).toBeGreaterThanOrEqual(times.briefMs - 1);
    expect(await isRefusedAtOnce(bench.accept({ id: "later" }))).toBe(true);
    expect(await isRefusedAtOnce(bench.store.journal.stats())).toBe(true);
  }

  it("gives no acknowledgement for a second, and none at once from then on", async () => {
    await using own = await startRedis({ fsync: "no" });
    const bench = await openBench(own);
    own.pause();
    const askedAt = performance.now();
    await expect(bench.accept({ id: "a" })).rejects.toMatchObject(UNAVAILABLE);
    expect(performance.now() - askedAt).toBeGreaterThanOrEqual(999);
    expect(await isRefusedAtOnce(bench.accept({ id: "b" }))).toBe(true);
  });

  it("has its whole time again when it was the process that stood still", { timeout: 60_000 }, async () => {
    const bench = await open({ briefMs: 1_000, silentMs: 60_000 });
    redis.pause();
    const accepted = bench.accept({ id: "asked before" });
    await nextTick();
    standStill(2_500);
    redis.resume();
    expect(await accepted).toEqual({ kind: "accepted" });
  });

  it("keeps its connection when it was the process that stood still, for longer than one may be silent", {
    timeout: 60_000,
  }, async () => {
    const bench = await open({ briefMs: 500, silentMs: 1_000 });
    const before = bench.proxy.connections;
    redis.pause();
    const accepted = bench.accept({ id: "asked before it" });
    await nextTick();
    standStill(2_500);
    redis.resume();
    expect(await accepted).toEqual({ kind: "accepted" });
    expect([bench.lines, bench.proxy.connections]).toEqual([[], before]);
    // One that is silent now is given up all the same.
    bench.proxy.stall();
    await expect(bench.accept({ id: "asked after it" })).rejects.toMatchObject(UNAVAILABLE);
    expect(await bench.logged("Lost the connection")).toContain("silent for 1000 ms");
    bench.proxy.resume();
  });

  it.each(["SIGSTOP", "CLIENT PAUSE"])(
    "lets a settlement wait for it, and takes events again as soon as it goes on (%s)",
    async (how) => {
      const bench = await open(patient);
      await bench.accept({ id: "a" });
      const job = await bench.claimOne();
      if (how === "SIGSTOP") redis.pause();
      else await redis.clientPause(1_500);
      const settled = bench.done(job);
      await expectRefusals(bench);
      if (how === "SIGSTOP") redis.resume();
      expect(await settled).toBe(true);
      // It was carried out after all.
      expect(await bench.accept({ id: "late" })).toEqual({ kind: "duplicate" });
      expect(await bench.accept({ id: "later" })).toEqual({ kind: "accepted" });
      expect(await bench.drain()).toEqual(["late", "later"]);
    },
  );

  it("takes events again also when all that it answers is a refusal", async () => {
    await using own = await startRedis({ fsync: "no" });
    const bench = await openBench(own, { times });
    await own.cli("CONFIG", "SET", "maxmemory", "1");
    own.pause();
    await expectRefusals(bench);
    own.resume();
    const isRefused = () =>
      bench.accept({ id: "b" }).then(
        () => false,
        (error: Error) => error.message.includes("OOM"),
      );
    while (!(await isRefused())) await nextTick();
    await own.cli("CONFIG", "SET", "maxmemory", "0");
    expect(await bench.accept({ id: "b" })).toEqual({ kind: "accepted" });
  });

  it("is connected to anew after a long silence, over which nothing is lost", async () => {
    const bench = await open();
    await bench.accept({ id: "a" });
    const job = await bench.claimOne();
    const before = bench.proxy.connections;
    const back = bench.back();
    bench.proxy.stall();
    const settled = bench.done(job);
    expect(await bench.logged("Lost the connection")).toContain("silent for 1000 ms");
    await expect(bench.accept({ id: "b" })).rejects.toMatchObject(UNAVAILABLE);
    bench.proxy.resume();
    await back;
    expect(await settled).toBe(true);
    expect(bench.proxy.connections).toBeGreaterThan(before);
    expect(bench.lines.filter((line) => line.includes("Lost the connection"))).toHaveLength(1);
    expect(await bench.accept({ id: "b" })).toEqual({ kind: "accepted" });
  });

  it("is given up during the handshake, too, as by a proxy with nobody behind it", async () => {
    const bench = await open();
    bench.proxy.stall();
    bench.proxy.cut();
    await bench.logged("Lost the connection");
    const before = bench.proxy.connections;
    while (bench.proxy.connections < before + 4) await bench.proxy.connected();
    const back = bench.back();
    bench.proxy.resume();
    await back;
    expect(await bench.accept({ id: "a" })).toEqual({ kind: "accepted" });
  });

  it("does not keep the store from closing, and whoever waits is told", async () => {
    await using own = await startRedis({ fsync: "no" });
    const bench = await openBench(own, { times });
    await bench.accept({ id: "a" });
    const job = await bench.claimOne();
    own.pause();
    const waiting = [
      bench.claim(),
      bench.done(job),
      bench.store.outbox.reserve(job, "a/0"),
      bench.store.memory.recall("c1", { turnsMax: 1, sinceMs: 0 }),
      bench.store.queue.ready(AbortSignal.timeout(10_000)),
    ];
    const told = Promise.allSettled(waiting);
    await bench.store[Symbol.asyncDispose]();
    for (const outcome of await told)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "STORE_CLOSED" } });
    await expect(bench.accept({ id: "c" })).rejects.toMatchObject({ code: "STORE_CLOSED" });
  });

  it("does not keep a process alive whose store is closed", { timeout: 60_000 }, async () => {
    await using own = await startRedis({ fsync: "no" });
    const child = launch([process.execPath, join(import.meta.dirname, "closing-child.ts"), own.url]);
    await child.said("stdout", "open");
    own.pause();
    child.signal("SIGUSR2");
    await child.said("stdout", "closed");
    expect(await child.ended).toBe(0);
  });
});
