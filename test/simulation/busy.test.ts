import { expect, it } from "vitest";
import { BUSY_MODES } from "../../src/domain/busy.ts";
import { busyPlan } from "./plan.ts";
import { report } from "./report.ts";
import { onFile } from "./sqlite/storage.ts";
import { everyDeath } from "./steps.ts";
import { simulate } from "./world.ts";

const PLATFORMS = ["slack", "discord", "telegram", "whatsapp"] as const;
const CASES = BUSY_MODES.flatMap((mode) => PLATFORMS.map((platform) => ({ mode, platform })));
/** `npm run soak` has the days; here each mode dies at some of its steps, others on each platform. */
const STRIDE = 24;
const DEATHS = everyDeath("short");

it.each(CASES)(
  "what comes to $platform while a run is in hand is kept whenever it dies: $mode",
  async (of) => {
    const index = CASES.indexOf(of);
    const ends = new Set<string>();
    let step = index;
    for (; ; step += STRIDE) {
      const { fortunesAt } =
        DEATHS[(index + step) % DEATHS.length] ?? expect.fail("Expected a kind of platform");
      const outcome = await simulate(busyPlan(of.mode, of.platform, fortunesAt(step)), onFile);
      if (outcome.violations.length > 0)
        throw new Error(report(`Dying at step ${step}`, "this test", outcome));
      for (const end of Object.keys(outcome.events)) ends.add(end);
      if (outcome.crashes === 0) break;
    }
    expect(step).toBeGreaterThan(60);
    expect([...ends].sort()).toEqual(endsOf(of));
  },
);

/** Discord's come as commands, and each of those has an answer of its own. */
function endsOf({ mode, platform }: (typeof CASES)[number]): readonly string[] {
  return platform === "discord" ? ENDS[mode].filter((end) => end !== "merged") : ENDS[mode];
}

const ENDS = {
  queue: ["done"],
  collect: ["done", "merged"],
  interrupt: ["done", "merged"],
  steer: ["done", "merged"],
  drop: ["done", "dropped: busy"],
} as const;
