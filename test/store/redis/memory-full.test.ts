import { describe, expect, it } from "vitest";
import { SIGNAL_TOPIC, signalMessage } from "../../../src/ports/lanes.ts";
import { aProgress, aTurn } from "../../contract/store.ts";
import { A_STOP } from "../../support/event.ts";
import { startRedis } from "../../support/redis.ts";
import { DONE, LEASE_MS, openBench, type RedisBench } from "./bench.ts";

const REFUSED = { code: "STORE_UNAVAILABLE", message: expect.stringContaining("OOM") };
const EVERYTHING = { finishedMs: 0, deadMs: 0, turnsMs: 0 };
const text = "x".repeat(64 * 1024);

/** Gives how many fitted in. */
async function fill(bench: RedisBench): Promise<number> {
  for (let n = 0; ; n++) {
    try {
      await bench.accept({ id: `e${n}`, conversation: `c${n % 10}`, text });
    } catch (error) {
      expect(error).toMatchObject(REFUSED);
      return n;
    }
  }
}

describe("a Redis whose memory is full", () => {
  it("takes nothing more, and lets everything be finished that it has", async () => {
    await using redis = await startRedis({ fsync: "no", maxMemory: "8mb" });
    const bench = await openBench(redis);
    const { store } = bench;
    const count = await fill(bench);
    expect(count).toBeGreaterThan(20);
    await expect(bench.accept({ id: `e${count}`, text })).rejects.toMatchObject(REFUSED);
    expect(await store.journal.find(`e${count}`)).toBeNull();

    const [job, ...others] = await bench.claim(3);
    if (job === undefined || others.length !== 2) throw new Error("Expected three jobs");
    expect(await store.queue.extend(job, LEASE_MS)).toBe(true);
    expect(await store.queue.checkpoint(job, aProgress(text))).toBe(true);
    expect(await store.outbox.reserve(job, `${job.event.id}/0`)).toMatchObject({ kind: "fresh" });
    await store.outbox.record(`${job.event.id}/0`, { messageId: "m1", via: "test" });
    expect(await store.outbox.reserve(job, `${job.event.id}/0`)).toMatchObject({ kind: "sent" });
    const heard = new Promise((resolve) => store.bus.subscribe(SIGNAL_TOPIC, resolve));
    expect(await store.lanes.signal(job.lane, A_STOP)).toMatchObject({ state: "running" });
    expect(await heard).toBe(signalMessage(job.lane, A_STOP));
    expect(await store.queue.settle(job, { ...DONE, turns: [aTurn(text)] })).toBe(true);
    const recalled = await store.memory.recall(job.event.conversation, { turnsMax: 9, sinceMs: 0 });
    expect(recalled).toMatchObject([aTurn(text)]);
    await store.memory.forget(job.event.conversation);
    const [retried, buried] = others;
    if (retried === undefined || buried === undefined) throw new Error("Expected two more jobs");
    expect(await store.queue.settle(retried, { kind: "retry", afterMs: 0, cause: "x" })).toBe(true);
    expect(await store.queue.settle(buried, { kind: "dead", cause: "x" })).toBe(true);
    const request = { by: "ann", mode: "resume", states: ["dead"] } as const;
    await expect(store.archive.replay(buried.event.id, request)).rejects.toMatchObject(REFUSED);
    expect(await store.archive.drop(buried.event.id, "ann")).toBe(true);
    expect(await store.journal.stats()).toMatchObject({ queued: count - 3, retrying: 1, running: 0 });
  });

  it("takes events again, the one that it refused among them, once there is room", async () => {
    await using redis = await startRedis({ fsync: "no", maxMemory: "8mb" });
    const bench = await openBench(redis);
    const count = await fill(bench);
    expect(await bench.drain()).toHaveLength(count);
    await expect(bench.accept({ id: `e${count}`, text })).rejects.toMatchObject(REFUSED);
    expect(await bench.store.sweep(EVERYTHING)).toBeGreaterThanOrEqual(count);
    expect(await bench.accept({ id: `e${count}`, text })).toEqual({ kind: "accepted" });
    expect(await bench.drain()).toEqual([`e${count}`]);
  });

  it("is found by the check, until there is room", async () => {
    await using redis = await startRedis({ fsync: "no", maxMemory: "8mb" });
    const bench = await openBench(redis);
    const count = await fill(bench);
    // Its own mark, which is small, still finds room; another event does not.
    const used = /used_memory:(\d+)/.exec(String(await redis.cli("INFO", "memory")))?.[1];
    await redis.cli("CONFIG", "SET", "maxmemory", Number(used) + text.length / 2);
    const details = expect.stringContaining("OOM");
    expect(await bench.store.check()).toEqual({ status: "failed", code: REFUSED.code, details });
    await redis.cli("CONFIG", "SET", "maxmemory", "1mb");
    await expect(bench.store.check()).rejects.toMatchObject(REFUSED);
    await redis.cli("CONFIG", "SET", "maxmemory", "0");
    await bench.accept({ id: `e${count}`, text });
    expect(await bench.store.check()).toEqual({ status: "ok" });
  });

  it("can be opened by a process that starts", async () => {
    await using redis = await startRedis({ fsync: "no", maxMemory: "8mb" });
    const bench = await openBench(redis);
    const count = await fill(bench);
    const other = await openBench(redis, { prefix: bench.prefix, owner: "two" });
    expect(await other.drain()).toHaveLength(count);
  });
});

describe("a Redis that takes no writes", () => {
  it("is found by the check: a replica, one whose own replicas are gone", async () => {
    await using redis = await startRedis();
    const bench = await openBench(redis);
    const refusedWith = (word: string) => ({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining(word),
    });
    await redis.cli("REPLICAOF", "127.0.0.1", "1");
    const back = bench.back();
    await expect(bench.store.check()).rejects.toMatchObject(refusedWith("READONLY"));
    await redis.cli("REPLICAOF", "NO", "ONE");
    await back; // The client looks for another server, in case that this one was replaced.
    expect(await bench.store.check()).toEqual({ status: "ok" });
    await redis.cli("CONFIG", "SET", "min-replicas-to-write", "1");
    await expect(bench.store.check()).rejects.toMatchObject(refusedWith("NOREPLICAS"));
    await redis.cli("CONFIG", "SET", "min-replicas-to-write", "0");
    expect(await bench.store.check()).toEqual({ status: "ok" });
  });
});
