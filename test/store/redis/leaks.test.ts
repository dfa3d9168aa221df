import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOLDS_KEPT_DAYS, SPENDING_KEPT_DAYS } from "../../../src/domain/bounds.ts";
import type { Job } from "../../../src/ports/queue.ts";
import { aProgress, aRefusal, aTurn } from "../../contract/store.ts";
import { FakeClock } from "../../support/clock.ts";
import { A_STOP } from "../../support/event.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { cap, cost } from "../plain-purse.ts";
import { DONE, LEASE_MS, openBench, type RedisBench } from "./bench.ts";

const DAY_MS = 24 * 3_600_000;
const RETENTION = { finishedMs: 7 * DAY_MS, deadMs: 30 * DAY_MS, turnsMs: 7 * DAY_MS };
const EVENTS = 1_500;
const AT_ONCE = 50;
/** Of a machine that is busy with something else. */
const PATIENT = { briefMs: 30_000, silentMs: 60_000 };

let redis: RedisServer;
let looker: Redis;
beforeAll(async () => {
  redis = await startRedis({ fsync: "no" });
  looker = new Redis({ port: redis.port });
});
afterAll(async () => {
  looker.disconnect();
  await redis[Symbol.asyncDispose]();
});

interface Key {
  /** Without the prefix. */
  readonly name: string;
  /** -1: for ever. */
  readonly ttlMs: number;
}

async function keysOf({ prefix }: RedisBench): Promise<readonly Key[]> {
  const keys: Key[] = [];
  for (let cursor = "0"; ; ) {
    const [next, found] = await looker.scan(cursor, "MATCH", `{${prefix}}:*`, "COUNT", 1_000);
    const ttls = await Promise.all(found.map((key) => looker.pttl(key)));
    for (const [i, key] of found.entries()) {
      keys.push({ name: key.slice(prefix.length + 3), ttlMs: ttls[i] ?? 0 });
    }
    if (next === "0") return keys;
    cursor = next;
  }
}

/** What is there for ever. */
async function lasting(bench: RedisBench): Promise<string[]> {
  const keys = await keysOf(bench);
  return keys.filter(({ ttlMs }) => ttlMs === -1).map(({ name }) => name);
}

/** All kinds of events, one after the other. */
async function offer(bench: RedisBench, n: number): Promise<void> {
  const id = `e${n}`;
  const conversation = `c${n % 97}`;
  const sender = { id: `u${n % 31}`, name: "ann", isBot: false };
  const event = { id, conversation, sender, aliases: [`${id}/alias`] };
  const limits = [
    { scope: "user", key: `u${n % 31}`, messages: 20, perMs: 60_000 },
    { scope: "global", key: "all", messages: 1_000, perMs: 60_000 },
  ] as const;
  if (n % 11 === 0) await bench.accept(event, { refusal: aRefusal() });
  else if (n % 13 === 0) await bench.accept(event, { spooledAtMs: n });
  else if (n % 17 === 0) await bench.accept({ ...event, conversation: `x${n}` }, { onlyIfKnown: true });
  else if (n % 19 === 0) await bench.accept(event, { lane: `${conversation}!control`, kind: "command" });
  else await bench.accept(event, { limits });
  await bench.accept({ ...event, id: `${id}/again`, aliases: [id, `${id}/third`] });
}

/** What becomes of it, by chance of its number and its attempt. */
async function handle({ store, clock }: RedisBench & { clock: FakeClock }, job: Job): Promise<void> {
  const { queue, outbox } = store;
  const { id, conversation } = job.event;
  if (job.refusal !== null) return void (await queue.settle(job, { kind: "dropped", cause: "told" }));
  const n = Number(/\d+/.exec(id)?.[0]) + job.attempt;
  await queue.checkpoint(job, aProgress("half"));
  await outbox.reserve(job, `${id}/0`);
  if (n % 2 === 0) await outbox.record(`${id}/0`, { messageId: id, via: "test" });
  if (n % 5 === 0) await outbox.record(`${id}/0`, "not-sent");
  if (n % 23 === 0) await store.memory.forget(conversation, id);
  if (n % 29 === 0) await store.lanes.signal(job.lane, A_STOP);
  const turns = [aTurn("hello"), { ...aTurn("hi", "assistant"), atMs: clock.nowMs() }];
  if (n % 7 === 0) await queue.settle(job, { kind: "retry", afterMs: (n % 3) * 1_000, cause: "x" });
  else if (n % 8 === 0 && job.progress === null)
    await queue.settle(job, { kind: "defer", afterMs: 1_000, cause: "x" });
  else if (n % 9 === 0) await queue.settle(job, { kind: "dead", cause: "x" });
  else if (n % 31 !== 0) await queue.settle(job, { ...DONE, turns });
}

async function drain(bench: RedisBench & { clock: FakeClock }): Promise<void> {
  for (;;) {
    const jobs = await bench.claim(AT_ONCE);
    await Promise.all(jobs.map((job) => handle(bench, job)));
    const { queued, running, retrying, parked } = await bench.store.journal.stats();
    if (queued + running + retrying + parked === 0) return;
    // Some are held back, and some were never settled.
    bench.clock.advance(LEASE_MS);
  }
}

async function replayAndDrop({ store }: RedisBench): Promise<number> {
  const events = await store.journal.list({ limit: EVENTS });
  const by = "ann";
  await Promise.all(
    events.map(async ({ id, state, seq }) => {
      if (state === "dead" && seq % 2 === 0) await store.archive.drop(id, by);
      else if (state === "dead") await store.archive.replay(id, { by, mode: "resume", states: ["dead"] });
      else if (seq % 5 === 0)
        await store.archive.replay(id, { by, mode: "anew", states: ["done", "dropped"] });
    }),
  );
  return events.filter(({ state }) => state === "dead").length;
}

