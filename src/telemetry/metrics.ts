import { collectDefaultMetrics, Registry } from "prom-client";
import { agentsMetrics } from "./metrics/agents.ts";
import { eventsMetrics } from "./metrics/events.ts";
import { instrumentsOf } from "./metrics/instruments.ts";
import { liveMetrics } from "./metrics/live.ts";
import { operationMetrics } from "./metrics/operation.ts";
import { platformsMetrics } from "./metrics/platforms.ts";
import { requestsMetrics } from "./metrics/requests.ts";
import { storesMetrics } from "./metrics/stores.ts";

/** Gauges whose names end in `_total`, which `promtool check metrics` rightly refuses. */
const MISNAMED = [
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
];

const LAG_SAMPLED_MS = 250;

export type Metrics = ReturnType<typeof createMetrics>;
/** Every metric of one process at one moment, as it can be sent to another. */
export type Snapshot = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

/** Every metric of the gateway, in one place. Labels hold names from the configuration or from closed lists, never ids. */
export function createMetrics(options: { processMetrics: boolean } = { processMetrics: false }) {
  const registry = new Registry();
  if (options.processMetrics) {
    // The lag of the event loop is sampled by a timer; every 10 ms, as is the default, is most of what an idle process costs.
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_SAMPLED_MS });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }

  const updates: (() => Promise<void>)[] = [];
  const instruments = instrumentsOf(registry);

  return {
    registry,
    /** What brings gauges up to date; awaited before each scrape. */
    beforeScrape(update: () => Promise<void>): void {
      updates.push(update);
    },
    async scrape(): Promise<string> {
      await Promise.all(updates.map((update) => update()));
      return await registry.metrics();
    },
    /** The same, to be put together with that of other processes. */
    async snapshot(): Promise<Snapshot> {
      await Promise.all(updates.map((update) => update()));
      return await registry.getMetricsAsJSON();
    },
    ...requestsMetrics(instruments),
    ...liveMetrics(instruments),
    ...eventsMetrics(instruments),
    ...agentsMetrics(instruments),
    ...platformsMetrics(instruments),
    ...storesMetrics(instruments),
    ...operationMetrics(instruments),
  };
}
