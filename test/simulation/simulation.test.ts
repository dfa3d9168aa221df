import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { envNumber } from "./env.ts";
import { planFrom, smallPlan } from "./plan.ts";
import { report, reportSeed } from "./report.ts";
import { onFile } from "./sqlite/storage.ts";
import { everyDeath } from "./steps.ts";
import { type Outcome, simulate } from "./world.ts";

const FIRST_SEED = envNumber("PARLEY_SIM_SEED", 1);
/** As many as it takes for everything to happen; `npm run soak` has others. */
const RUNS_MIN = 40;
const RUNS = envNumber("PARLEY_SIM_RUNS", RUNS_MIN);
const SCALE = envNumber("PARLEY_SIM_SCALE", 1);

describe("a gateway on a fake clock", () => {
  it(`keeps its promises on ${RUNS} days from seed ${FIRST_SEED} on`, { timeout: 600_000 }, async () => {
    const seen = {
      crashes: 0,
      marked: 0,
      waits: 0,
      previews: 0,
      parkings: 0,
      grants: 0,
      joined: 0,
      takenUp: 0,
      storeFaults: 0,
      events: new Map<string, number>(),
    };
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      const outcome = await simulate(planFrom(seed, SCALE), onFile);
      if (outcome.violations.length > 0) throw new Error(reportSeed(seed, SCALE, outcome));
      add(outcome, seen);
    }
    if (RUNS < RUNS_MIN) return;
    // Or all those days were too kind to tell anything.
    expect(seen.crashes).toBeGreaterThan(RUNS);
    expect(seen.marked).toBeGreaterThan(0);
    expect(seen.waits).toBeGreaterThan(0);
    expect(seen.previews).toBeGreaterThan(RUNS);
    expect(seen.parkings).toBeGreaterThan(RUNS);
    expect(seen.grants).toBeGreaterThan(RUNS / 10);
    expect(seen.joined).toBeGreaterThan(RUNS / 2);
    expect(seen.takenUp).toBeGreaterThan(RUNS / 4);
    expect(seen.storeFaults).toBeGreaterThan(0);
    expect([...seen.events.keys()].sort()).toEqual([
      "dead",
      "done",
      "done: out-of-time",
      "done: stopped",
      "dropped: not_allowed",
      "dropped: paused",
      "dropped: rate_limited",
      "dropped: too_old",
      "merged",
    ]);
  });

  it.each(everyDeath("short"))(
    "keeps its promises whenever it $name",
    async ({ fortunesAt, stride, firstStep }) => {
      let step = firstStep;
      for (; ; step += stride) {
        const outcome = await simulate(smallPlan(fortunesAt(step)), onFile);
        if (outcome.violations.length > 0)
          throw new Error(report(`Dying at step ${step}`, "this test", outcome));
        expect(outcome.events).toEqual({ done: 3 });
        if (outcome.crashes === 0) break;
      }
      expect(step).toBeGreaterThan(100);
    },
  );

  it("lets no conversation wait for another, and each for itself alone", async () => {
    const { trace } = await simulate(
      smallPlan({ deaths: [], recovery: "lookup", onTheWay: "arrives" }),
      onFile,
    );
    const firstStart = (event: string) => trace.find((line) => line.includes(`model call for ${event}`));
    // The second message of one conversation waits for the first; the other conversation begins as it arrives.
    expect(firstStart("telegram:77:10002")).toMatch(/^1700000000020 /);
    const direct = trace
      .filter((line) => /(model call for|settle) slack/.test(line))
      .map((line) => line.split(" ")[1]);
    expect(direct).toEqual(["model", "model", "model", "settle", "model", "settle"]);
  });

  it("does the same again from the same seed, in another process too", async () => {
    const seed = FIRST_SEED + 2;
    const { trace } = await simulate(planFrom(seed), onFile);
    expect((await simulate(planFrom(seed), onFile)).trace).toEqual(trace);

    const soak = fileURLToPath(new URL("./soak.ts", import.meta.url));
    const env = { PARLEY_SIM_SEED: String(seed), PARLEY_SIM_RUNS: "1", PARLEY_SIM_SCALE: "1" };
    const { stdout } = await promisify(execFile)(process.execPath, [soak], { env, maxBuffer: 1e8 });
    expect(stdout.trimEnd().split("\n")).toEqual(trace.join("\n").split("\n"));
  });
});

interface Seen {
  crashes: number;
  marked: number;
  waits: number;
  previews: number;
  parkings: number;
  grants: number;
  joined: number;
  takenUp: number;
  storeFaults: number;
  readonly events: Map<string, number>;
}

function add(outcome: Outcome, seen: Seen): void {
  seen.crashes += outcome.crashes;
  seen.marked += outcome.marked;
  seen.waits += outcome.waits;
  seen.previews += outcome.previews;
  seen.parkings += outcome.parkings;
  seen.grants += outcome.grants;
  seen.joined += outcome.joined;
  seen.takenUp += outcome.takenUp;
  seen.storeFaults += outcome.storeFaults;
  for (const [state, count] of Object.entries(outcome.events))
    seen.events.set(state, (seen.events.get(state) ?? 0) + count);
}
