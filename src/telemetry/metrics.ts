import { type Aggregator, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Gauges whose names end in `_total`, which `promtool check metrics` rightly refuses. */
const MISNAMED = [
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
];

const LAG_SAMPLED_MS = 250;

const HTTP_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const ACK_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const STORE_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10];
const TOOL_SECONDS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60];
const RUN_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1800];
const EVENT_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600];
const RUN_TOKENS = [100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];

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
    httpRequests: counter("http_requests_total", "HTTP requests answered.", ["method", "route", "status"]),
    httpSeconds: histogram("http_request_duration_seconds", "Time to answer an HTTP request.", HTTP_SECONDS, [
      "method",
      "route",
    ]),
    webhooks: counter("webhooks_total", "Webhooks by what became of them.", ["platform", "outcome"]),
    ignored: counter(
      "webhook_items_ignored_total",
      "Parts of genuine webhooks that are no trigger, by reason; what no list of ours names is `other`.",
      ["platform", "reason"],
    ),
    requestNotesDropped: counter(
      "request_notes_dropped_total",
      "Requests that the list of refused and ignored ones leaves out: too many alike, or the store was away for long.",
      ["cause"],
    ),
    authFailures: counter(
      "auth_failures_total",
      "Requests without the right token of the operator, by what it would have opened and how they were answered.",
      ["surface", "answer"],
    ),
    auditEntries: counter("audit_entries_total", "Entries written to the audit, by what was done.", [
      "action",
    ]),
    auditWaiting: gauge("audit_waiting", "Entries of the audit that the store has not taken yet."),
    auditLost: counter("audit_lost_total", "Entries of the audit that no store has taken; the log has them."),
    adminRequests: counter("admin_requests_total", "Requests to the admin API with the right token.", [
      "operation",
      "status",
    ]),
    ackSeconds: histogram(
      "webhook_ack_duration_seconds",
      "From the first byte of a webhook to its acknowledgement.",
      ACK_SECONDS,
      ["platform"],
    ),
    duplicates: counter("duplicates_total", "Deliveries of an event that was already accepted.", [
      "platform",
    ]),
    refusals: counter("refusals_total", "Events not run by policy.", ["platform", "cause"]),
    feedback: counter("feedback_total", "Reactions to answers: up or down.", ["platform", "agent", "rating"]),
    rateLimited: counter("rate_limited_total", "Events over a rate limit.", ["platform", "scope"]),
    eventAge: histogram(
      "event_age_at_start_seconds",
      "Age of an event when its run starts.",
      ACK_SECONDS.concat([5, 10, 30, 60, 300, 3600]),
      ["platform"],
    ),
    eventSeconds: histogram(
      "event_duration_seconds",
      "From the acceptance of a message to the last part of its answer, without what it waited for somebody to decide.",
      EVENT_SECONDS,
      ["platform"],
    ),
    ownSeconds: histogram(
      "event_own_duration_seconds",
      "What the gateway itself took for an answer: from its claim to its last part, without what it waited for models, tools and platforms.",
      ACK_SECONDS.concat([5, 10]),
      ["platform"],
    ),
    eventsMerged: counter(
      "events_merged_total",
      "Messages that were answered together with an earlier one.",
      ["platform"],
    ),
    runs: counter("runs_total", "Agent runs by how they ended, counted when that has been said.", [
      "agent",
      "outcome",
    ]),
    runAttempts: counter(
      "run_attempts_total",
      "Attempts at a run by how they ended: retried, deferred and aborted ones too.",
      ["agent", "outcome"],
    ),
    breakerState: gauge("breaker_state", "Of a model or a platform: 0 closed, 1 half-open, 2 open.", {
      labels: ["kind", "name"],
      over: "max",
    }),
    breakerOpens: counter(
      "breaker_opens_total",
      "How often a model or a platform was begun to be left alone.",
      ["kind", "name"],
    ),
    budgetExceeded: counter(
      "budget_exceeded_total",
      "Runs that a budget ended: time, tokens, cost or steps of the run; user, conversation, tenant, agent or global of the day.",
      ["agent", "budget"],
    ),
    budgetWarnings: counter(
      "budget_warnings_total",
      "Daily budgets that came to `budgets.warn_at`, once a day each.",
      ["scope"],
    ),
    runSeconds: histogram(
      "run_duration_seconds",
      "Duration of agent runs, reply not included.",
      RUN_SECONDS,
      ["agent", "outcome"],
    ),
    runTokens: histogram(
      "run_tokens",
      "Tokens of one run, all its model calls together, by its agent and the model of that.",
      RUN_TOKENS,
      ["agent", "model"],
    ),
    runsActive: gauge(
      "runs_active",
      "Messages in hand: their run, or the answer to it. Commands and notices are not among them.",
    ),
    retries: counter("retries_total", "Events put back to be tried again.", ["stage"]),
    deadLetters: counter("dead_letters_total", "Events given up.", ["platform"]),
    replies: counter("replies_total", "Reply parts by what became of them.", ["platform", "outcome"]),
    replySeconds: histogram(
      "reply_send_duration_seconds",
      "Duration of one call that sends a reply part.",
      HTTP_SECONDS,
      ["platform"],
    ),
    previews: counter("previews_total", "Changes of answers that are shown while they grow.", [
      "platform",
      "outcome",
    ]),
    nameLookups: counter(
      "name_lookups_total",
      "Names of people, channels and groups by where they were found: memory, store, platform or nowhere.",
      ["platform", "source"],
    ),
    mediaFetches: counter(
      "media_fetches_total",
      "Files of messages by what became of them: fetched, or why they could not be read.",
      ["platform", "outcome"],
    ),
    mediaFetchSeconds: histogram(
      "media_fetch_duration_seconds",
      "From the first try to fetch a file to its last byte on the disk.",
      HTTP_SECONDS,
      ["platform"],
    ),
    mediaBytes: gauge("media_bytes", "What all files of messages take that are kept.", { over: "max" }),
    platform429: counter("platform_rate_limited_total", "Calls that a platform refused as too many.", [
      "platform",
    ]),
    platformCalls: counter(
      "platform_calls_total",
      "Calls of a platform's API: ok, refused, rate_limited or failed.",
      ["platform", "method", "outcome"],
    ),
    modelCalls: counter("model_calls_total", "Model calls by outcome.", [
      "agent",
      "provider",
      "model",
      "outcome",
    ]),
    modelSeconds: histogram("model_call_duration_seconds", "Duration of model calls.", RUN_SECONDS, [
      "agent",
      "provider",
      "model",
    ]),
    toolCalls: counter("tool_calls_total", "Calls of tools by outcome.", ["agent", "tool", "outcome"]),
    toolSeconds: histogram(
      "tool_call_duration_seconds",
      "Duration of calls of tools, with all that was repeated of them.",
      TOOL_SECONDS,
      ["agent", "tool"],
    ),
    compactions: counter(
      "memory_compactions_total",
      "Summaries of older turns of a memory, by outcome; without one the oldest turns are left out.",
      ["agent", "outcome"],
    ),
    toolServerUp: gauge("tool_server_up", "1 while the connection to this MCP server stands.", {
      labels: ["agent", "server"],
    }),
    toolServerFailures: counter(
      "tool_server_failures_total",
      "Times that an MCP server was lost or could not be reached.",
      ["agent", "server"],
    ),
    modelTokens: counter(
      "model_tokens_total",
      "Tokens used, as the provider counted them; each is of one kind.",
      ["agent", "provider", "model", "kind"],
    ),
    modelCost: counter("model_cost_dollars_total", "Cost of model calls in US dollars.", [
      "agent",
      "provider",
      "model",
    ]),
    crashes: counter(
      "event_crashes_total",
      "Claims of events that were nearly alone in hand when a process died.",
      ["platform"],
    ),
    queueEvents: gauge("queue_events", "Events in the store that are not finished.", {
      labels: ["state"],
      over: "max",
    }),
    queueOldest: gauge(
      "queue_oldest_age_seconds",
      "Age of the oldest unfinished event that is not parked, nor behind one that is; 0 when none waits.",
      {
        over: "max",
      },
    ),
    socketUp: gauge(
      "socket_up",
      "1 while this connection to a platform stands, in the process that holds it.",
      {
        labels: ["platform", "shard"],
        over: "max",
      },
    ),
    socketHolder: gauge("socket_holder", "1 in the process that is elected to hold a platform's socket.", {
      labels: ["platform"],
    }),
    invalidRequests: gauge(
      "platform_invalid_requests",
      "Calls of this process that a platform refused, in the window after which it shuts out whoever makes too many.",
      { labels: ["platform"] },
    ),
    socketReadBack: counter(
      "socket_read_back_total",
      "Messages that were missed between two sessions of a socket, and read back.",
      ["platform"],
    ),
    socketReconnects: counter(
      "socket_reconnects_total",
      "Connections to a platform that were replaced, by reason.",
      ["platform", "reason"],
    ),
    storeUp: gauge("store_up", "1 while the store answers and takes events.", { over: "min" }),
    storeBytes: gauge(
      "store_file_size_bytes",
      "Size of the database file with its log; with Redis, the memory that it uses.",
      { over: "max" },
    ),
    storeSeconds: histogram(
      "store_call_duration_seconds",
      "Duration of one call of the store.",
      STORE_SECONDS,
      ["operation"],
    ),
    storeErrors: counter("store_call_failures_total", "Calls of the store that failed.", [
      "operation",
      "code",
    ]),
    spoolEvents: gauge("spool_events", "Events in local files that wait for the store to come back."),
    spooled: counter("spooled_total", "Events kept in a local file because the store was away."),
    spoolForwarded: counter("spool_forwarded_total", "Events brought from a local file to the store."),
    housekeeper: gauge(
      "housekeeping_holder",
      "1 in the process that is elected to delete what is past its time.",
    ),
    sweptAt: gauge(
      "housekeeping_last_sweep_timestamp_seconds",
      "When what is past its time was deleted last, by whichever process; 0: never yet.",
      { over: "max" },
    ),
    schedules: counter(
      "schedule_turns_total",
      "Turns of schedules that were due, by what became of them: fired, skipped, paused or platform_off.",
      ["schedule", "outcome"],
    ),
    hookMessages: counter("hook_messages_total", "Things that a hook is told of, by type.", ["type"]),
    hookDeliveries: counter(
      "hook_deliveries_total",
      "Calls of hooks, delivered or failed; messages that were given up (dead), or left out because too many wait (dropped).",
      ["hook", "outcome"],
    ),
    hookSeconds: histogram("hook_call_duration_seconds", "Time that a hook takes to answer.", HTTP_SECONDS, [
      "hook",
    ]),
    hookWaiting: gauge("hook_waiting", "Messages on their way to a hook, as counted once a minute.", {
      labels: ["hook"],
      over: "max",
    }),
    hookDead: gauge("hook_dead", "Messages to a hook that were given up, and can be sent again.", {
      labels: ["hook"],
      over: "max",
    }),
    configReloads: counter(
      "config_reloads_total",
      "Times that the configuration was read again, by what came of it: reloaded, unchanged, refused or failed.",
      ["outcome"],
    ),
    configInfo: gauge("config_info", "Always 1; which configuration holds is a label.", {
      labels: ["digest"],
      over: "max",
    }),
    configReadAt: gauge(
      "config_last_success_timestamp_seconds",
      "When the configuration that holds was read, at the start or since.",
      { over: "min" },
    ),
    processDeaths: counter(
      "process_deaths_total",
      "Processes of this machine that ended and were started again.",
    ),
    paused: gauge("paused", "1 while the kill switch is on.", { over: "max" }),
    pausedParts: gauge(
      "paused_part",
      "1 for each agent and platform that the kill switch pauses by itself.",
      {
        labels: ["kind", "name"],
        over: "max",
      },
    ),
    memoryUsage: gauge(
      "memory_usage_ratio",
      "Memory of the process, of the limit of its container or of the machine.",
    ),
    diskUsage: gauge("disk_usage_ratio", "How full the disk of the data folder is.", { over: "max" }),
    buildInfo: gauge("build_info", "Always 1; the version is a label.", { labels: ["version"], over: "max" }),
  };
}
