// The dashboards, as code: `node deploy/grafana/dashboards.ts` writes the files beside it, and a test keeps them current.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  RowBuilder,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** By legend. */
type Queries = Readonly<Record<string, string>>;

interface PanelSpec {
  readonly title: string;
  readonly unit: "s" | "short" | "percentunit" | "bytes" | "currencyUSD" | "reqps";
  readonly queries: Queries;
  /** One number, instead of a curve. */
  readonly isNow?: true;
}

type Rows = Readonly<Record<string, readonly PanelSpec[]>>;

const SOURCE = { type: "prometheus", uid: "$datasource" };

const p = (share: number, metric: string, by: string) =>
  `histogram_quantile(${share}, sum by (le${by === "" ? "" : `, ${by}`}) (rate(${metric}_bucket[5m])))`;
const quantiles = (metric: string): Queries => ({
  P50: p(0.5, metric, ""),
  P95: p(0.95, metric, ""),
  P99: p(0.99, metric, ""),
});
const WAITING: PanelSpec = {
  title: "Waiting",
  unit: "short",
  queries: { waiting: "parley:waiting_events:max", oldest: "max(parley_queue_oldest_age_seconds)" },
};
const BREAKERS: PanelSpec = {
  title: "Left alone (1 half-open, 2 open)",
  unit: "short",
  queries: { "{{kind}} {{name}}": "max by (kind, name) (parley_breaker_state)" },
};

