import { expect, it } from "vitest";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { beginAtZero, modelCallsAtZero } from "../../src/telemetry/zeroes.ts";

it("the first failure of a model is an increase of what was there, as an open breaker lets no second follow", async () => {
  const metrics = createMetrics();
  const of = { agent: "assistant", provider: "anthropic", model: "claude" };
  modelCallsAtZero(metrics, of);
  const { values } = await metrics.modelCalls.get();
  expect(values.map(({ value }) => value)).toEqual(Array(9).fill(0));
  expect(values.map(({ labels }) => labels)).toContainEqual({ ...of, outcome: "MODEL_OVERLOADED" });
});

it("the first turn of a schedule that is left out is an increase of what was there", async () => {
  const metrics = createMetrics();
  beginAtZero(metrics, { platforms: [], agents: [], schedules: ["standup"] });
  const { values } = await metrics.schedules.get();
  expect(values.map(({ labels, value }) => [labels.schedule, labels.outcome, value])).toEqual([
    ["standup", "skipped", 0],
    ["standup", "platform_off", 0],
  ]);
});
