import { type Aggregator, Counter, Gauge, Histogram, type Registry } from "prom-client";

export const HTTP_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** The last is as long as the least patient platforms wait: what is above it was acknowledged too late. */
export const ACK_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 3];
/** From a bucket that is empty for a moment to a pause of an hour. */
export const PAUSE_SECONDS = [0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600];

export type Instruments = ReturnType<typeof instrumentsOf>;

/** What makes metrics in this registry, each under a name of ours. */
export function instrumentsOf(registry: Registry) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name: `parley_${name}`, help, labelNames, registers: [registry] });
  /** `over`: what several processes make of it. What each reads from the store that they share is not theirs to add. */
  const gauge = <L extends string>(
    name: string,
    help: string,
    { labels = [], over = "sum" }: { labels?: readonly L[]; over?: Aggregator } = {},
  ) =>
    new Gauge<L>({
      name: `parley_${name}`,
      help,
      labelNames: labels,
      aggregator: over,
      registers: [registry],
    });
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly L[] = [],
  ) => new Histogram<L>({ name: `parley_${name}`, help, buckets, labelNames, registers: [registry] });

  return { counter, gauge, histogram };
}
