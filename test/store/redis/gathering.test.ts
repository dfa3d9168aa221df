import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aLimit } from "../../contract/store.ts";
import { FakeClock } from "../../support/clock.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { openBench } from "./bench.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const MINUTE_MS = 60_000;
const RETENTION = { finishedMs: MINUTE_MS, deadMs: MINUTE_MS, turnsMs: MINUTE_MS };

async function scriptCalls(): Promise<number> {
  const stats = String(await redis.cli("INFO", "commandstats"));
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

describe("events that come in one turn of the event loop", () => {
  it("go to Redis in few calls, and each gets its own answer, in order", async () => {
    const limits = { waitingPerLaneMax: 20, waitingMax: 10_000 };
    const bench = await openBench(redis, { limits });
    await bench.accept({ id: "first" });
    const before = await scriptCalls();
    const ids = ["a", "b", "a", ...Array.from({ length: 30 }, (_, n) => `c${n}`)];
    const answers = await Promise.all(ids.map((id) => bench.accept({ id })));
    expect((await scriptCalls()) - before).toBe(3);
    expect(answers.map(({ kind }) => kind)).toEqual([
      ...["accepted", "accepted", "duplicate"],
      ...Array.from({ length: 17 }, () => "accepted"),
      ...Array.from({ length: 13 }, () => "full"),
    ]);
    expect(await bench.drain()).toEqual(["first", "a", "b", ...ids.slice(3, 20)]);
  });

  it("are charged to a limit one after the other", async () => {
    const bench = await openBench(redis);
    const limits = [aLimit({ messages: 2 })];
    const answers = await Promise.all(["a", "b", "c"].map((id) => bench.accept({ id }, { limits })));
    expect(answers.map(({ kind }) => kind)).toEqual(["accepted", "accepted", "refused"]);
  });

  it("fail alone when Redis cannot store one of them", async () => {
    const bench = await openBench(redis);
    await redis.cli("SET", `{${bench.prefix}}:l:taken`, "by somebody else");
    const limits = [aLimit({ messages: 2 })];
    const answers = await Promise.allSettled(
      ["a", "taken", "b", "c"].map((id) => bench.accept({ id, conversation: id }, { limits, isTold: false })),
    );
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect(answers[1]).toMatchObject({
      reason: { code: "STORE_WRITE_FAILED", message: expect.stringContaining("WRONGTYPE") },
    });
    expect(answers[3]).toMatchObject({ value: { kind: "refused" } });
    expect(await bench.drain()).toEqual(["a", "b"]);
  });

  it("may be redeliveries, from a spool, of what has long been deleted", async () => {
    const clock = new FakeClock();
    const bench = await openBench(redis, { clock });
    await bench.accept({ id: "old" });
    expect(await bench.drain()).toEqual(["old"]);
    clock.advance(RETENTION.finishedMs + 1);
    await bench.store.sweep(RETENTION);
    expect(await bench.store.journal.find("old")).toBeNull();
    const answers = await Promise.all([
      bench.accept({ id: "a" }),
      bench.accept({ id: "old" }, { spooledAtMs: clock.nowMs() - 1 }),
      bench.accept({ id: "b" }),
    ]);
    expect(answers.map(({ kind }) => kind)).toEqual(["accepted", "duplicate", "accepted"]);
    expect(await bench.drain()).toEqual(["a", "b"]);
  });

  it("are all refused when the connection is lost before the answer, and are there nevertheless", async () => {
    const bench = await openBench(redis);
    await bench.accept({ id: "first" });
    const cut = bench.proxy.loseAnswer(([name]) => name?.toLowerCase() === "evalsha");
    const back = bench.back();
    const answers = await Promise.allSettled(["a", "b"].map((id) => bench.accept({ id })));
    await cut;
    for (const answer of answers)
      expect(answer).toMatchObject({ status: "rejected", reason: { code: "STORE_UNAVAILABLE" } });
    await back;
    expect(await Promise.all(["a", "b", "c"].map((id) => bench.accept({ id })))).toEqual(
      ["duplicate", "duplicate", "accepted"].map((kind) => ({ kind })),
    );
  });
});

describe("rate limits", () => {
  it("are kept until nobody is in debt, and not longer", async () => {
    const clock = new FakeClock();
    const bench = await openBench(redis, { clock });
    const key = `{${bench.prefix}}:limits`;
    const over = (scope: "user" | "tenant", perMs: number) => aLimit({ scope, messages: 1, perMs });
    for (let n = 0; n < 600; n++) {
      const limits = [{ ...over("user", 1_000), key: `U${n}` }];
      await bench.accept({ id: `e${n}`, conversation: `c${n}` }, { limits });
    }
    await bench.accept({ id: "long" }, { limits: [over("tenant", 10_000)] });
    clock.advance(500);
    await bench.store.sweep(RETENTION);
    expect(await redis.cli("HLEN", key)).toBe(601);
    clock.advance(501);
    await bench.store.sweep(RETENTION);
    expect(await redis.cli("HKEYS", key)).toEqual(["tenant:U1"]);
    clock.advance(MINUTE_MS);
    await bench.store.sweep(RETENTION);
    expect(await redis.cli("EXISTS", key)).toBe(0);
  });
});
