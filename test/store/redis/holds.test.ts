import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Held, RELEASED_TOPIC } from "../../../src/ports/holds.ts";
import { FakeClock } from "../../support/clock.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { seeded } from "../../support/seeded.ts";
import { calls, openBench, type RedisBench } from "./bench.ts";
import { newPrefix } from "./setup.ts";

const TTL_MS = 5_000;
const NAME = "sweeping";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ fsync: "no" });
});
afterAll(() => redis[Symbol.asyncDispose]());

interface Two {
  readonly clock: FakeClock;
  readonly one: RedisBench;
  readonly other: RedisBench;
}

async function two(): Promise<Two> {
  const clock = new FakeClock();
  const one = await openBench(redis, { clock });
  return { clock, one, other: await openBench(redis, { clock, prefix: one.prefix, owner: "other" }) };
}

const hold = ({ store }: RedisBench) => store.holds.hold(NAME, TTL_MS);

async function elected(bench: RedisBench): Promise<Held> {
  const held = await hold(bench);
  if (held === null) throw new Error("Expected to be elected");
  return held;
}

describe("processes on one Redis that may hold one name", () => {
  it("are elected one at a time, and the next when the time is over, to the millisecond", async () => {
    const { clock, one, other } = await two();
    const first = await elected(one);
    expect(await hold(other)).toBeNull();
    clock.advance(TTL_MS - 1);
    expect(await hold(other)).toBeNull();
    expect(await one.store.holds.renew(first, TTL_MS)).toBe(true);
    clock.advance(TTL_MS - 1);
    expect(await hold(other)).toBeNull();
    clock.advance(1);
    const second = await elected(other);
    expect(second.token).toBeGreaterThan(first.token);
    expect(await hold(one)).toBeNull();
  });

  it("hear when the holder lets go, and can have it at once", async () => {
    const { one, other } = await two();
    const held = await elected(one);
    const heard = new Promise((resolve) => other.store.bus.subscribe(RELEASED_TOPIC, resolve));
    await one.store.holds.release(held);
    expect(await heard).toBe(NAME);
    expect(await hold(other)).not.toBeNull();
    // Whoever lets go late takes nothing from the next.
    await one.store.holds.release(held);
    expect(await hold(one)).toBeNull();
  });

  it("change nothing once their time is over, whether another has been elected or not", async () => {
    const { clock, one, other } = await two();
    const paused = await elected(one);
    await one.store.notes.put("n", "in time", paused);
    clock.advance(TTL_MS);
    const change = () => one.store.notes.put("n", "late", paused);
    expect([await one.store.holds.renew(paused, TTL_MS), await change()]).toEqual([false, false]);
    const next = await elected(other);
    expect(await other.store.notes.put("n", "next", next)).toBe(true);
    expect([await one.store.holds.renew(paused, TTL_MS), await change()]).toEqual([false, false]);
    expect(await one.store.notes.get("n")).toBe("next");
  });

  it("have it for as long when the clock is set back", async () => {
    const { clock, one, other } = await two();
    await elected(one);
    clock.advance(-3_600_000);
    expect(await hold(other)).toBeNull();
    clock.advance(TTL_MS - 1);
    expect(await hold(other)).toBeNull();
    clock.advance(1);
    expect(await hold(other)).not.toBeNull();
  });

  it("get it anew after an answer that was lost on the way", async () => {
    const { one, other } = await two();
    void one.proxy.loseAnswer(calls("hold"));
    const back = one.back();
    await expect(hold(one)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await back;
    expect(await hold(other)).toBeNull();
    const held = await elected(one);
    expect(await one.store.notes.put("n", "x", held)).toBe(true);
  });

  it("are elected with greater tokens after everything was lost", async () => {
    const { clock, one, other } = await two();
    const before = await elected(one);
    await redis.cli("FLUSHALL");
    clock.advance(1);
    const after = await elected(other);
    expect(after.token).toBeGreaterThan(before.token);
    expect(await one.store.notes.put("n", "late", before)).toBe(false);
  });

  it("leave nothing behind when they let go", async () => {
    const { one } = await two();
    await one.store.holds.release(await elected(one));
    expect(await redis.cli("EXISTS", `{${one.prefix}}:holds`)).toBe(0);
  });
});

/** What a plain record of the last election says. */
interface Model {
  held: { readonly held: Held; readonly by: number; untilMs: number } | null;
  note: string | null;
  greatest: number;
}

describe("any sequence of elections, renewals, notes, pauses and deaths of three processes", () => {
  it.each([0, 1, 2, 3])(
    "has one live holder at a time, and notes of the live one alone (seed %i)",
    async (seed) => {
      const clock = new FakeClock();
      const pick = seeded(seed);
      const prefix = newPrefix();
      const open = (process: number) => openBench(redis, { clock, prefix, owner: `process ${process}` });
      const benches = await Promise.all([0, 1, 2].map(open));
      const past: Held[] = [];
      const model: Model = { held: null, note: null, greatest: 0 };
      const live = () => (model.held !== null && model.held.untilMs > clock.nowMs() ? model.held : null);

      for (let step = 0; step < 300; step++) {
        const process = pick(3);
        const bench = benches[process];
        if (bench === undefined) throw new Error("Expected three processes");
        const { holds, notes } = bench.store;
        /** As likely as not the one that is live: paused processes come with old ones. */
        const held = pick(2) === 0 ? model.held?.held : past[pick(Math.max(1, past.length))];
        const isLive = held !== undefined && live()?.held.token === held.token;
        const action = pick(100);
        if (action < 30) {
          const ttlMs = 1 + pick(TTL_MS);
          const got = await holds.hold(NAME, ttlMs);
          const mayHave = live() === null || live()?.by === process;
          expect(got !== null).toBe(mayHave);
          if (got === null) continue;
          expect(got.token).toBeGreaterThan(model.greatest);
          model.greatest = got.token;
          model.held = { held: got, by: process, untilMs: clock.nowMs() + ttlMs };
          past.push(got);
        } else if (action < 50) {
          if (held === undefined) continue;
          expect(await holds.renew(held, TTL_MS)).toBe(isLive);
          if (isLive && model.held !== null) model.held.untilMs = clock.nowMs() + TTL_MS;
        } else if (action < 75) {
          if (held === undefined) continue;
          expect(await notes.put("n", `${step}`, held)).toBe(isLive);
          if (isLive) model.note = `${step}`;
          expect(await notes.get("n")).toBe(model.note);
        } else if (action < 82) {
          if (held === undefined) continue;
          await holds.release(held);
          if (isLive) model.held = null;
        } else if (action < 97) clock.advance(pick(TTL_MS));
        else if (action < 98) await redis.cli("SCRIPT", "FLUSH");
        else {
          // A death: what it held, it has under its name until the time is over.
          await bench.link.close();
          benches[process] = await open(process);
        }
      }
      expect(past.length).toBeGreaterThan(20);
    },
  );
});
