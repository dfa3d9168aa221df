import { expect, it } from "vitest";
import { toolMetrics } from "../../src/app/tools.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { beginAtZero, modelCallsAtZero } from "../../src/telemetry/zeroes.ts";

const NONE = { hooks: [], servers: [] };

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
  beginAtZero(metrics, { platforms: [], agents: [], schedules: ["standup"], ...NONE });
  const { values } = await metrics.schedules.get();
  expect(values.map(({ labels, value }) => [labels.schedule, labels.outcome, value])).toEqual([
    ["standup", "skipped", 0],
    ["standup", "platform_off", 0],
  ]);
});

it("the first failures of hooks and MCP servers are an increase of what was there", async () => {
  const metrics = createMetrics();
  const servers = [{ agent: "ops", server: "kubectl" }];
  beginAtZero(metrics, { platforms: [], agents: [], schedules: [], hooks: ["pager"], servers });
  const [hooks, failures] = [await metrics.hookDeliveries.get(), await metrics.toolServerFailures.get()];
  expect(hooks.values.map(({ labels, value }) => [labels.hook, labels.outcome, value])).toEqual([
    ["pager", "delivered", 0],
    ["pager", "failed", 0],
    ["pager", "dead", 0],
  ]);
  expect(failures.values.map(({ labels, value }) => [labels, value])).toEqual([[servers[0], 0]]);
});

it("a tool that was called before has a time-out to increase from", async () => {
  const metrics = createMetrics();
  const report = toolMetrics(metrics);
  report({ agent: "ops", tool: "kubectl__get", outcome: "ok", durationMs: 1 });
  const { values } = await metrics.toolCalls.get();
  expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([
    ["ok", 1],
    ["error", 0],
    ["timeout", 0],
    ["unknown-outcome", 0],
  ]);
});
