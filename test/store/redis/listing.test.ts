import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventRecord } from "../../../src/ports/journal.ts";
import { FakeClock } from "../../support/clock.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { LEASE_MS, openBench } from "./bench.ts";

const EVENTS = 6_000;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ fsync: "no" });
});
afterAll(() => redis[Symbol.asyncDispose]());

it("finds the few that are queued among thousands that wait for a retry, a bite at a time", {
  timeout: 60_000,
}, async () => {
  const bench = await openBench(redis, {
    limits: { waitingPerLaneMax: 10, waitingMax: 10_000 },
    times: { briefMs: 30_000, silentMs: 60_000 },
  });
  for (let from = 0; from < EVENTS; from += 500)
    await Promise.all(
      Array.from({ length: 500 }, (_, n) =>
        bench.accept({ id: `e${from + n}`, conversation: `c${from + n}` }),
      ),
    );
  const key = (name: string) => `{${bench.prefix}}:${name}`;
  await redis.cli("ZUNIONSTORE", key("retrying"), 1, key("live"));
  const queued = [5_999, 3_000, 2_999, 1, 0];
  for (const n of queued) await redis.cli("ZREM", key("retrying"), n + 1);

  await redis.cli("CONFIG", "RESETSTAT");
  const all = await bench.store.journal.list({ state: "queued", limit: 100 });
  expect(all.map(({ id }) => id)).toEqual(queued.map((n) => `e${n}`));
  // A call for each bite, so that others are served in between.
  expect(await calls()).toBeGreaterThanOrEqual(3);

  // Of those that are found at once, each bite gives some.
  for (const state of ["retrying", undefined] as const) {
    await redis.cli("CONFIG", "RESETSTAT");
    const many = await bench.store.journal.list({ limit: 1_000, ...(state && { state }) });
    const newest = Array.from({ length: EVENTS }, (_, n) => EVENTS - 1 - n);
    const expected = newest.filter((n) => state === undefined || !queued.includes(n)).slice(0, 1_000);
    expect(many.map(({ id }) => id)).toEqual(expected.map((n) => `e${n}`));
    expect(await calls()).toBeGreaterThanOrEqual(4);
  }

  const pages: EventRecord[] = [];
  for (;;) {
    const beforeSeq = pages.at(-1)?.seq;
    const page = await bench.store.journal.list({
      state: "queued",
      limit: 2,
      ...(beforeSeq !== undefined && { beforeSeq }),
    });
    pages.push(...page);
    if (page.length < 2) break;
  }
  expect(pages.map(({ id }) => id)).toEqual(queued.map((n) => `e${n}`));
});

it("looks at no more leases than it has to, however many there are", { timeout: 60_000 }, async () => {
  const bench = await openBench(redis, {
    limits: { waitingPerLaneMax: 10, waitingMax: 10_000 },
    times: { briefMs: 30_000, silentMs: 60_000 },
  });
  for (let from = 0; from < EVENTS; from += 500)
    await Promise.all(
      Array.from({ length: 500 }, (_, n) =>
        bench.accept({ id: `r${from + n}`, conversation: `r${from + n}` }),
      ),
    );
  const claimed = [];
  for (let jobs = await bench.claim(500); jobs.length > 0; jobs = await bench.claim(500))
    claimed.push(...jobs);
  expect(claimed).toHaveLength(EVENTS);

  await redis.cli("CONFIG", "RESETSTAT");
  const all = await bench.store.journal.list({ state: "running", limit: 5_000 });
  expect(all.map(({ id }) => id)).toEqual(Array.from({ length: 5_000 }, (_, n) => `r${EVENTS - 1 - n}`));
  expect(await calls()).toBeGreaterThanOrEqual(3);
});

/** Of scripts, since the counts were reset. */
async function calls(): Promise<number> {
  const stats = String(await redis.cli("INFO", "commandstats"));
  const counts = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

describe("taking back what a process had claimed", () => {
  /** Two processes on one installation; the first holds so many of the oldest leases, the other all that is left. */
  async function twoProcesses(own: number, others: number) {
    const limits = { waitingPerLaneMax: 10, waitingMax: 10_000 };
    const clock = new FakeClock();
    const one = await openBench(redis, { limits, clock, owner: "one" });
    const two = await openBench(redis, { limits, clock, owner: "two", prefix: one.prefix });
    for (let from = 0; from < own + others; from += 500)
      await Promise.all(
        Array.from({ length: Math.min(500, own + others - from) }, (_, n) =>
          one.accept({ id: `e${from + n}`, conversation: `c${from + n}` }),
        ),
      );
    const mine = own === 0 ? [] : await one.claim(own);
    clock.advance(1);
    for (let left = others; left > 0; left -= 500) await two.claim(500);
    await redis.cli("CONFIG", "RESETSTAT");
    return { one, two, mine };
  }
  const looks = async () => {
    const stats = String(await redis.cli("INFO", "commandstats"));
    return Number(/cmdstat_hmget:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };

  it("ends with its last lease, however many others run", { timeout: 60_000 }, async () => {
    const { one, two, mine } = await twoProcesses(3, 3_000);
    await one.store[Symbol.asyncDispose]();
    expect(await looks()).toBeLessThan(50);
    const again = await two.claim(10);
    expect(again.map(({ event }) => event.id).sort()).toEqual(mine.map(({ event }) => event.id).sort());
  });

  it("looks at no lease for a process that holds none", { timeout: 60_000 }, async () => {
    const { one, two } = await twoProcesses(0, 1_000);
    await one.store[Symbol.asyncDispose]();
    expect(await looks()).toBeLessThan(50);
    expect(await two.claim(10)).toEqual([]);
  });

  it("finds those that stand behind all others", { timeout: 60_000 }, async () => {
    const { one, two, mine } = await twoProcesses(5, 1_500);
    for (const job of mine) await one.store.queue.extend(job, 2 * LEASE_MS);
    await one.store[Symbol.asyncDispose]();
    expect(await two.claim(10)).toHaveLength(5);
  });
});