/** By file. */
const DASHBOARDS: Readonly<Record<string, { readonly title: string; readonly rows: Rows }>> = {
  overview: {
    title: "Parley: overview",
    rows: {
      "The system": [
        {
          title: "Runs",
          unit: "reqps",
          queries: { "{{outcome}}": "sum by (outcome) (rate(parley_runs_total[5m]))" },
        },
        { title: "In hand", unit: "short", queries: { runs: "sum(parley_runs_active)" } },
        {
          title: "Attempts that fail",
          unit: "percentunit",
          queries: { failures: "parley:run_failures:ratio_rate5m" },
        },
        { title: "P95 of runs", unit: "s", queries: { "{{agent}}": "parley:run_duration_seconds:p95_5m" } },
        {
          title: "Tokens",
          unit: "short",
          queries: { "{{kind}}": "sum by (kind) (increase(parley_model_tokens_total[1h]))" },
        },
        {
          title: "Budgets that ended runs",
          unit: "short",
          queries: {
            "{{agent}} {{budget}}": "sum by (agent, budget) (increase(parley_budget_exceeded_total[1h]))",
          },
        },
      ],
      Now: [
        { title: "Ready", unit: "short", isNow: true, queries: { "{{instance}}": "parley_ready" } },
        { title: "Store", unit: "short", isNow: true, queries: { up: "min(parley_store_up)" } },
        { title: "Paused", unit: "short", isNow: true, queries: { paused: "max(parley_paused)" } },
        { title: "Replicas", unit: "short", isNow: true, queries: { up: 'sum(up{job="parley"})' } },
        {
          title: "Versions",
          unit: "short",
          isNow: true,
          queries: { "{{version}}": "count by (version) (parley_build_info)" },
        },
      ],
    },
  },
  "golden-signals": {
    title: "Parley: golden signals",
    rows: {
      Latency: [
        { title: "Acknowledgement", unit: "s", queries: quantiles("parley_webhook_ack_duration_seconds") },
        {
          title: "The gateway's own share of an answer",
          unit: "s",
          queries: quantiles("parley_event_own_duration_seconds"),
        },
        {
          title: "From acceptance to the last part",
          unit: "s",
          queries: quantiles("parley_event_duration_seconds"),
        },
      ],
      Traffic: [
        {
          title: "Webhooks",
          unit: "reqps",
          queries: { "{{platform}}": "sum by (platform) (rate(parley_webhooks_total[5m]))" },
        },
        { title: "Runs a minute", unit: "short", queries: { runs: "parley:runs:rate1m" } },
        {
          title: "Replies",
          unit: "reqps",
          queries: { "{{platform}}": "sum by (platform) (rate(parley_replies_total[5m]))" },
        },
      ],
      Errors: [
        { title: "Attempts", unit: "percentunit", queries: { failures: "parley:run_failures:ratio_rate5m" } },
        {
          title: "Models",
          unit: "percentunit",
          queries: { "{{model}}": "parley:model_failures:ratio_rate5m" },
        },
        {
          title: "Replies",
          unit: "percentunit",
          queries: { "{{platform}}": "parley:reply_failures:ratio_rate5m" },
        },
      ],
      Saturation: [
        WAITING,
        {
          title: "Memory and disk",
          unit: "percentunit",
          queries: {
            "memory {{instance}}": "parley_memory_usage_ratio",
            "disk {{instance}}": "parley_disk_usage_ratio",
          },
        },
        {
          title: "Main thread busy",
          unit: "percentunit",
          queries: { "{{instance}}": "parley_event_loop_busy_ratio" },
        },
        {
          title: "CPU, of one core",
          unit: "percentunit",
          queries: { "{{instance}}": 'rate(process_cpu_seconds_total{job="parley"}[5m])' },
        },
        {
          title: "Lag of the event loop, P99",
          unit: "s",
          queries: { "{{instance}}": "nodejs_eventloop_lag_p99_seconds" },
        },
        {
          title: "Not well (1 degraded, 2 failed)",
          unit: "short",
          queries: { "{{component}}": "max by (component) (parley_component_status) > 0" },
        },
      ],
    },
  },
  platforms: {
    title: "Parley: platforms",
    rows: {
      "What comes": [
        {
          title: "Webhooks by what became of them",
          unit: "reqps",
          queries: {
            "{{platform}} {{outcome}}": "sum by (platform, outcome) (rate(parley_webhooks_total[5m]))",
          },
        },
        {
          title: "Ignored",
          unit: "reqps",
          queries: { "{{reason}}": "sum by (reason) (rate(parley_webhook_items_ignored_total[5m]))" },
        },
        {
          title: "Over a limit",
          unit: "short",
          queries: {
            "{{platform}} {{scope}}": "sum by (platform, scope) (increase(parley_rate_limited_total[1h]))",
          },
        },
      ],
      "What goes": [
        {
          title: "Replies by what became of them",
          unit: "reqps",
          queries: {
            "{{platform}} {{outcome}}": "sum by (platform, outcome) (rate(parley_replies_total[5m]))",
          },
        },
        {
          title: "P95 of one call",
          unit: "s",
          queries: { "{{platform}}": p(0.95, "parley_reply_send_duration_seconds", "platform") },
        },
        {
          title: "Refused as too many",
          unit: "short",
          queries: { "{{platform}}": "sum by (platform) (increase(parley_platform_rate_limited_total[1h]))" },
        },
      ],
      Connections: [
        {
          title: "Sockets",
          unit: "short",
          queries: { "{{platform}} {{shard}}": "max by (platform, shard) (parley_socket_up)" },
        },
        {
          title: "Replaced",
          unit: "short",
          queries: {
            "{{platform}} {{reason}}":
              "sum by (platform, reason) (increase(parley_socket_reconnects_total[1h]))",
          },
        },
        BREAKERS,
      ],
    },
  },
  "agents-and-cost": {
    title: "Parley: agents and cost",
    rows: {
      Agents: [
        {
          title: "Attempts",
          unit: "reqps",
          queries: {
            "{{agent}} {{outcome}}": "sum by (agent, outcome) (rate(parley_run_attempts_total[5m]))",
          },
        },
        { title: "P95 of runs", unit: "s", queries: { "{{agent}}": "parley:run_duration_seconds:p95_5m" } },
        {
          title: "Tokens of a run, P95",
          unit: "short",
          queries: { "{{agent}}": p(0.95, "parley_run_tokens", "agent") },
        },
      ],
      Models: [
        {
          title: "Calls",
          unit: "reqps",
          queries: {
            "{{model}} {{outcome}}": "sum by (model, outcome) (rate(parley_model_calls_total[5m]))",
          },
        },
        {
          title: "P95 of a call",
          unit: "s",
          queries: { "{{model}}": p(0.95, "parley_model_call_duration_seconds", "model") },
        },
        {
          title: "Input that came from a cache",
          unit: "percentunit",
          queries: {
            "{{agent}}":
              'sum by (agent) (rate(parley_model_tokens_total{kind="cache_read"}[1h])) / sum by (agent) (rate(parley_model_tokens_total{kind!="output"}[1h]))',
          },
        },
      ],
      Cost: [
        {
          title: "An hour",
          unit: "currencyUSD",
          queries: {
            "{{agent}} {{model}}": "sum by (agent, model) (increase(parley_model_cost_dollars_total[1h]))",
          },
        },
        {
          title: "A day",
          unit: "currencyUSD",
          isNow: true,
          queries: { all: "sum(increase(parley_model_cost_dollars_total[1d]))" },
        },
        {
          title: "Daily budgets nearly spent",
          unit: "short",
          queries: { "{{scope}}": "sum by (scope) (increase(parley_budget_warnings_total[1d]))" },
        },
      ],
    },
  },
  store: {
    title: "Parley: store and Redis",
    rows: {
      Store: [
        {
          title: "P95 of calls",
          unit: "s",
          queries: { "{{operation}}": p(0.95, "parley_store_call_duration_seconds", "operation") },
        },
        {
          title: "Calls that failed",
          unit: "reqps",
          queries: {
            "{{operation}} {{code}}": "sum by (operation, code) (rate(parley_store_call_failures_total[5m]))",
          },
        },
        {
          title: "Size, and in thirty days",
          unit: "bytes",
          queries: {
            now: "max(parley_store_file_size_bytes)",
            "in 30 days": "max(predict_linear(parley_store_file_size_bytes[7d], 30 * 86400))",
          },
        },
      ],
      Events: [
        {
          title: "By state",
          unit: "short",
          queries: { "{{state}}": "max by (state) (parley_queue_events)" },
        },
        WAITING,
        {
          title: "Since the last sweep",
          unit: "s",
          queries: { sweep: "time() - max(parley_housekeeping_last_sweep_timestamp_seconds)" },
        },
      ],
      Spool: [
        { title: "Waits for Redis", unit: "short", queries: { "{{instance}}": "parley_spool_events" } },
        {
          title: "In and out",
          unit: "reqps",
          queries: {
            in: "sum(rate(parley_spooled_total[5m]))",
            out: "sum(rate(parley_spool_forwarded_total[5m]))",
          },
        },
      ],
    },
  },
  slo: {
    title: "Parley: objectives",
    rows: {
      "Error budget": [
        {
          title: "Left of 30 days",
          unit: "percentunit",
          isNow: true,
          queries: { "{{slo}}": "parley:slo_budget_left:ratio30d" },
        },
        {
          title: "Left of 30 days",
          unit: "percentunit",
          queries: { "{{slo}}": "parley:slo_budget_left:ratio30d" },
        },
      ],
      "How fast it burns (1: it lasts for 30 days)": [
        {
          title: "Of the last hour",
          unit: "short",
          queries: { "{{slo}}": "parley:slo_errors:ratio_rate1h / on (slo) parley:slo_budget:ratio" },
        },
        {
          title: "Of the last six hours",
          unit: "short",
          queries: { "{{slo}}": "parley:slo_errors:ratio_rate6h / on (slo) parley:slo_budget:ratio" },
        },
        {
          title: "Of the last three days",
          unit: "short",
          queries: { "{{slo}}": "parley:slo_errors:ratio_rate3d / on (slo) parley:slo_budget:ratio" },
        },
      ],
    },
  },
};

