import { expect, it } from "vitest";
import { flipped, isPausedBy, NO_SWITCHES } from "../../src/domain/switches.ts";

const BY = { by: "ann", atMs: 1, reason: null };
const OURS = { platform: "slack", agent: "assistant" };

it("a switch pauses what it is for, and nothing else, until it is put back", () => {
  const agent = flipped(NO_SWITCHES, { ...BY, on: true, agent: "assistant" });
  const platform = flipped(NO_SWITCHES, { ...BY, on: true, platform: "slack" });
  const all = flipped(NO_SWITCHES, { ...BY, on: true });
  expect([agent, platform, all].map((one) => isPausedBy(one, OURS))).toEqual([true, true, true]);
  expect([agent, platform, all].map((one) => isPausedBy(one))).toEqual([false, false, true]);
  const other = { platform: "discord", agent: "other" };
  expect([agent, platform, all].map((one) => isPausedBy(one, other))).toEqual([false, false, true]);
  expect(isPausedBy(agent, { platform: "slack", agent: null })).toBe(false);
  const both = flipped(agent, { ...BY, on: true });
  expect(flipped(both, { ...BY, on: false })).toEqual(agent);
  expect(flipped(agent, { ...BY, on: false, agent: "assistant" })).toEqual(NO_SWITCHES);
  // Names of what every object has are names like others.
  expect(isPausedBy(agent, { platform: "toString", agent: "constructor" })).toBe(false);
});
