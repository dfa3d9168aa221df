import { createMetrics } from "../../src/telemetry/metrics.ts";
import { readExpression } from "./promql.ts";
import type { Rule } from "./rule-files.ts";

/** Given to each series by whoever scrapes. */
const OF_TARGET = ["job", "instance"];

/** Labels by series: what a running gateway exports (test/e2e/metrics.test.ts sees to that), and what rules record. */
export function knownSeries(rules: readonly Rule[]): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, ReadonlySet<string>>([["up", new Set(OF_TARGET)]]);
  const add = (name: string, labels: readonly string[]) =>
    known.set(name, new Set([...OF_TARGET, ...labels]));
  for (const metric of createMetrics({ processMetrics: true }).registry.getMetricsAsArray()) {
    const { labelNames = [], upperBounds } = metric as { labelNames?: string[]; upperBounds?: number[] };
    add(metric.name, labelNames);
    if (upperBounds === undefined) continue;
    for (const end of ["_sum", "_count"]) add(metric.name + end, labelNames);
    add(`${metric.name}_bucket`, [...labelNames, "le"]);
  }
  for (const { record, expr, labels = {} } of rules) {
    if (record === undefined) continue;
    // A record may be made by several rules.
    add(record, [...(known.get(record) ?? []), ...readExpression(expr).grouping, ...Object.keys(labels)]);
  }
  return known;
}

/** What an expression names and is not there. */
export function unknownIn(expr: string, known: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const { selectors, grouping } = readExpression(expr);
  const all = new Set(selectors.flatMap(({ metric }) => [...(known.get(metric) ?? [])]));
  return [
    ...selectors.filter(({ metric }) => !known.has(metric)).map(({ metric }) => `metric ${metric}`),
    ...selectors.flatMap(({ metric, labels }) =>
      labels.filter((label) => !known.get(metric)?.has(label)).map((label) => `${metric}{${label}}`),
    ),
    ...grouping.filter((label) => !all.has(label)).map((label) => `label ${label}`),
  ];
}
