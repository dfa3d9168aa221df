import type { Histogram } from "prom-client";
import type { Metrics } from "../../src/telemetry/metrics.ts";

type Counters = {
  [K in keyof Metrics]: Metrics[K] extends { get(): Promise<{ values: unknown[] }> } ? K : never;
}[keyof Metrics];

/** What one counter or gauge stands at for exactly these labels; 0 when it was never touched. */
export async function countOf(
  metrics: Metrics,
  name: Counters,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const { values } = await metrics[name].get();
  const hits = values.filter((value) =>
    Object.entries(labels).every(
      ([key, wanted]) => (value.labels as Record<string, unknown>)[key] === wanted,
    ),
  );
  return hits.reduce((sum, { value }) => sum + value, 0);
}

/** Of a histogram, for exactly these labels. */
export async function sumAndCount<L extends string>(
  histogram: Histogram<L>,
  labels: Readonly<Record<L, string>>,
): Promise<readonly [sum: number, count: number]> {
  const { values } = await histogram.get();
  const wanted = Object.entries(labels);
  const hits = values.filter((value) => {
    const given = value.labels as Record<string, unknown>;
    return wanted.every(([key, one]) => given[key] === one);
  });
  const of = (end: string) => hits.find(({ metricName }) => metricName?.endsWith(end))?.value ?? 0;
  return [of("_sum"), of("_count")];
}
