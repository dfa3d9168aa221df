import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AUDIT_BEGINNING } from "../../../src/domain/audit.ts";
import { verifyAudit } from "../../../src/shared/audit-verify.ts";
import { appendAudit } from "../../../src/store/audit.ts";
import { createNewId } from "../../../src/system/ids.ts";
import { aDeed } from "../../contract/store-audit.ts";
import { FakeClock } from "../../support/clock.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { openBench, type RedisBench } from "./bench.ts";

describe("the audit in Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ fsync: "no" });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  const writerOf = ({ store }: RedisBench, name: string) => {
    const newId = createNewId(new FakeClock());
    return async (count: number) => {
      for (let n = 0; n < count; n++)
        await appendAudit(store.audit, newId, aDeed({ actor: name, subject: `${n}` }));
    };
  };
  const verify = ({ store }: RedisBench) => verifyAudit((page) => store.audit.read(page));

  async function four(): Promise<RedisBench & { readonly keys: string }> {
    const bench = await openBench(redis);
    await writerOf(bench, "one")(4);
    return { ...bench, keys: `{${bench.prefix}}:audit` };
  }

  it("is one line, also when several processes add to it at the same time", async () => {
    const one = await openBench(redis);
    const two = await openBench(redis, { prefix: one.prefix, owner: "two" });
    await Promise.all([writerOf(one, "one")(40), writerOf(two, "two")(40), writerOf(two, "three")(40)]);
    expect(await verify(one)).toMatchObject({ entries: 120, last: { seq: 120 }, fault: null });
    const { rows } = await two.store.audit.read({ limit: 200 });
    for (const name of ["one", "two", "three"]) {
      const own = rows.map(({ body }) => JSON.parse(body)).filter(({ actor }) => actor === name);
      expect(own.map(({ subject }) => Number(subject))).toEqual(Array.from({ length: 40 }, (_, n) => 39 - n));
    }
  });

  it("has an entry once, whose answer was cut off", async () => {
    const bench = await openBench(redis);
    await writerOf(bench, "one")(1);
    const { rows, last } = await bench.store.audit.read({ limit: 1 });
    const [row] = rows;
    if (row === undefined) throw new Error("Expected a row");
    expect(await bench.store.audit.add(row, AUDIT_BEGINNING)).toBe(true);
    expect((await bench.store.audit.read({ limit: 9 })).last).toEqual(last);
  });

  it.each([
    ["one that is taken away", ["ZREMRANGEBYSCORE", "2", "2"], 2],
    ["the newest taken away", ["ZREMRANGEBYSCORE", "4", "4"], 4],
    ["one that is put behind", ["ZADD", "5", `${"0".repeat(64)} {"seq":5}`], 5],
    ["one beside another", ["ZADD", "2", `${"0".repeat(64)} {"seq":2}`], 2],
    ["all taken away", ["DEL"], 1],
  ])("shows %s, also when the gateway goes on", async (_what, [command = "", ...args], seq) => {
    const bench = await four();
    await redis.cli(command, bench.keys, ...args);
    expect((await verify(bench)).fault).toMatchObject({ seq });
    await writerOf(bench, "one")(1);
    expect((await verify(bench)).fault).toMatchObject({ seq });
  });

  it("shows a change, and is written to although somebody has broken its end", async () => {
    const bench = await four();
    const [row = ""] = (await redis.cli("ZRANGE", bench.keys, "1", "1")) as string[];
    await redis.cli("ZREM", bench.keys, row);
    await redis.cli("ZADD", bench.keys, "2", row.replace('"one"', '"eve"'));
    await redis.cli("HSET", `${bench.keys}-ends`, "last", "x");
    expect((await verify(bench)).fault).toMatchObject({ seq: 2 });
    await writerOf(bench, "one")(1);
    expect((await bench.store.audit.read({ limit: 1 })).last.seq).toBe(5);
    expect((await verify(bench)).fault).toMatchObject({ seq: 2 });
  });
});