/** By name of its file. */
export function dashboards(): ReadonlyMap<string, string> {
  const entries = Object.entries(DASHBOARDS).map(([name, { title, rows }]) => {
    const built = build(name, title, rows);
    return [`${name}.json`, `${JSON.stringify(built, null, 2)}\n`] as const;
  });
  return new Map(entries);
}

function build(name: string, title: string, rows: Rows): object {
  const dashboard = new DashboardBuilder(title)
    .uid(`parley-${name}`)
    .tags(["parley"])
    .refresh("30s")
    .time({ from: "now-6h", to: "now" })
    .timezone("browser")
    .withVariable(new DatasourceVariableBuilder("datasource").type("prometheus"));
  for (const [row, panels] of Object.entries(rows)) {
    dashboard.withRow(new RowBuilder(row));
    for (const panel of panels) dashboard.withPanel(panelOf(panel));
  }
  return dashboard.build();
}

function panelOf({ title, unit, queries, isNow }: PanelSpec): StatBuilder | TimeseriesBuilder {
  const panel = (isNow ? new StatBuilder() : new TimeseriesBuilder())
    .title(title)
    .unit(unit)
    .span(8)
    .height(8);
  panel.datasource(SOURCE);
  for (const [legend, expr] of Object.entries(queries))
    panel.withTarget(new DataqueryBuilder().expr(expr).legendFormat(legend).datasource(SOURCE));
  return panel;
}

if (import.meta.main)
  for (const [file, text] of dashboards()) writeFileSync(join(import.meta.dirname, file), text);
