/**
 * The long form: `node test/simulation/soak.ts` runs days chosen by chance until one breaks a promise, or
 * PARLEY_SIM_RUNS of them (default 10,000), from PARLEY_SIM_SEED on (default: now). PARLEY_SIM_SCALE makes them
 * larger. With one run it also prints all that happened. `node test/simulation/soak.ts pairs` dies twice, at every
 * pair of steps of the small scenario.
 */
import { envNumber } from "./env.ts";
import { planFrom, smallPlan } from "./plan.ts";
import { report, reportSeed } from "./report.ts";
import { onFile } from "./sqlite/storage.ts";
import { simulate } from "./world.ts";

process.exitCode = (process.argv[2] === "pairs" ? await soakPairs() : await soakSeeds()) ? 0 : 1;

async function soakSeeds(): Promise<boolean> {
  const first = envNumber("PARLEY_SIM_SEED", Date.now() % 1_000_000_000);
  const runs = envNumber("PARLEY_SIM_RUNS", 10_000);
  const scale = envNumber("PARLEY_SIM_SCALE", 5);
  console.error(`${runs} runs from seed ${first}, scale ${scale}`);
  for (let seed = first; seed < first + runs; seed++) {
    const outcome = await simulate(planFrom(seed, scale), onFile);
    if (runs === 1) console.log(outcome.trace.join("\n"));
    if (outcome.violations.length > 0) {
      console.error(reportSeed(seed, scale, outcome));
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
