import { startAlertmanager } from "../support/alertmanager.ts";
import { OUTAGES } from "./outages.ts";
import { startPrometheus, waitMs } from "./prometheus.ts";
import { toldFaults } from "./told.ts";

export interface Drilled {
  readonly outage: string;
  /** When each alert was first seen, in seconds since the outage began. */
  readonly raised: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

export interface DrillOptions {
  /** 1: with the rules as they are shipped. */
  readonly faster: number;
  /** Whether an Alertmanager hears of it as well, and the outage is mended where it can be. */
  readonly isTold: boolean;
  readonly note: (line: string) => void;
}

const LOOK_MS = 500;
/** What an alert may come later than its `for`. */
const GRACE_MS = 60_000;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** One outage, and which alerts come of it. */
export async function drill(name: string, { faster, isTold, note }: DrillOptions): Promise<Drilled> {
  const outage = OUTAGES[name];
  if (outage === undefined) throw new Error(`Expected an outage, got ${name}`);
  await using stack = new AsyncDisposableStack();
  const { gateway, others = [], begin, mend } = await outage.open(stack);
  const alertmanager = isTold ? stack.use(await startAlertmanager(faster)) : undefined;
  const prometheus = stack.use(
    await startPrometheus({
      targets: [gateway, ...others].map(({ url }) => new URL(url).host),
      ...(alertmanager !== undefined && { alertmanager: new URL(alertmanager.url).host }),
      faster,
    }),
  );
  await until(() => prometheus.isScraping(), 60_000);
  // A counter must have been seen as it was before.
  await sleep(faster === 1 ? 15_000 : 2_000);
  const faults: string[] = [];
  for (const { name: early } of await prometheus.firing())
    faults.push(`${early} fires before anything is wrong`);

  const over = new AbortController();
  stack.defer(() => over.abort());
  const startedAt = performance.now();
  await begin(over.signal);
  note(`${name}: ${outage.what}`);
  const raised: Record<string, number> = {};
  /** Of which one it was, for what nobody has expected. */
  const about: Record<string, string> = {};
  const last = Math.max(...outage.raises.map((alert) => waitMs(alert, faster))) + GRACE_MS;
  const isComplete = () => outage.raises.every((alert) => raised[alert] !== undefined);
  const look = async () => {
    for (const { name: alert, labels } of await prometheus.firing()) {
      // How quick the gateway is says something of the machine when so many of them run on it, for tests beside other tests.
      if (faster !== 1 && labels.slo === "own_latency") continue;
      about[alert] ??= JSON.stringify(labels);
      raised[alert] ??= Math.round((performance.now() - startedAt) / 100) / 10;
    }
  };
  while (performance.now() - startedAt < last && !isComplete()) {
    await look();
    await sleep(LOOK_MS);
  }
  // Another that is slower would come now.
  await sleep(faster === 1 ? GRACE_MS : 3_000);
  await look();
  for (const alert of outage.raises) {
    const atMs = (raised[alert] ?? Number.POSITIVE_INFINITY) * 1000;
    if (atMs > waitMs(alert, faster) + GRACE_MS) faults.push(`${alert} does not fire in time`);
  }
  const expected = new Set([...outage.raises, ...outage.follows]);
  for (const alert of Object.keys(raised))
    if (!expected.has(alert)) faults.push(`${alert} fires, too: ${about[alert]}`);
  if (alertmanager !== undefined) faults.push(...(await toldFaults(alertmanager, outage, mend)));
  return { outage: name, raised, faults };
}

async function until(isSo: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const endsAt = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > endsAt) throw new Error("Expected Prometheus to scrape, it did not");
    await sleep(LOOK_MS);
  }
}

export function words({ outage, raised, faults }: Drilled): string {
  const alerts = Object.entries(raised).map(([alert, seconds]) => `${alert} after ${seconds} s`);
  return `${outage}: ${faults.length === 0 ? "as expected" : `FAULT: ${faults.join("; ")}`}\n  ${alerts.join(", ") || "no alert"}`;
}
