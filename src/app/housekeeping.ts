import type { GatewaySpec } from "../config/schema.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { within } from "./within.ts";

export interface HousekeepingDeps {
  readonly store: Store;
  readonly spec: GatewaySpec;
  /** The longest memory of any agent. */
  readonly turnsMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** On average; a half more or less, so that replicas do not all come at the same moment. */
const SWEEP_EVERY_MS = 60_000;
/** Word from whoever begins to sweep. */
const SWEEP_TOPIC = "sweep";
/** A scrape must not wait for a store that does not answer. */
const GAUGES_TIMEOUT_MS = 2_000;

/**
 * Deletes what is past its time, and reads the queue's gauges when they are scraped. Replicas that share a store take
 * turns: whoever wakes first says so and sweeps, the others sleep on. Two at once would do no harm.
 */
export function startHousekeeping(deps: HousekeepingDeps): { stop(): void } {
  const { store, spec, turnsMs, clock, random, log, metrics } = deps;
  const stopping = new AbortController();
  const retention = {
    finishedMs: spec.retention.finished_seconds * 1000,
    deadMs: spec.retention.dead_seconds * 1000,
    turnsMs,
  };

  let wake = new AbortController();
  const unsubscribe = store.bus.subscribe(SWEEP_TOPIC, () => wake.abort("somebody sweeps"));

  /** True when it slept to the end. */
  async function sleptUndisturbed(): Promise<boolean> {
    wake = new AbortController();
    const signal = AbortSignal.any([stopping.signal, wake.signal]);
    return await clock.sleep(SWEEP_EVERY_MS * (0.5 + random()), signal).then(
      () => true,
      () => false,
    );
  }

  async function sweepForever(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (!(await sleptUndisturbed())) continue;
      await store.bus.publish(SWEEP_TOPIC, "");
      try {
        const rows = await store.sweep(retention);
        if (rows > 0) log.info({ rows }, "store.swept");
      } catch (error) {
        log.error({ err: error }, "store.sweep_failed");
      }
    }
  }

  async function readGauges(): Promise<void> {
    const [stats, health] = await Promise.all([
      within(store.journal.stats(), GAUGES_TIMEOUT_MS, clock).catch(() => null),
      within(store.check(), GAUGES_TIMEOUT_MS, clock).catch(() => null),
    ]);
    // One that can be read and takes no event is of no use: a full disk, a Redis that refuses writes.
    const isUp = stats !== null && health !== null && health.status !== "failed";
    metrics.storeUp.set(isUp ? 1 : 0);
    // Away: the last values stay, and /ready says why.
    if (stats === null) return;
    for (const state of ["queued", "running", "retrying", "dead"] as const)
      metrics.queueEvents.set({ state }, stats[state]);
    const oldest = stats.oldestAcceptedAtMs;
    metrics.queueOldest.set(oldest === null ? 0 : Math.max(0, clock.nowMs() - oldest) / 1000);
    metrics.storeBytes.set(stats.fileBytes);
  }

  metrics.beforeScrape(readGauges);
  void sweepForever();
  return {
    stop() {
      unsubscribe();
      stopping.abort("stopped");
    },
  };
}