describe("after everything that can happen", () => {
  it("nothing is left but what ends by itself, once it is old", { timeout: 60_000 }, async () => {
    const clock = new FakeClock();
    const bench = Object.assign(
      await openBench(redis, {
        clock,
        times: PATIENT,
        limits: { waitingPerLaneMax: 1_000, waitingMax: 10_000 },
      }),
      { clock },
    );
    for (let from = 0; from < EVENTS; from += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => offer(bench, from + i)));
      clock.advance(500);
    }
    await drain(bench);
    expect(await replayAndDrop(bench)).toBeGreaterThan(0);
    await drain(bench);

    // While it is young, all of it is there, and none of what was live.
    await bench.store.sweep(RETENTION);
    const kept = await lasting(bench);
    expect(kept.filter((name) => name.startsWith("e:")).length).toBeGreaterThan(EVENTS / 2);
    expect(
      kept.filter((name) => /^(l:|q|urgent|held|leases|owners|live|retrying|parked)/.test(name)),
    ).toEqual([]);

    clock.advance(400 * DAY_MS);
    expect(await bench.store.sweep(RETENTION)).toBeGreaterThan(EVENTS / 2);
    expect(await lasting(bench)).toEqual(["meta"]);
    // Two keys that bar a redelivery, a limit, a notice or a death: nothing lasts longer than its own time.
    for (const { name, ttlMs } of await keysOf(bench)) {
      if (name === "meta") continue;
      expect(name).toMatch(/^[knr]:|^death:/);
      expect(ttlMs).toBeLessThanOrEqual(3_600_000 + 60_000);
    }
    expect(await redis.cli("HLEN", `{${bench.prefix}}:meta`)).toBeLessThan(12);
    expect(await bench.store.sweep(RETENTION)).toBe(0);
  });

  it("the names of people end by themselves", async () => {
    const bench = await openBench(redis, { clock: new FakeClock(), times: PATIENT });
    const name = (id: string) => ({ id, conversation: `whatsapp:W1:PN1:${id}` });
    await bench.accept({ id: "a", conversation: name("447700900123").conversation });
    await bench.store.people.settle({ lasting: name("GB.A1"), passing: name("447700900123") });
    await bench.store.people.settle({ lasting: name("GB.B2"), passing: name("447700900123") });
    const keys = (await keysOf(bench)).filter((key) => /^[pw]:/.test(key.name));
    expect(keys.map((key) => key.name.slice(0, 2)).sort()).toEqual(["p:", "p:", "p:", "w:"]);
    for (const { ttlMs } of keys) expect(ttlMs).toBeGreaterThan(399 * DAY_MS);
  });

  it("the money of a day ends by itself, the calls before the sums", async () => {
    const bench = await openBench(redis, { clock: new FakeClock(), times: PATIENT });
    const { purse } = bench.store;
    const day = "2026-11-29";
    for (const id of ["a", "b"])
      await purse.hold({ id, day, amount: 10, caps: [cap("global", 20, 15), cap("user:test:T:ann", null)] });
    await purse.settle({ id: "a", day }, cost(3, { inputTokens: 7 }));
    const keys = new Map((await keysOf(bench)).map(({ name, ttlMs }) => [name, ttlMs / DAY_MS]));
    expect(keys.get(`money-held:${day}`)).toBeCloseTo(HOLDS_KEPT_DAYS, 2);
    expect(keys.get(`money:${day}`)).toBeCloseTo(SPENDING_KEPT_DAYS + 1, 2);
  });

  it("no process is remembered that holds nothing", async () => {
    const clock = new FakeClock();
    const bench = await openBench(redis, { clock, times: PATIENT });
    for (let n = 0; n < 20; n++) {
      await bench.accept({ id: `e${n}`, conversation: `c${n}` });
      const other = await openBench(redis, {
        clock,
        times: PATIENT,
        prefix: bench.prefix,
        owner: `process ${n}`,
      });
      await other.claim(1);
      if (n % 2 === 0) await other.store[Symbol.asyncDispose]();
      else await other.link.close();
    }
    clock.advance(LEASE_MS);
    expect(await bench.drain()).toHaveLength(20);
    expect(await redis.cli("EXISTS", `{${bench.prefix}}:owners`)).toBe(0);
    const deaths = (await keysOf(bench)).filter(({ name }) => name.startsWith("death:"));
    for (const { ttlMs } of deaths) expect(ttlMs).toBeGreaterThan(0);
  });

  it("a long memory goes in bites, and all of it", async () => {
    const clock = new FakeClock();
    const bench = await openBench(redis, { clock, times: PATIENT });
    const turns = Array.from({ length: 300 }, (_, i) => ({ ...aTurn(`turn ${i}`), atMs: clock.nowMs() + i }));
    for (let n = 0; n < 5; n++) {
      await bench.accept({ id: `e${n}` });
      await bench.store.queue.settle(await bench.claimOne(), { ...DONE, turns });
    }
    const recall = () => bench.store.memory.recall("c1", { turnsMax: 10_000, sinceMs: 0 });
    expect(await recall()).toHaveLength(1_500);
    clock.advance(RETENTION.turnsMs + 150);
    await bench.store.sweep(RETENTION);
    // Up to the first that is young enough: they are kept in the order in which they were said.
    expect(await recall()).toHaveLength(1_350);
    clock.advance(RETENTION.turnsMs);
    await bench.store.sweep(RETENTION);
    expect(await recall()).toEqual([]);
    clock.advance(RETENTION.deadMs);
    await bench.store.sweep(RETENTION);
    expect(await lasting(bench)).toEqual(["meta"]);
  });
});
