import { expect, it } from "vitest";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { modelCallsAtZero } from "../../src/telemetry/zeroes.ts";

it("the first failure of a model is an increase of what was there, as an open breaker lets no second follow", async () => {
  const metrics = createMetrics();
  const of = { agent: "assistant", provider: "anthropic", model: "claude" };
  modelCallsAtZero(metrics, of);
  const { values } = await metrics.modelCalls.get();
  expect(values.map(({ value }) => value)).toEqual(Array(9).fill(0));
  expect(values.map(({ labels }) => labels)).toContainEqual({ ...of, outcome: "MODEL_OVERLOADED" });
});
