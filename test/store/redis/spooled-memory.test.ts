import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job } from "../../../src/ports/queue.ts";
import { aTurn } from "../../contract/store.ts";
import { FakeClock } from "../../support/clock.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { DONE, openBench, type RedisBench } from "./bench.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

/** A conversation, whose messages are said at these moments and come to Redis in the order of the calls. */
async function setUp() {
  const clock = new FakeClock();
  const startMs = clock.nowMs();
  clock.advance(1_000);
  const bench = await openBench(redis, { clock });
  return {
    bench,
    comes: (id: string) => bench.accept({ id }),
    isBrought: (id: string, saidMs: number) => bench.accept({ id }, { spooledAtMs: startMs + saidMs }),
  };
}

/** Runs everything in its turn: a message is remembered, "reset" forgets what came before it. */
async function runAll(bench: RedisBench): Promise<string[]> {
  const order: string[] = [];
  for (let [job] = await bench.claim(1); job !== undefined; [job] = await bench.claim(1)) {
    order.push(job.event.id);
    await end(bench, job);
  }
  return order;
}

async function end({ store }: RedisBench, job: Job): Promise<void> {
  const { id, conversation } = job.event;
  if (id.startsWith("reset")) await store.memory.forget(conversation, id);
  const turns = id.startsWith("reset") ? [] : [aTurn(id)];
  await store.queue.settle(job, { ...DONE, turns });
}

const remembered = async ({ store }: RedisBench) =>
  (await store.memory.recall("c1", { turnsMax: 99, sinceMs: 0 })).map(({ text }) => text);

describe("a conversation of which a spool brings a part", () => {
  it("forgets what was said before, though it was brought after", async () => {
    const { bench, isBrought } = await setUp();
    await isBrought("reset", 2);
    await isBrought("before", 1);
    await isBrought("after", 3);
    expect(await runAll(bench)).toEqual(["before", "reset", "after"]);
    expect(await remembered(bench)).toEqual(["after"]);
  });

  it("remembers what was said after, though that was brought before", async () => {
    const { bench, isBrought } = await setUp();
    await isBrought("after", 3);
    await isBrought("reset", 2);
    await isBrought("before", 1);
    expect(await runAll(bench)).toEqual(["before", "reset", "after"]);
    expect(await remembered(bench)).toEqual(["after"]);
  });

  it("remembers what is brought between two messages after it has forgotten", async () => {
    const { bench, comes, isBrought } = await setUp();
    await comes("last");
    await isBrought("reset", 1);
    const [reset] = await bench.claim(1);
    if (reset !== undefined) await end(bench, reset);
    await isBrought("second", 3);
    await isBrought("first", 2);
    expect(await runAll(bench)).toEqual(["first", "second", "last"]);
    expect(await remembered(bench)).toEqual(["first", "second", "last"]);
  });

  it("forgets all of it once more", async () => {
    const { bench, comes, isBrought } = await setUp();
    await isBrought("two", 2);
    await isBrought("one", 1);
    await comes("reset");
    expect(await runAll(bench)).toEqual(["one", "two", "reset"]);
    expect(await remembered(bench)).toEqual([]);
  });

  it("is in the order of acceptance again for what is replayed", async () => {
    const { bench, comes, isBrought } = await setUp();
    await comes("last");
    await isBrought("first", 1);
    await runAll(bench);
    await comes("reset");
    await runAll(bench);
    await bench.store.archive.replay("first", { by: "ann", mode: "anew", states: ["done"] });
    await runAll(bench);
    expect(await remembered(bench)).toEqual(["first"]);
  });
});
