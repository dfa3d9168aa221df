import type { GatewaySpec } from "../config/schema.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface HousekeepingDeps {
  readonly store: Store;
  readonly spec: GatewaySpec;
  /** The longest memory of any agent. */
  readonly turnsMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const SWEEP_EVERY_MS = 60_000;

/** Deletes what is past its time, and reads the queue's gauges when they are scraped. */
export function startHousekeeping({ store, spec, turnsMs, clock, log, metrics }: HousekeepingDeps): {
  stop(): void;
} {
  const stopping = new AbortController();
  const retention = {
    finishedMs: spec.retention.finished_seconds * 1000,
    deadMs: spec.retention.dead_seconds * 1000,
    turnsMs,
  };

  async function sweepForever(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(SWEEP_EVERY_MS, stopping.signal).catch(() => {});
      if (stopping.signal.aborted) return;
      try {
        const rows = await store.sweep(retention);
        if (rows > 0) log.info({ rows }, "store.swept");
      } catch (error) {
        log.error({ err: error }, "store.sweep_failed");
      }
    }
  }

  async function readGauges(): Promise<void> {
    try {
      const stats = await store.journal.stats();
      for (const state of ["queued", "running", "retrying", "dead"] as const)
        metrics.queueEvents.set({ state }, stats[state]);
      const oldest = stats.oldestAcceptedAtMs;
      metrics.queueOldest.set(oldest === null ? 0 : Math.max(0, clock.nowMs() - oldest) / 1000);
      metrics.storeBytes.set(stats.fileBytes);
    } catch {
      // Away: the last values stay, and /ready says why.
    }
  }

  metrics.beforeScrape(readGauges);
  void sweepForever();
  return { stop: () => stopping.abort() };
}
