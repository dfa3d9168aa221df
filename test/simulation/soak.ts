/**
 * The long form: `node test/simulation/soak.ts` runs days chosen by chance until one breaks a promise, or
 * PARLEY_SIM_RUNS of them (default 10,000), from PARLEY_SIM_SEED on (default: now). PARLEY_SIM_SCALE makes them
 * larger. With one run it also prints all that happened. Other forms:
 *
 * - `redis`: the same, with replicas that share a Redis
 * - `pairs`: dies twice, at every pair of steps of the small scenario
 * - `steps`: dies at every step of it, on each kind of platform
 * - `redis-steps`: one of two replicas is struck in every way at every step of the small scenario
 */
import { startRedis } from "../support/redis.ts";
import { envNumber } from "./env.ts";
import { planFrom, sharedPlanFrom, smallPlan } from "./plan.ts";
import { onRedis } from "./redis/storage.ts";
import { Wire } from "./redis/wire.ts";
import { report, reportSeed } from "./report.ts";
import { onFile } from "./sqlite/storage.ts";
import { type EveryStep, everyDeath, everyStep } from "./steps.ts";
import type { OpenStorage } from "./storage.ts";
import { type Plan, simulate } from "./world.ts";

const FORMS: Readonly<Record<string, () => Promise<boolean>>> = {
  days: () => soakDays(planFrom, onFile),
  redis: () => withRedis((onShared) => soakDays(sharedPlanFrom, onShared, "redis")),
  pairs: soakPairs,
  steps: () => soakSteps(everyDeath("long"), onFile),
  "redis-steps": () => withRedis((onShared) => soakSteps(everyStep("long"), onShared)),
};

const { argv } = process;
const form = FORMS[argv[2] ?? "days"];
if (form === undefined) throw new Error(`Expected one of ${Object.keys(FORMS).join(", ")}, got ${argv[2]}`);
process.exitCode = (await form()) ? 0 : 1;

async function withRedis(soak: (onShared: OpenStorage) => Promise<boolean>): Promise<boolean> {
  await using redis = await startRedis({ fsync: "off" });
  await using wire = await Wire.open(redis.url);
  return await soak(onRedis(wire));
}

async function soakDays(
  planOf: (seed: number, scale: number) => Plan,
  openStorage: OpenStorage,
  name?: string,
): Promise<boolean> {
  const first = envNumber("PARLEY_SIM_SEED", Date.now() % 1_000_000_000);
  const runs = envNumber("PARLEY_SIM_RUNS", 10_000);
  const scale = envNumber("PARLEY_SIM_SCALE", 5);
  console.error(`${runs} runs from seed ${first}, scale ${scale}`);
  for (let seed = first; seed < first + runs; seed++) {
    const outcome = await simulate(planOf(seed, scale), openStorage);
    if (runs === 1) console.log(outcome.trace.join("\n"));
    if (outcome.violations.length > 0) {
      console.error(reportSeed(seed, scale, outcome, name));
      return false;
    }
  }
  return true;
}

async function soakPairs(): Promise<boolean> {
  const options = { recovery: "lookup", onTheWay: "arrives" } as const;
  for (let first = 0; ; first++) {
    for (let second = 0; ; second++) {
      const outcome = await simulate(smallPlan({ ...options, deaths: [first, second] }), onFile);
      if (outcome.violations.length > 0) {
        console.error(report(`Dying at steps ${first} and ${second}`, "the same command", outcome));
        return false;
      }
      if (outcome.crashes === 0) return true;
      if (outcome.crashes === 1) break;
    }
  }
}

async function soakSteps(strikes: readonly EveryStep[], openStorage: OpenStorage): Promise<boolean> {
  for (const { name, fortunesAt } of strikes) {
    for (let step = 0; ; step++) {
      const outcome = await simulate(smallPlan(fortunesAt(step)), openStorage);
      if (outcome.violations.length > 0) {
        console.error(report(`When one ${name}, at step ${step},`, "the same command", outcome));
        return false;
      }
      if (outcome.crashes + outcome.freezes > 0) continue;
      console.error(`${step} steps: one ${name}`);
      break;
    }
  }
  return true;
}
