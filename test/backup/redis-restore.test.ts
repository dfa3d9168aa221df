import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { restoreRedis } from "../../src/backup/redis-restore.ts";
import { takeSnapshot } from "../../src/backup/redis-snapshot.ts";
import type { Job } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import { aProgress } from "../contract/store.ts";
import { connectionTo, openOn } from "../store/redis/setup.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { anOffer } from "../support/store.ts";
import { toolPath } from "../support/tools.ts";
import { aPlace } from "./archives.ts";

const SERVER = toolPath("redis-server");
const LIMITS = { waitingPerLaneMax: 100, waitingMax: 1_000 };
const HOUR_MS = 3_600_000;

async function openStore(redis: RedisServer, prefix = "parley") {
  const clock = new FakeClock(Date.now());
  return {
    clock,
    ...(await openOn(connectionTo(redis.url), { clock, limits: LIMITS }, { prefix, owner: prefix })),
  };
}
const targetOf = (redis: RedisServer, prefix = "parley") => ({ url: new URL(redis.url), tls: null, prefix });

const accept = async (store: Store, id: string, conversation: string) =>
  await store.inbox.accept(anOffer(anEvent({ id, conversation }), { busy: "collect" }));
const claim = async (store: Store) =>
  (await store.queue.claim({ jobsMax: 1, leaseMs: HOUR_MS, controlOnly: false }))[0] as Job;

/** What is over, runs, runs with another merged into it, is parked, tried again later, or waits. */
async function aSnapshot(redis: RedisServer): Promise<string> {
  const { store, clock } = await openStore(redis);
  const untilMs = clock.nowMs() + HOUR_MS;
  await accept(store, "done", "c1");
  await store.queue.settle(await claim(store), { kind: "done", outcome: "answered", turns: [] });
  await accept(store, "runs", "c2");
  await claim(store);
  await accept(store, "behind", "c2");
  await accept(store, "first", "c3");
  await accept(store, "second", "c3");
  await store.queue.join(await claim(store));
  await accept(store, "parked", "c4");
  await store.queue.settle(await claim(store), { kind: "park", untilMs, progress: aProgress("x") });
  await accept(store, "later", "c5");
  await store.queue.settle(await claim(store), { kind: "retry", afterMs: HOUR_MS, cause: "x" });
  await accept(store, "waits", "c6");
  await redis.cli("SET", "of-somebody-else", "x");
  const file = join(aPlace().root, "dump.rdb");
  rmSync(file, { force: true });
  await takeSnapshot({ url: new URL(redis.url), tls: null }, file);
  await store[Symbol.asyncDispose]();
  return file;
}

it("puts a snapshot into an empty Redis; what waited or ran is a dead letter, whole, and may be replayed", async () => {
  await using redis = await startRedis();
  const file = await aSnapshot(redis);
  await using next = await startRedis();
  expect(await restoreRedis(file, SERVER, targetOf(next), false)).toMatchObject({ setAside: 6 });
  expect(await next.cli("EXISTS", "of-somebody-else")).toBe(0);
  const { store } = await openStore(next);
  expect(await store.upkeep.check()).toEqual({ findings: [], events: 8 });
  const states = Object.fromEntries(
    (await store.journal.list({ limit: 100 })).map((one) => [one.id, one.state]),
  );
  expect(states).toEqual({
    ...{ done: "done", runs: "dead", behind: "dead", first: "dead", second: "merged" },
    ...{ parked: "dead", later: "dead", waits: "dead" },
  });
  expect(await store.queue.claim({ jobsMax: 100, leaseMs: 1_000, controlOnly: false })).toEqual([]);
  expect(await accept(store, "waits", "c6")).toEqual({ kind: "duplicate" });
  const again = { by: "ann", mode: "resume", states: ["dead"] } as const;
  for (const id of ["runs", "parked"]) expect(await store.archive.replay(id, again)).toBe("queued");
  expect((await claim(store)).event.id).toBe("runs");
  expect((await claim(store)).progress).toEqual(aProgress("x"));
  await store[Symbol.asyncDispose]();
});

it("runs what waited where that is wanted", async () => {
  await using redis = await startRedis();
  const file = await aSnapshot(redis);
  await using next = await startRedis();
  expect(await restoreRedis(file, SERVER, targetOf(next), true)).toMatchObject({ setAside: 0 });
  const { store } = await openStore(next);
  expect(await store.upkeep.check()).toEqual({ findings: [], events: 8 });
  expect((await claim(store)).event.id).toBe("waits");
  await store[Symbol.asyncDispose]();
});

it("leaves alone a Redis that has something of this prefix, or that a gateway is connected to", async () => {
  await using redis = await startRedis();
  const file = await aSnapshot(redis);
  await using next = await startRedis();
  await next.cli("SET", "{parley}:x", "1");
  await expect(restoreRedis(file, SERVER, targetOf(next), false)).rejects.toThrow(
    /Expected nothing with the prefix parley in Redis at 127\.0\.0\.1:\d+, got keys, which stay as they are/,
  );
  expect(await next.cli("KEYS", "*")).toEqual(["{parley}:x"]);
  await next.cli("DEL", "{parley}:x");
  const { store } = await openStore(next);
  await expect(restoreRedis(file, SERVER, targetOf(next), false)).rejects.toThrow(
    /got 1 that do; stop them first/,
  );
  await store[Symbol.asyncDispose]();
  await expect(restoreRedis(file, SERVER, targetOf(next, "nobody"), false)).rejects.toThrow(
    /Expected keys with the prefix nobody .* in the snapshot, got none/,
  );
});

it("takes out again what a Redis would not take to the end", async () => {
  await using redis = await startRedis();
  const { store } = await openStore(redis);
  for (let n = 0; n < 400; n++)
    await store.inbox.accept(
      anOffer(anEvent({ id: `e${n}`, conversation: `c${n}`, text: "x".repeat(20_000) })),
    );
  const file = join(aPlace().root, "dump.rdb");
  await takeSnapshot({ url: new URL(redis.url), tls: null }, file);
  await store[Symbol.asyncDispose]();
  await using next = await startRedis({ maxMemory: "4mb" });
  await expect(restoreRedis(file, SERVER, targetOf(next), false)).rejects.toThrow(
    /Could not put the snapshot into Redis, and took out what was put there: OOM/,
  );
  expect(await next.cli("DBSIZE")).toBe(0);
  const undone = await restoreRedis(file, SERVER, targetOf(redis, "parley"), false).catch(
    (error: Error) => error,
  );
  expect(undone).toMatchObject({ message: expect.stringContaining("which stay as they are") });
});
