import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Store } from "../../../src/ports/store.ts";
import { anOffer } from "../../contract/store.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/event.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { connectionTo, newPrefix, openOn } from "./setup.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ fsync: "no" });
});
afterAll(() => redis[Symbol.asyncDispose]());

async function open(clock: FakeClock): Promise<Store> {
  const limits = { waitingPerLaneMax: 100, waitingMax: 100 };
  const names = { prefix: newPrefix(), owner: "one" };
  const { store } = await openOn(connectionTo(redis.url), { clock, limits }, names);
  onTestFinished(() => store[Symbol.asyncDispose]());
  return store;
}

/** Runs everything to its end; gives the ids in the order in which they began. */
async function drain({ queue }: Store): Promise<string[]> {
  const order: string[] = [];
  for (;;) {
    const [job] = await queue.claim({ jobsMax: 1, leaseMs: 60_000 });
    if (job === undefined) return order;
    order.push(job.event.id);
    await queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
  }
}

it("puts what a spool kept behind what came earlier, however late Redis carried that out", async () => {
  const clock = new FakeClock();
  const store = await open(clock);
  redis.pause();
  // Given up after a second, and carried out as soon as Redis goes on.
  const first = store.inbox.accept(anOffer(anEvent({ id: "first" })));
  clock.advance(500);
  const spooledAtMs = clock.nowMs();
  await expect(first).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  clock.advance(60_000);
  redis.resume();
  await store.lanes.stateOf("any"); // An answer: it is back.
  await store.inbox.accept(anOffer(anEvent({ id: "second" }), { spooledAtMs }));
  await store.inbox.accept(anOffer(anEvent({ id: "third" })));
  expect(await drain(store)).toEqual(["first", "second", "third"]);
});

it("puts right what Redis was late to carry out, and in another order than it came to two processes", async () => {
  const clock = new FakeClock();
  const store = await open(clock);
  const firstAtMs = clock.nowMs();
  clock.advance(1_000);
  const secondAtMs = clock.nowMs();
  const takenAt = (id: string, atMs: number) => {
    clock.advance(atMs - clock.nowMs());
    return store.inbox.accept(anOffer(anEvent({ id })));
  };
  // Both are spooled as well, because nobody waited for these.
  await takenAt("second", secondAtMs);
  await takenAt("first", firstAtMs);
  clock.advance(60_000);
  for (const [id, spooledAtMs] of [["second", secondAtMs] as const, ["first", firstAtMs] as const])
    expect(await store.inbox.accept(anOffer(anEvent({ id }), { spooledAtMs }))).toEqual({
      kind: "duplicate",
    });
  expect(await drain(store)).toEqual(["first", "second"]);
});

it("has what a spool kept wait since it was said, and once it was called back, since then", async () => {
  const clock = new FakeClock();
  const store = await open(clock);
  const spooledAtMs = clock.nowMs();
  clock.advance(3_600_000);
  await store.inbox.accept(anOffer(anEvent({ id: "spooled" }), { spooledAtMs }));
  const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: 60_000 });
  expect(job).toMatchObject({ acceptedAtMs: spooledAtMs, waitsSinceMs: spooledAtMs });
  if (job !== undefined) await store.queue.settle(job, { kind: "dead", cause: "test" });
  clock.advance(3_600_000);
  const replayedAtMs = clock.nowMs();
  await store.archive.replay("spooled", { by: "ann", mode: "resume", states: ["dead"] });
  clock.advance(1_000);
  const [again] = await store.queue.claim({ jobsMax: 1, leaseMs: 60_000 });
  expect(again).toMatchObject({ acceptedAtMs: spooledAtMs, waitsSinceMs: replayedAtMs });
});

it("puts what a spool kept before what came later, also when an old event was called back behind that", async () => {
  const clock = new FakeClock();
  const store = await open(clock);
  await store.inbox.accept(anOffer(anEvent({ id: "old" })));
  await drain(store);
  clock.advance(1_000);
  const spooledAtMs = clock.nowMs();
  clock.advance(1_000);
  await store.inbox.accept(anOffer(anEvent({ id: "later" })));
  await store.archive.replay("old", { by: "ann", mode: "anew", states: ["done"] });
  await store.inbox.accept(anOffer(anEvent({ id: "spooled" }), { spooledAtMs }));
  expect(await drain(store)).toEqual(["spooled", "later", "old"]);
});

describe("an event that several processes have spooled", () => {
  const came = (id: string, spooledAtMs: number) => anOffer(anEvent({ id }), { spooledAtMs });

  it("came when it came to the first of them, whoever brings it first", async () => {
    const store = await open(new FakeClock());
    for (const offer of [came("second", 20), came("first", 30), came("third", 40)])
      expect(await store.inbox.accept(offer)).toEqual({ kind: "accepted" });
    for (const offer of [came("third", 50), came("first", 10), came("second", 20)])
      expect(await store.inbox.accept(offer)).toEqual({ kind: "duplicate" });
    expect(await drain(store)).toEqual(["first", "second", "third"]);
  });

  it("came before what was taken without a spool later", async () => {
    const store = await open(new FakeClock());
    await store.inbox.accept(anOffer(anEvent({ id: "second" })));
    await store.inbox.accept(anOffer(anEvent({ id: "first" })));
    await store.inbox.accept(came("first", 10));
    expect(await drain(store)).toEqual(["first", "second"]);
  });

  it("does not overtake what has begun, and is let alone when it has begun itself or is over", async () => {
    const store = await open(new FakeClock());
    await store.inbox.accept(came("first", 20));
    await store.inbox.accept(came("second", 30));
    const [first] = await store.queue.claim({ jobsMax: 1, leaseMs: 60_000 });
    if (first === undefined) throw new Error("Expected a job, got none");
    await store.inbox.accept(came("second", 10));
    await store.inbox.accept(came("first", 5));
    await store.queue.settle(first, { kind: "retry", afterMs: 0, cause: "test" });
    expect(await drain(store)).toEqual(["first", "second"]);
    await store.inbox.accept(came("first", 1));
    expect(await drain(store)).toEqual([]);
  });
});
