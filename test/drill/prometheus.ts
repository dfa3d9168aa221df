import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { groupsIn, ROOT, RULE_FILES, type Rule } from "../deploy/rule-files.ts";
import { temporaryFolder } from "../e2e/gateway-process.ts";
import { milliseconds } from "../support/alertmanager.ts";
import { launch } from "../support/child.ts";
import { freePort } from "../support/ports.ts";
import { toolPath } from "../support/tools.ts";

export interface Firing {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Prometheus extends AsyncDisposable {
  /** Alerts that fire now. */
  firing(): Promise<readonly Firing[]>;
  /** Whether it has scraped all that it shall. */
  isScraping(): Promise<boolean>;
}

const SHIPPED = join(ROOT, "deploy/prometheus/prometheus.yml");

interface Config {
  global: Record<string, unknown>;
  rule_files: readonly string[];
  alerting: { alertmanagers: readonly { static_configs: readonly { targets: readonly string[] }[] }[] };
  scrape_configs: Record<string, unknown>[];
}

export interface PrometheusOptions {
  /** What it scrapes, and the Alertmanager that it tells, if any: addresses without a scheme. */
  readonly targets: readonly string[];
  readonly alertmanager?: string;
  /** It looks more often, and each `for` is so many times shorter. */
  readonly faster: number;
}

/** Debian's Prometheus with the configuration and the rules that are shipped. */
export async function startPrometheus({
  targets,
  alertmanager,
  faster,
}: PrometheusOptions): Promise<Prometheus> {
  const folder = temporaryFolder();
  for (const [index, file] of RULE_FILES.entries())
    writeFileSync(join(folder, `${index}.rules.yml`), quickened(readFileSync(file, "utf8"), faster));
  const config = parse(readFileSync(SHIPPED, "utf8")) as Config;
  config.alerting = {
    alertmanagers: alertmanager === undefined ? [] : [{ static_configs: [{ targets: [alertmanager] }] }],
  };
  for (const scraped of config.scrape_configs) {
    delete scraped.dns_sd_configs;
    scraped.static_configs = [{ targets }];
    if (faster !== 1) scraped.scrape_interval = "1s";
  }
  if (faster !== 1) config.global = { scrape_interval: "1s", evaluation_interval: "1s" };
  writeFileSync(join(folder, "prometheus.yml"), stringify(config));
  const port = await freePort();
  const child = launch([
    toolPath("prometheus"),
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  await child.said("stderr", "Server is ready to receive web requests");
  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    return ((await response.json()) as { data: T }).data;
  };
  return {
    async firing() {
      const { alerts } = await ask<{ alerts: { state: string; labels: Record<string, string> }[] }>("alerts");
      const now = alerts.filter(({ state }) => state === "firing");
      return now.map(({ labels }) => ({ name: labels.alertname ?? "", labels }));
    },
    async isScraping() {
      const query = encodeURIComponent("sum(up == 1)");
      const { result } = await ask<{ result: { value: [number, string] }[] }>(`query?query=${query}`);
      return Number(result[0]?.value[1]) === targets.length;
    },
    async [Symbol.asyncDispose]() {
      await child.end();
    },
  };
}

/**
 * The gateway does not look faster than it does: what it has found unwell it looks at again after 22 to 38 seconds. One look
 * that a busy machine cut short, and the next, are over before a rule for a quarter of an hour has gone by, in any time.
 */
const LEAST_MS: Readonly<Record<string, number>> = { ParleyComponentUnwell: 120_000 };

function quickenedMs(rule: Pick<Rule, "alert"> & { readonly for?: string }, faster: number): number {
  const ms = milliseconds(rule.for) / faster;
  return faster === 1 ? ms : Math.max(ms, LEAST_MS[rule.alert ?? ""] ?? 0);
}

function quickened(text: string, faster: number): string {
  if (faster === 1) return text;
  const file = parse(text) as { groups: { interval?: string; rules: (Rule & { for?: string })[] }[] };
  for (const group of file.groups) {
    delete group.interval;
    for (const rule of group.rules)
      if (rule.for !== undefined) rule.for = `${Math.ceil(quickenedMs(rule, faster))}ms`;
  }
  return stringify(file);
}

/** What an alert waits for, in the time of the drill. */
export function waitMs(alert: string, faster: number): number {
  const rule = groupsIn(RULE_FILES)
    .flatMap(({ rules }) => rules)
    .find((one) => one.alert === alert);
  if (rule === undefined) throw new Error(`Expected a rule ${alert}, got none`);
  return quickenedMs(rule, faster);
}
