import { afterAll, beforeAll, expect, it } from "vitest";
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

it("puts what a spool kept behind what came earlier, however late Redis carried that out", async () => {
  const clock = new FakeClock();
  const limits = { waitingPerLaneMax: 100, waitingMax: 100 };
  const { store } = await openOn(
    connectionTo(redis.url),
    { clock, limits },
    { prefix: newPrefix(), owner: "one" },
  );
  redis.pause();
  // Given up after a second, and carried out as soon as Redis goes on.
  const first = store.queue.accept(anOffer(anEvent({ id: "first" })));
  clock.advance(500);
  const spooledAtMs = clock.nowMs();
  await expect(first).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  clock.advance(60_000);
  redis.resume();
  await store.lanes.stateOf("any"); // An answer: it is back.
  await store.queue.accept(anOffer(anEvent({ id: "second" }), { spooledAtMs }));
  await store.queue.accept(anOffer(anEvent({ id: "third" })));
  const order: string[] = [];
  for (;;) {
    const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: 60_000 });
    if (job === undefined) break;
    order.push(job.event.id);
    await store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
  }
  expect(order).toEqual(["first", "second", "third"]);
  await store[Symbol.asyncDispose]();
});
