import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Watermarks } from "../../../src/ports/watermarks.ts";
import type { SharedStore } from "../../../src/store/redis/store.ts";
import { anOffer } from "../../contract/store.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/event.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { connectionTo, newPrefix, openOn } from "./setup.ts";

const LIMITS = { waitingPerLaneMax: 10_000, waitingMax: 10_000 };

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ fsync: "no" });
});
afterAll(() => redis[Symbol.asyncDispose]());

/** Two processes that share one Redis, by a clock that only the test moves. */
class Pair {
  readonly clock = new FakeClock();
  readonly #prefix = newPrefix();

  async open(owner: string): Promise<SharedStore> {
    const names = { prefix: this.#prefix, owner };
    const { store } = await openOn(connectionTo(redis.url), { clock: this.clock, limits: LIMITS }, names);
    onTestFinished(() => store[Symbol.asyncDispose]());
    return store;
  }
}

async function clear({ watermarks }: SharedStore, { clock }: Pair): Promise<void> {
  for (let word = 0; word < 2; word++)
    await watermarks.publish({ isSpooling: false, lowAtMs: clock.nowMs() });
}

function spooling({ watermarks }: SharedStore, lowAtMs: number): ReturnType<Watermarks["publish"]> {
  return watermarks.publish({ isSpooling: true, lowAtMs });
}

async function accept({ inbox }: SharedStore, id: string, lane = id): Promise<void> {
  await inbox.accept(anOffer(anEvent({ id, conversation: lane })));
}

async function claimed({ queue }: SharedStore): Promise<readonly string[]> {
  const jobs = await queue.claim({ jobsMax: 100, leaseMs: 30_000 });
  return jobs.map(({ event }) => event.id).sort();
}

describe("while a process has something in its spool", () => {
  it("nobody begins what came later, and everybody what came before", async () => {
    const pair = new Pair();
    const [one, other] = [await pair.open("one"), await pair.open("other")];
    await clear(one, pair);
    await clear(other, pair);
    await accept(one, "before");
    pair.clock.advance(10);
    await spooling(other, pair.clock.nowMs());
    expect(await one.watermarks.publish({ isSpooling: false, lowAtMs: pair.clock.nowMs() })).toEqual({
      isTaken: true,
      isAnotherSpooling: true,
    });
    await accept(one, "after");
    for (const store of [one, other]) await store.journal.stats();
    expect(await claimed(one)).toEqual(["before"]);
    expect(await claimed(other)).toEqual([]);
    // It is said again and again for as long as that takes.
    for (let word = 0; word < 100; word++) {
      pair.clock.advance(250);
      await spooling(other, pair.clock.nowMs() - 250 * (word + 1));
    }
    expect(await claimed(one)).toEqual([]);
    await clear(other, pair);
    pair.clock.advance(250);
    await clear(other, pair);
    expect(await claimed(one)).toEqual(["after"]);
  });

  it("what it forwards begins in its turn, before what came later", async () => {
    const pair = new Pair();
    const [one, other] = [await pair.open("one"), await pair.open("other")];
    await clear(one, pair);
    const cameMs = pair.clock.nowMs();
    await spooling(one, cameMs);
    pair.clock.advance(100);
    await accept(other, "second", "lane");
    expect(await claimed(other)).toEqual([]);
    await one.inbox.accept(anOffer(anEvent({ id: "first", conversation: "lane" }), { spooledAtMs: cameMs }));
    pair.clock.advance(250);
    await clear(one, pair);
    expect(await claimed(other)).toEqual(["first"]);
  });

  it("what has begun goes on, and commands do", async () => {
    const pair = new Pair();
    const one = await pair.open("one");
    await clear(one, pair);
    await accept(one, "begun");
    const [job] = await one.queue.claim({ jobsMax: 1, leaseMs: 30_000 });
    if (job === undefined) throw new Error("Expected a job, got none");
    await spooling(one, 0);
    await one.queue.settle(job, { kind: "retry", afterMs: 0, cause: "test" });
    await accept(one, "other");
    const stop = anOffer(anEvent({ id: "stop" }), { lane: "c1!control", kind: "command" });
    await one.inbox.accept(stop);
    expect(await claimed(one)).toEqual(["begun", "stop"]);
  });

  it("the others find what can begin among thousands that cannot", async () => {
    const pair = new Pair();
    const one = await pair.open("one");
    await clear(one, pair);
    await accept(one, "before");
    pair.clock.advance(1);
    const lowAtMs = pair.clock.nowMs();
    await Promise.all(Array.from({ length: 2_500 }, (_, n) => accept(one, `after-${n}`)));
    await spooling(one, lowAtMs);
    const found: string[] = [];
    for (let round = 0; round < 5 && found.length === 0; round++) found.push(...(await claimed(one)));
    expect(found).toEqual(["before"]);
    while ((await one.queue.claim({ jobsMax: 100, leaseMs: 30_000 })).length > 0);
    // Nobody asks again at once: it would find the same.
    const ready = one.queue.ready(AbortSignal.timeout(10_000)).then(() => "ready");
    const answered = one.journal.stats().then(() => "not yet");
    expect(await Promise.race([ready, answered])).toBe("not yet");
    pair.clock.advance(250);
    await clear(one, pair);
    const begun: string[] = [];
    while (begun.length < 2_500) begun.push(...(await claimed(one)));
    expect(begun).toHaveLength(2_500);
    pair.clock.advance(1);
    await expect(ready).resolves.toBe("ready");
  });
});

describe("a process that has died", () => {
  it("while it spooled is waited for fifteen seconds, and no longer", async () => {
    const pair = new Pair();
    const [one, dies] = [await pair.open("one"), await pair.open("dies")];
    await clear(one, pair);
    await spooling(dies, pair.clock.nowMs());
    await accept(one, "after");
    for (let n = 0; n < 60; n++) {
      await clear(one, pair);
      expect(await claimed(one)).toEqual([]);
      pair.clock.advance(250);
    }
    pair.clock.advance(1);
    expect(await claimed(one)).toEqual(["after"]);
  });

  it("while it spooled, and is started again in the last moment, is waited for until it has brought that", async () => {
    const pair = new Pair();
    const [one, dies] = [await pair.open("one"), await pair.open("dies")];
    await clear(one, pair);
    const cameMs = pair.clock.nowMs();
    await spooling(dies, cameMs);
    pair.clock.advance(100);
    await accept(one, "second", "lane");
    const stays = async (ms: number, word: () => Promise<unknown>) => {
      for (let passedMs = 0; passedMs < ms; passedMs += 250) {
        await clear(one, pair);
        await word();
        expect(await claimed(one)).toEqual([]);
        pair.clock.advance(250);
      }
    };
    await stays(14_750, async () => {});
    const again = await pair.open("dies");
    await stays(30_000, () => spooling(again, cameMs));
    await again.inbox.accept(
      anOffer(anEvent({ id: "first", conversation: "lane" }), { spooledAtMs: cameMs }),
    );
    await clear(again, pair);
    pair.clock.advance(250);
    await clear(again, pair);
    const [first] = await one.queue.claim({ jobsMax: 9, leaseMs: 30_000 });
    expect(first?.event.id).toBe("first");
    if (first !== undefined) await one.queue.settle(first, { kind: "done", outcome: "answered", turns: [] });
    expect(await claimed(one)).toEqual(["second"]);
  });

  it("with nothing in its spool is not waited for", async () => {
    const pair = new Pair();
    const [one, dies] = [await pair.open("one"), await pair.open("dies")];
    await clear(one, pair);
    await clear(dies, pair);
    await accept(one, "after");
    expect(await claimed(one)).toEqual(["after"]);
  });

  it("comes back under its name with what it kept, and that is waited for", async () => {
    const pair = new Pair();
    const [one, dies] = [await pair.open("one"), await pair.open("dies")];
    await clear(one, pair);
    for (let word = 0; word < 9; word++) await spooling(dies, pair.clock.nowMs());
    const again = await pair.open("dies");
    expect(await spooling(again, pair.clock.nowMs())).toMatchObject({ isTaken: true });
    await accept(one, "after");
    expect(await claimed(one)).toEqual([]);
  });
});

describe("after an outage", () => {
  it("all that were there before it are waited for, until they have spoken", async () => {
    const pair = new Pair();
    const [one, other] = [await pair.open("one"), await pair.open("other")];
    await clear(one, pair);
    await clear(other, pair);
    const lowAtMs = pair.clock.nowMs() + 1;
    pair.clock.advance(60_000);
    await accept(one, "after");
    expect(await claimed(one)).toEqual([]);
    await clear(one, pair);
    expect(await claimed(one)).toEqual([]);
    for (let word = 0; word < 40; word++) {
      await spooling(other, lowAtMs);
      pair.clock.advance(250);
      await clear(one, pair);
      expect(await claimed(one)).toEqual([]);
    }
    await clear(other, pair);
    pair.clock.advance(250);
    await clear(other, pair);
    expect(await claimed(one)).toEqual(["after"]);
  });

  it("who never comes back is waited for fifteen seconds, however often the outage comes back", async () => {
    const pair = new Pair();
    const [one, dies] = [await pair.open("one"), await pair.open("dies")];
    await clear(dies, pair);
    pair.clock.advance(60_000);
    await accept(one, "after");
    expect(await claimed(one)).toEqual([]);
    let waitedMs = 0;
    for (; (await claimed(one)).length === 0; waitedMs += 400) pair.clock.advance(400);
    expect(waitedMs).toBe(15_200);
    // Nobody has a spool that lives, so each idle hour looks like an outage.
    let waits = 0;
    for (let hour = 0; hour < 24; hour++) {
      pair.clock.advance(3_600_000);
      await accept(one, `later-${hour}`);
      if ((await claimed(one)).length === 0) waits++;
    }
    expect(waits).toBe(0);
  });

  it("who had died up to fifteen seconds before it may have been started again in it, and is waited for", async () => {
    const pair = new Pair();
    const [one, dies] = [await pair.open("one"), await pair.open("dies")];
    await clear(dies, pair);
    // For so long after its death others have spoken, and what they brought has begun.
    const live = async (ms: number) => {
      for (let passedMs = 0; passedMs < ms; passedMs += 250) {
        pair.clock.advance(250);
        await clear(one, pair);
      }
    };
    await live(14_000);
    await accept(one, "before");
    expect(await claimed(one)).toEqual(["before"]);
    pair.clock.advance(3_000);
    await clear(one, pair);
    await accept(one, "after");
    expect(await claimed(one)).toEqual([]);
    await live(15_000);
    expect(await claimed(one)).toEqual([]);
    await live(250);
    expect(await claimed(one)).toEqual(["after"]);

    // Later than that, it is gone.
    await live(15_000);
    pair.clock.advance(3_000);
    await clear(one, pair);
    await accept(one, "later");
    expect(await claimed(one)).toContain("later");
  });

  it("who was killed in it before it could say that it spools may still bring something, for fifteen seconds", async () => {
    const pair = new Pair();
    const [one, dies] = [await pair.open("one"), await pair.open("dies")];
    await clear(one, pair);
    await clear(dies, pair);
    pair.clock.advance(60_000);
    const isAnotherSpooling = async () => {
      const mark = { isSpooling: false, lowAtMs: pair.clock.nowMs() };
      return (await one.watermarks.publish(mark)).isAnotherSpooling;
    };
    const heardMs = async (maxMs: number) => {
      for (let passedMs = 0; passedMs < maxMs; passedMs += 250) {
        if (!(await isAnotherSpooling())) return passedMs;
        pair.clock.advance(250);
      }
      return maxMs;
    };
    expect(await heardMs(20_000)).toBe(15_250);

    // One that comes back says itself what it has.
    pair.clock.advance(60_000);
    const again = await pair.open("dies");
    await clear(again, pair);
    pair.clock.advance(10_000);
    expect(await isAnotherSpooling()).toBe(true);
    await clear(again, pair);
    expect(await isAnotherSpooling()).toBe(false);
  });

  it("a word that was on its way during it does not say that a spool is empty now", async () => {
    const clock = new FakeClock();
    const names = { prefix: newPrefix(), owner: "one" };
    const { store, link } = await openOn(connectionTo(redis.url), { clock, limits: LIMITS }, names);
    onTestFinished(() => store[Symbol.asyncDispose]());
    const sentMs = clock.nowMs();
    const carriedOut = (atMs: number, number: number, isSpooling: 0 | 1) =>
      link.run("report", [atMs, "other", number, sentMs, isSpooling, sentMs], "brief");
    expect(await carriedOut(sentMs + 500, 2, 0)).toEqual([sentMs + 500, 1, 0]);
    expect(await carriedOut(sentMs + 501, 3, 0)).toEqual([sentMs + 501, 0, 0]);
    expect(await carriedOut(sentMs + 501, 3, 1)).toEqual([sentMs + 501, 1, 0]);
    // Nor does one that a lost connection brings after what the next one has said.
    expect(await carriedOut(sentMs + 501, 2, 0)).toEqual([sentMs + 501, 0, 0]);
  });
});

it("a process that closes with an empty spool is forgotten, and with a full one is not", async () => {
  const pair = new Pair();
  const [one, empty, full] = [await pair.open("one"), await pair.open("empty"), await pair.open("full")];
  await clear(one, pair);
  await empty.watermarks.publish({ isSpooling: false, lowAtMs: pair.clock.nowMs() });
  await accept(one, "a");
  expect(await claimed(one)).toEqual([]);
  await empty[Symbol.asyncDispose]();
  pair.clock.advance(200);
  expect(await claimed(one)).toEqual(["a"]);
  await spooling(full, pair.clock.nowMs());
  await full[Symbol.asyncDispose]();
  await accept(one, "b");
  expect(await claimed(one)).toEqual([]);
});

it("all of it works when Redis is out of memory", async () => {
  const pair = new Pair();
  const [one, other] = [await pair.open("one"), await pair.open("other")];
  await clear(one, pair);
  await clear(other, pair);
  await accept(one, "before");
  pair.clock.advance(10);
  await redis.cli("CONFIG", "SET", "maxmemory", "1mb");
  onTestFinished(async () => void (await redis.cli("CONFIG", "SET", "maxmemory", "0")));
  await expect(accept(other, "spooled")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(await spooling(other, pair.clock.nowMs())).toMatchObject({ isTaken: true });
  expect(await claimed(one)).toEqual(["before"]);
});
