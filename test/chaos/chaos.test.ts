import { describe, expect, it } from "vitest";
import { type ChaosOptions, chaos } from "./chaos.ts";
import { keepEvidence, report } from "./report.ts";
import { verdictOn } from "./verdict.ts";

/** `npm run chaos` and `npm run soak -- chaos` have longer forms of the same. */
const SEED = Number(process.env.PARLEY_SEED ?? Date.now() % 1_000_000);
const CONVERSATIONS = 300;

describe("two gateways on one Redis lose, repeat and reorder nothing", () => {
  it.each<[string, Pick<ChaosOptions, "spool" | "isApart">]>([
    ["whatever fails at the same time, when platforms have to send again", { spool: "off", isApart: false }],
    ["whatever fails in turn, when all is acknowledged that can be spooled", { spool: "on", isApart: true }],
  ])("%s", { timeout: 300_000 }, async (_, mode) => {
    const options = {
      seed: SEED,
      seconds: 5,
      conversations: CONVERSATIONS,
      awayMsMax: 1_200,
      restMsMax: 1_000,
    };
    const run = await chaos({ ...options, ...mode, roles: ["all", "all"], without: [] });
    const verdict = verdictOn(run);
    const kept = verdict.violations.length === 0 ? "" : `\nAll that was seen: ${keepEvidence(run)}`;
    console.info(`seed ${SEED}, spool ${mode.spool}\n${report(run, verdict)}${kept}`);
    expect(verdict.violations).toEqual([]);
    // The trouble was real.
    expect(Object.entries(run.faults).filter(([, count]) => count === 0)).toEqual([]);
    expect(run.conversations.filter(({ asked }) => asked.length > 0)).toHaveLength(CONVERSATIONS);
    expect(run.redelivered).toBeGreaterThan(0);
  });
});
