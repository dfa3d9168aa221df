import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { isFailedAttempt, quantile } from "./tallies.ts";

export interface SelfCheckDeps {
  readonly usage: () => Promise<{ readonly memory: number }>;
  /** What waits for a run; rejects while the store is away, which is told elsewhere. */
  readonly waiting: () => Promise<number>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Pick<Logger, "warn">;
}

const EVERY_MS = 30_000;

/** What a person would want to know of before an alert does. */
export const THRESHOLDS = {
  memory_usage_ratio: 0.85,
  queue_waiting: 50,
  run_duration_p95_seconds: 30,
  run_failure_ratio: 0.05,
} as const;

type Readings = { readonly [M in keyof typeof THRESHOLDS]: number | null };

/** Looks every half minute at how this process does, and writes one line for each figure that is beyond its threshold. */
export async function selfCheck(deps: SelfCheckDeps, signal: AbortSignal): Promise<void> {
  const look = lookerOf(deps);
  while (!signal.aborted) {
    await deps.clock.sleep(EVERY_MS, signal).catch(() => {});
    if (signal.aborted) return;
    for (const [metric, value] of Object.entries(await look())) {
      const threshold = THRESHOLDS[metric as keyof Readings];
      if (value === null || value <= threshold) continue;
      deps.log.warn({ metric, value: Math.round(value * 1000) / 1000, threshold }, "performance.warning");
    }
  }
}

/** Durations and failures are those since the look before. */
function lookerOf({ usage, waiting, metrics }: SelfCheckDeps): () => Promise<Readings> {
  let before = { buckets: new Map<string, number>(), attempts: new Map<string, number>() };
  return async () => {
    const now = { buckets: await bucketsOf(metrics), attempts: await attemptsOf(metrics) };
    const buckets = since(before.buckets, now.buckets);
    const attempts = since(before.attempts, now.attempts);
    before = now;
    const all = sum(attempts, () => true);
    return {
      memory_usage_ratio: (await usage()).memory,
      queue_waiting: await waiting().catch(() => null),
      run_duration_p95_seconds: quantile(0.95, buckets),
      run_failure_ratio: all === 0 ? null : sum(attempts, isFailedAttempt) / all,
    };
  };
}

async function bucketsOf({ runSeconds }: Metrics): Promise<Map<string, number>> {
  const { values } = await runSeconds.get();
  const buckets = values.filter(({ metricName }) => metricName?.endsWith("_bucket"));
  return total(buckets.map(({ labels, value }) => [String((labels as { le?: unknown }).le), value]));
}

async function attemptsOf({ runAttempts }: Metrics): Promise<Map<string, number>> {
  const { values } = await runAttempts.get();
  return total(values.map(({ labels, value }) => [String(labels.outcome), value]));
}

function total(entries: readonly (readonly [string, number])[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [key, value] of entries) sums.set(key, (sums.get(key) ?? 0) + value);
  return sums;
}

function since(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...now].map(([key, value]) => [key, value - (before.get(key) ?? 0)]));
}

function sum(counts: ReadonlyMap<string, number>, isWanted: (key: string) => boolean): number {
  return [...counts].reduce((all, [key, value]) => all + (isWanted(key) ? value : 0), 0);
}
