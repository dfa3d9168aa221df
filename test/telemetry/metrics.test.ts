import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { METRICS_PAGE, metricsPage } from "./metrics-page.ts";

it("docs/metrics.md is what the registry says", async () => {
  // When this fails: node test/telemetry/metrics-page.ts
  expect(readFileSync(METRICS_PAGE, "utf8")).toBe(await metricsPage());
});

it("every metric has a name of ours, a unit where it has one, and a sentence", () => {
  for (const { name, help } of createMetrics().registry.getMetricsAsArray()) {
    expect(name).toMatch(/^parley_[a-z0-9_]+$/);
    expect(help).toMatch(/^[A-Z0-9].*\.$/);
  }
});
