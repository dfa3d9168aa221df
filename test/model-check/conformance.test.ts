import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Dice } from "../simulation/dice.ts";
import { envNumber } from "../simulation/env.ts";
import { connectionTo, newPrefix, openOn } from "../store/redis/setup.ts";
import { FakeClock } from "../support/clock.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { openTestStore } from "../support/store.ts";
import { walk } from "./conformance.ts";
import type { RealStore } from "./hands.ts";
import { RULES, type Rules } from "./store-model.ts";

/** From the first on; `npm run soak -- model` takes more. */
const WALKS = envNumber("PARLEY_WALKS", 100);
const STEPS = 60;
const LIMITS = { waitingPerLaneMax: 100, waitingMax: 100 };

/**
 * Both workers are in one process, whose dispatcher ends the older work before it begins the newer. So nobody is late
 * with the word that nothing was sent, or a preview, and the store need not look whose reservation it is.
 */
const SQLITE_RULES: Rules = {
  ...RULES,
  fenced: new Set([...RULES.fenced].filter((name) => !name.startsWith("record "))),
};

async function openSqlite(): Promise<RealStore> {
  const clock = new FakeClock();
  const store = await openTestStore(clock, LIMITS);
  return { views: [store, store], clock };
}

async function walkMany(real: RealStore, rules: Rules, walks: number): Promise<void> {
  for (let seed = 1; seed <= walks; seed++) {
    await walk({ real, rules, dice: new Dice(seed), name: `walk ${seed}`, steps: STEPS }).catch(
      (error: Error) => {
        throw new Error(`Seed ${seed}: ${error.message}`);
      },
    );
  }
}

describe("where the model goes by chance", () => {
  it("SQLite goes as well", { timeout: 60_000 + WALKS * 200 }, async () => {
    await walkMany(await openSqlite(), SQLITE_RULES, WALKS);
  });

  it.each<[string, Partial<Rules>]>([
    ["a retry costs the event its place", { retryKeepsPlace: false }],
    ["nobody knows duplicates", { knowsDuplicates: false }],
    ["what is behind the head can be claimed", { claimsHeadsOnly: false }],
    ["old claims may settle", { fenced: new Set(["extend", "checkpoint", "reserve"]) }],
    ["reservations are forgotten", { remembersReservations: false }],
    ["previews are forgotten", { remembersPreviews: false }],
    ["a word wakes nobody who is parked", { signalsWake: false }],
    ["parking does not listen", { parkingListens: false }],
    ["what is joined comes back by itself", { joinedEnds: false }],
    ["old claims may join", { fenced: new Set([...RULES.fenced].filter((one) => one !== "join")) }],
    ["who begins to say an answer does not keep it", { beginSaves: false }],
  ])("it does not where %s", async (_, rules) => {
    const real = await openSqlite();
    await expect(walkMany(real, { ...SQLITE_RULES, ...rules }, 50)).rejects.toThrow(/^Seed \d+: Expected/);
  });
});

describe("where the model goes by chance, two processes on one Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ fsync: "no" });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  it("go as well", { timeout: 60_000 + WALKS * 500 }, async () => {
    const clock = new FakeClock();
    const prefix = newPrefix();
    const open = async (owner: string) => {
      const { store } = await openOn(connectionTo(redis.url), { clock, limits: LIMITS }, { prefix, owner });
      onTestFinished(() => store[Symbol.asyncDispose]());
      return store;
    };
    await walkMany({ views: [await open("one"), await open("two")], clock }, RULES, WALKS);
  });
});
