import { HTTP_SECONDS, type Instruments } from "./instruments.ts";

/** What runs beside the messages: schedules, hooks, configuration, switches and the process itself. */
export function operationMetrics({ counter, gauge, histogram }: Instruments) {
  return {
    schedules: counter(
      "schedule_turns_total",
      "Turns of schedules that were due, by what became of them: fired, skipped, off, paused or platform_off.",
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
    ready: gauge("ready", "1 while /ready is 200, 0 while it is 503.", { over: "min" }),
    componentStatus: gauge(
      "component_status",
      "What /ready says of each component: 0 ok or standby, 1 degraded or connecting, 2 failed.",
      { labels: ["component"], over: "max" },
    ),
    loopBusy: gauge(
      "event_loop_busy_ratio",
      "Share of the time since the last scrape in which the main thread was busy.",
      { over: "max" },
    ),
    memoryUsage: gauge(
      "memory_usage_ratio",
      "Memory of the process, of the limit of its container or of the machine.",
    ),
    diskUsage: gauge("disk_usage_ratio", "How full the disk of the data folder is.", { over: "max" }),
    buildInfo: gauge("build_info", "Always 1; the version is a label.", { labels: ["version"], over: "max" }),
  };
}
