import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ScriptName } from "../../src/store/redis/scripts.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { envNumber } from "./env.ts";
import { sharedPlanFrom, smallPlan } from "./plan.ts";
import { onRedis } from "./redis/storage.ts";
import { type ChangeScript, Wire } from "./redis/wire.ts";
import { report, reportSeed } from "./report.ts";
import { everyStep } from "./steps.ts";
import { simulate } from "./world.ts";

const FIRST_SEED = envNumber("PARLEY_SIM_SEED", 1);
/** A score of days on which everything happens; `npm run soak` has others. */
const FIRST_DAY = envNumber("PARLEY_SIM_SEED", 21);
const DAYS_MIN = 20;
const DAYS = envNumber("PARLEY_SIM_REDIS_RUNS", DAYS_MIN);

const BROKEN_RUNS_MAX = 150;
/** What is wrong with Redis, by the scripts that do less than they should. */
const BROKEN: Readonly<Record<string, ChangeScript>> = {
  "fences nothing": inAll("holds", "true"),
  "knows no duplicates": inAll("read_key", "nil, false"),
  "extends no lease": onlyGiving("extend", "1"),
  "records no progress": onlyGiving("checkpoint", "1"),
  "takes every reservation for the first": onlyGiving("reserve", "{ 'fresh', 0 }"),
  "calls fresh what was shown": (script, source) =>
    script === "reserve" ? source.replace("return { 'shown', receipt }", "return { 'fresh', 0, 1 }") : source,
  "forgets what was said": onlyGiving("record", "1"),
  "elects whoever asks": inAll("holder_of", "nil"),
  "forgets what was joined": (script, source) =>
    script === "join" ? source.replace("if #joined > 0 then", "if false then") : source,
  "never forgets a conversation": onlyGiving("forget", "1"),
};

/** A function of the prelude that gives something else. */
function inAll(name: string, result: string): ChangeScript {
  return (_script, source) => {
    const changed = source.replace(
      new RegExp(`local function ${name}\\([^)]*\\)`),
      (head) => `${head} if true then return ${result} end`,
    );
    if (changed === source) throw new Error(`Expected a function ${name} in the prelude, got none`);
    return changed;
  };
}

/** A script that does nothing, and says that it did. */
function onlyGiving(name: ScriptName, result: string): ChangeScript {
  return (script, source) => (script === name ? `return ${result}` : source);
}

let redis: RedisServer;
let wire: Wire;
beforeAll(async () => {
  // What is on trial dies without Redis: what of that survives is the business of the fault tests.
  redis = await startRedis({ fsync: "off" });
  wire = await Wire.open(redis.url);
});
afterAll(async () => {
  await wire[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

describe("replicas that share a Redis, on a fake clock", () => {
  it(`keep their promises on ${DAYS} days from seed ${FIRST_DAY} on`, { timeout: 600_000 }, async () => {
    const seen = {
      crashes: 0,
      freezes: 0,
      marked: 0,
      storeFaults: 0,
      outrun: 0,
      previews: 0,
      parkings: 0,
      grants: 0,
      joined: 0,
      takenUp: 0,
    };
    let spooled = 0;
    const ends = new Set<string>();
    for (let seed = FIRST_DAY; seed < FIRST_DAY + DAYS; seed++) {
      const outcome = await simulate(sharedPlanFrom(seed), onRedis(wire));
      if (outcome.violations.length > 0) throw new Error(reportSeed(seed, 1, outcome, "redis"));
      for (const name of Object.keys(seen) as (keyof typeof seen)[]) seen[name] += outcome[name];
      for (const end of Object.keys(outcome.events)) ends.add(end);
      if (outcome.trace.some((line) => line.includes("they are spooled"))) spooled++;
    }
    if (DAYS < DAYS_MIN) return;
    // Or all those days were too kind to tell anything.
    expect(seen.crashes).toBeGreaterThan(DAYS);
    expect(Math.min(...Object.values(seen), spooled)).toBeGreaterThan(0);
    expect([...ends]).toEqual(
      expect.arrayContaining(["dead", "done", "done: stopped", "dropped: rate_limited", "merged"]),
    );
  });

  it.each(everyStep("short"))(
    "keep their promises whenever one $name",
    async ({ fortunesAt, stride, firstStep }) => {
      let step = firstStep;
      for (; ; step += stride) {
        const outcome = await simulate(smallPlan(fortunesAt(step)), onRedis(wire));
        if (outcome.violations.length > 0) throw new Error(report(`Step ${step}`, "this test", outcome));
        expect(outcome.events).toEqual({ done: 3 });
        if (outcome.crashes + outcome.freezes === 0) break;
      }
      expect(step).toBeGreaterThan(40);
    },
  );

  it("do the same again from the same seed, in another process too", async () => {
    const seed = FIRST_SEED + 3;
    const { trace } = await simulate(sharedPlanFrom(seed), onRedis(wire));
    expect((await simulate(sharedPlanFrom(seed), onRedis(wire))).trace).toEqual(trace);

    const soak = fileURLToPath(new URL("./soak.ts", import.meta.url));
    const env = {
      PATH: process.env.PATH,
      PARLEY_SIM_SEED: String(seed),
      PARLEY_SIM_RUNS: "1",
      PARLEY_SIM_SCALE: "1",
    };
    const { stdout } = await promisify(execFile)(process.execPath, [soak, "redis"], { env, maxBuffer: 1e8 });
    expect(stdout.trimEnd().split("\n")).toEqual(trace.join("\n").split("\n"));
  });

  it.each(Object.entries(BROKEN))("are found out when Redis %s", async (_what, change) => {
    await using broken = await Wire.open(redis.url, change);
    for (let seed = FIRST_SEED; seed < FIRST_SEED + BROKEN_RUNS_MAX; seed++) {
      const { violations } = await simulate(sharedPlanFrom(seed), onRedis(broken));
      if (violations.length > 0) return;
    }
    throw new Error(`Expected a broken promise on one of ${BROKEN_RUNS_MAX} days, got none`);
  });

  it("leave no key of a day behind", async () => {
    await simulate(sharedPlanFrom(FIRST_SEED), onRedis(wire));
    expect(await redis.cli("DBSIZE")).toBe(0);
  });
});
