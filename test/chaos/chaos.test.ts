import { describe, expect, it } from "vitest";
import { chaos } from "./chaos.ts";
import { keepEvidence, report } from "./report.ts";
import { verdictOn } from "./verdict.ts";

/** `npm run chaos` has longer forms of the same. */
const SEED = Number(process.env.PARLEY_SEED ?? Date.now() % 1_000_000);
const CONVERSATIONS = 1_000;

describe("two gateways on one Redis", () => {
  it("lose, repeat and reorder nothing, whatever is killed, stopped, refused or cut off", {
    timeout: 300_000,
  }, async () => {
    const run = await chaos({
      seed: SEED,
      seconds: 15,
      conversations: CONVERSATIONS,
      roles: ["all", "all"],
      spool: "off",
      isApart: false,
      awayMsMax: 1_500,
      without: [],
    });
    const verdict = verdictOn(run);
    const kept = verdict.violations.length === 0 ? "" : `\nAll that was seen: ${keepEvidence(run)}`;
    console.info(`seed ${SEED}\n${report(run, verdict)}${kept}`);
    expect(verdict.violations).toEqual([]);
    // The trouble was real.
    expect(Object.entries(run.faults).filter(([, count]) => count === 0)).toEqual([]);
    expect(run.conversations.filter(({ asked }) => asked.length > 0)).toHaveLength(CONVERSATIONS);
    expect(run.redelivered).toBeGreaterThan(0);
  });
});
