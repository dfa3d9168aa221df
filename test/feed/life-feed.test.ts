import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  LIVES_PER_MESSAGE_MAX,
  LIVES_WAITING_MAX,
  WATCH_EVERY_MS,
  WATCHED_FOR_MS,
} from "../../src/feed/bounds.ts";
import type { Life } from "../../src/feed/life.ts";
import { LifeFeed } from "../../src/feed/life-feed.ts";
import type { Bus } from "../../src/ports/bus.ts";
import { createBus } from "../../src/store/bus.ts";
import { FakeClock } from "../support/clock.ts";

let clock: FakeClock;
let bus: Bus;
let published: string[];
/** Two replicas on one store. */
let here: LifeFeed;
let there: LifeFeed;

beforeEach(() => {
  clock = new FakeClock();
  const real = createBus();
  published = [];
  bus = {
    ...real,
    async publish(topic, message) {
      published.push(topic);
      await real.publish(topic, message);
    },
  };
  here = new LifeFeed({ bus, clock });
  there = new LifeFeed({ bus, clock });
});

function aLife(id: string, changes: Partial<Life> = {}): Life {
  const at = new Date(clock.nowMs()).toISOString();
  return {
    at,
    state: "done",
    id,
    platform: "slack",
    tenant: "T1",
    conversation: "c",
    attempt: 1,
    detail: null,
    ...changes,
  };
}

async function watch(feed: LifeFeed) {
  const ids: string[] = [];
  let missed = 0;
  const leave = await feed.watch((lives, more) => {
    ids.push(...lives.map(({ id }) => id));
    missed += more;
  });
  return { ids, leave, missed: () => missed };
}

describe("the feed of lives", () => {
  it("is not wanted before anybody watches", () => {
    expect([here.isWatched, there.isWatched]).toEqual([false, false]);
    expect(published).toEqual([]);
  });

  it("tells watchers on every replica, in order and in one message a turn", async () => {
    const near = await watch(here);
    const far = await watch(there);
    expect([here.isWatched, there.isWatched]).toEqual([true, true]);
    published = [];
    for (const id of ["a", "b", "c"]) here.publish(aLife(id));
    await setImmediate();
    expect(near.ids).toEqual(["a", "b", "c"]);
    expect(far.ids).toEqual(["a", "b", "c"]);
    expect(published).toEqual(["life"]);
  });

  it("is wanted as long as somebody watches, and a while after a watcher has died", async () => {
    const { leave } = await watch(here);
    clock.advance(WATCHED_FOR_MS - 1);
    // The watcher says again and again that it is there.
    await setImmediate();
    clock.advance(WATCH_EVERY_MS);
    await setImmediate();
    expect(there.isWatched).toBe(true);
    leave();
    expect(clock.sleeping).toBe(0);
    expect(there.isWatched).toBe(true);
    clock.advance(WATCHED_FOR_MS);
    expect([here.isWatched, there.isWatched]).toEqual([false, false]);
  });

  it("goes on for the others when one of two leaves", async () => {
    const one = await watch(here);
    const other = await watch(here);
    one.leave();
    there.publish(aLife("a"));
    await setImmediate();
    expect([one.ids, other.ids]).toEqual([[], ["a"]]);
    expect(here.watchers).toBe(1);
  });

  it("counts what comes faster than the bus takes it, and leaves it out", async () => {
    const { ids, missed } = await watch(here);
    for (let n = 0; n < LIVES_WAITING_MAX + 5; n++) there.publish(aLife(String(n)));
    await setImmediate();
    // What is much comes in parts, so that whoever reads it can pass it on in between.
    expect(ids).toHaveLength(LIVES_PER_MESSAGE_MAX);
    await vi.waitFor(() => expect(missed()).toBe(5));
    expect(ids).toEqual(Array.from({ length: LIVES_WAITING_MAX }, (_, n) => String(n)));
    there.publish(aLife("after"));
    await setImmediate();
    expect(ids.at(-1)).toBe("after");
    expect(missed()).toBe(5);
  });

  it("passes over words of another version", async () => {
    const { ids } = await watch(here);
    await bus.publish("life", "no JSON");
    await bus.publish("life", '{"lives":[{"id":7}],"missed":0}');
    await bus.publish("life", JSON.stringify({ lives: [aLife("new", { state: "unheard-of" })], missed: 0 }));
    await setImmediate();
    expect(ids).toEqual(["new"]);
  });

  it("is silent once closed", async () => {
    const { ids } = await watch(here);
    here.close();
    there.publish(aLife("a"));
    await setImmediate();
    expect(ids).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });
});
