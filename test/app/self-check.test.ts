import { beforeEach, describe, expect, it } from "vitest";
import { selfCheck } from "../../src/app/self-check.ts";
import { quantile } from "../../src/app/tallies.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";

const QUIET = { memory: 0.85, waiting: 50 };
let clock: FakeClock;
let metrics: Metrics;
let state: { memory: number; waiting: number | null };
let lines: object[];
let stop: AbortController;

beforeEach(() => {
  clock = new FakeClock();
  metrics = createMetrics();
  state = QUIET;
  lines = [];
  stop = new AbortController();
});

function start(): Promise<void> {
  return selfCheck(
    {
      usage: async () => state,
      async waiting() {
        if (state.waiting === null) throw new Error("the store is away");
        return state.waiting;
      },
      metrics,
      clock,
      log: { warn: (line: object, msg?: string) => lines.push({ ...line, msg }) } as never,
    },
    stop.signal,
  );
}

/** What one look says. */
async function look(): Promise<object[]> {
  lines = [];
  clock.advance(30_000);
  while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
  return lines;
}

function ran(outcome: string, seconds: number, times = 1): void {
  for (let i = 0; i < times; i++) {
    metrics.runAttempts.inc({ agent: "assistant", outcome });
    metrics.runSeconds.observe({ agent: "assistant", outcome }, seconds);
  }
}

describe("the self-check", () => {
  it("says nothing while all is within its threshold, and ends when told to", async () => {
    const checking = start();
    ran("answered", 29, 95);
    ran("failed", 0.1, 5);
    expect(await look()).toEqual([]);
    stop.abort();
    await checking;
    expect(clock.sleeping).toBe(0);
  });

  it("warns of each figure that is beyond it, each half minute", async () => {
    void start();
    state = { memory: 0.8512, waiting: 51 };
    ran("answered", 45, 9);
    ran("deferred", 45, 1);
    const warning = { msg: "performance.warning" };
    const lasting = [
      { ...warning, metric: "memory_usage_ratio", value: 0.851, threshold: 0.85 },
      { ...warning, metric: "queue_waiting", value: 51, threshold: 50 },
    ];
    expect(await look()).toEqual([
      ...lasting,
      { ...warning, metric: "run_duration_p95_seconds", value: 58.5, threshold: 30 },
      { ...warning, metric: "run_failure_ratio", value: 0.1, threshold: 0.05 },
    ]);
    // What came before the last look is over.
    ran("answered", 1);
    expect(await look()).toEqual(lasting);
    state = QUIET;
    expect(await look()).toEqual([]);
    stop.abort();
  });

  it("goes on while the store is away", async () => {
    void start();
    state = { memory: 0.9, waiting: null };
    expect(await look()).toMatchObject([{ metric: "memory_usage_ratio" }]);
    stop.abort();
  });
});

describe("a quantile", () => {
  const buckets = (...counts: readonly [string, number][]) => new Map(counts);

  it("is what histogram_quantile would give", () => {
    expect(quantile(0.5, buckets(["1", 0], ["2", 10], ["+Inf", 10]))).toBe(1.5);
    expect(quantile(0.95, buckets(["1", 90], ["2", 100], ["+Inf", 100]))).toBe(1.5);
    expect(quantile(0.95, buckets(["1", 90], ["2", 90], ["+Inf", 100]))).toBe(2);
    expect(quantile(0.95, buckets(["1", 0], ["+Inf", 0]))).toBeNull();
    expect(quantile(0.95, buckets())).toBeNull();
  });
});
