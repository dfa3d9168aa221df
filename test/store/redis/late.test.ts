import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job } from "../../../src/ports/queue.ts";
import { aProgress } from "../../contract/store.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { openBench, type RedisBench } from "./bench.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const first = aProgress("one");
const second = aProgress("two");

/** A store with a job, and the arguments of each checkpoint as it was sent. */
async function setUp(): Promise<{ bench: RedisBench; job: Job; sent: (string | number)[][] }> {
  const bench = await openBench(redis);
  await bench.accept({ id: "a" });
  const job = await bench.claimOne();
  const sent: (string | number)[][] = [];
  const { link } = bench;
  const run = link.run.bind(link);
  link.run = (script, args, patience) => {
    if (script === "checkpoint") sent.push([...args]);
    return run(script, args, patience);
  };
  return { bench, job, sent };
}

describe("a checkpoint that a lost connection brings late", () => {
  it("does not take back what was recorded since", async () => {
    const { bench, job, sent } = await setUp();
    await bench.store.queue.checkpoint(job, first);
    await bench.store.queue.checkpoint(job, second);
    // The holder is not told that it lost anything.
    expect(await bench.link.run("checkpoint", sent[0] ?? [], "long")).toBe(1);
    expect((await bench.store.journal.find("a"))?.progress).toEqual(second);
  });

  it("of an earlier claim changes nothing", async () => {
    const { bench, job, sent } = await setUp();
    await bench.store.queue.checkpoint(job, first);
    await bench.store.queue.settle(job, { kind: "defer", afterMs: 0, cause: "test" });
    const next = await bench.claimOne();
    expect(await bench.link.run("checkpoint", sent[0] ?? [], "long")).toBe(0);
    expect(await bench.store.queue.checkpoint(next, second)).toBe(true);
    expect((await bench.store.journal.find("a"))?.progress).toEqual(second);
  });
});

describe("a checkpoint by another process", () => {
  it("counts from the beginning, whatever its predecessor had counted to", async () => {
    const { bench, job } = await setUp();
    for (let n = 0; n < 3; n++) await bench.store.queue.checkpoint(job, first);
    await bench.store.queue.settle(job, { kind: "defer", afterMs: 0, cause: "test" });
    const other = await openBench(redis, { prefix: bench.prefix, owner: "two" });
    expect(await other.store.queue.checkpoint(await other.claimOne(), second)).toBe(true);
    expect((await bench.store.journal.find("a"))?.progress).toEqual(second);
  });
});
