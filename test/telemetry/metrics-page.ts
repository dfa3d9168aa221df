import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { createMetrics } from "../../src/telemetry/metrics.ts";

export const METRICS_PAGE = resolve(import.meta.dirname, "../../docs/metrics.md");

interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  /** As prom-client keeps them. */
  readonly labelNames?: readonly string[];
  readonly upperBounds?: readonly number[];
}

/** docs/metrics.md, from the registry. */
export async function metricsPage(): Promise<string> {
  const { registry } = createMetrics();
  const types = new Map((await registry.getMetricsAsJSON()).map(({ name, type }) => [name, String(type)]));
  const described = registry
    .getMetricsAsArray()
    .map((metric) => ({ ...(metric as unknown as Described), type: types.get(metric.name) ?? "" }));
  const rows = described.map(
    ({ name, type, labelNames = [], help }) =>
      `| \`${name}\` | ${type} | ${labelNames.map((label) => `\`${label}\``).join(", ")} | ${unitOf(name)} | ${help.replaceAll("|", "\\|")} |`,
  );
  const histograms = described
    .filter(({ upperBounds }) => upperBounds !== undefined)
    .map(({ name, upperBounds = [] }) => `| \`${name}\` | ${upperBounds.join(", ")} |`);
  return `# Metrics

Made from the source by \`node test/telemetry/metrics-page.ts\`; a test keeps it current. Who may scrape them, and what to
look at first, is in [operations.md](operations.md#watch-it). With \`--processes\` they are those of all processes together.
The usual ones of Node and the process (\`nodejs_*\`, \`process_*\`) are there too.

Labels hold names from the configuration or from closed lists, and never ids. What the alerts in \`deploy/prometheus\` wait
for begins at 0 with the process. Another counter or histogram with labels has no series before the first time, which
\`increase()\` and \`rate()\` then miss.

| Metric | Type | Labels | Unit | What it says |
|-|-|-|-|-|
${rows.join("\n")}

## Buckets

| Histogram | Upper bounds |
|-|-|
${histograms.join("\n")}
`;
}

const UNITS = ["seconds", "bytes", "dollars", "ratio", "tokens"] as const;

function unitOf(name: string): string {
  const base = name.replace(/_total$/, "");
  return UNITS.find((unit) => base.endsWith(`_${unit}`)) ?? "";
}

if (import.meta.main) writeFileSync(METRICS_PAGE, await metricsPage());
