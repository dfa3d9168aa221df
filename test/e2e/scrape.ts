import { eventually } from "../support/eventually.ts";

export interface Scrape {
  readonly text: string;
  /** The value of a series, written as Prometheus writes it; undefined when there is none. */
  value(series: string): number | undefined;
}

export async function scrape(url: string): Promise<Scrape> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split("\n");
  return {
    text,
    value(series) {
      const line = lines.find((one) => one.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
  };
}

const IDLE_GAUGES = ["parley_runs_active", "parley_queue_oldest_age_seconds", "parley_spool_events"];

/** Resolves with the metrics once everything that was accepted is settled. */
export function scrapeWhenIdle(url: string, timeoutMs = 15_000): Promise<Scrape> {
  return scrapeWhenZero(url, IDLE_GAUGES, timeoutMs);
}

export function scrapeWhenZero(url: string, gauges: readonly string[], timeoutMs: number): Promise<Scrape> {
  return eventually(async () => {
    const found = await scrape(url);
    for (const gauge of gauges) {
      const value = found.value(gauge);
      if (value !== 0) throw new Error(`Expected ${gauge} to become 0, got ${value}`);
    }
    return found;
  }, timeoutMs);
}
