import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { groupsIn, RULE_FILES, type Rule } from "../deploy/rule-files.ts";
import { temporaryFolder } from "../e2e/gateway-process.ts";
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

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

export function milliseconds(duration = "0s"): number {
  const [, count = "", unit = ""] = /^(\d+)([smh])$/.exec(duration) ?? [];
  return Number(count) * (UNITS_MS[unit] ?? Number.NaN);
}

/** Debian's Prometheus with the rules that are shipped. `faster`: it looks more often, and each `for` is so many times shorter. */
export async function startPrometheus(targets: readonly string[], faster: number): Promise<Prometheus> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "rules"));
  for (const [index, file] of RULE_FILES.entries())
    writeFileSync(join(folder, "rules", `${index}.rules.yml`), quickened(readFileSync(file, "utf8"), faster));
  const [scrape, evaluation] = faster === 1 ? ["10s", "15s"] : ["1s", "1s"];
  const config = {
    global: { scrape_interval: scrape, evaluation_interval: evaluation },
    rule_files: [join(folder, "rules", "*.rules.yml")],
    scrape_configs: [{ job_name: "parley", scrape_interval: scrape, static_configs: [{ targets }] }],
  };
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

function quickened(text: string, faster: number): string {
  if (faster === 1) return text;
  const file = parse(text) as { groups: { interval?: string; rules: (Rule & { for?: string })[] }[] };
  for (const group of file.groups) {
    delete group.interval;
    for (const rule of group.rules)
      if (rule.for !== undefined) rule.for = `${Math.ceil(milliseconds(rule.for) / faster)}ms`;
  }
  return stringify(file);
}

/** What an alert waits for, in the time of the drill. */
export function waitMs(alert: string, faster: number): number {
  const rule = groupsIn(RULE_FILES)
    .flatMap(({ rules }) => rules)
    .find((one) => one.alert === alert);
  if (rule === undefined) throw new Error(`Expected a rule ${alert}, got none`);
  return milliseconds(rule.for) / faster;
}
