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
