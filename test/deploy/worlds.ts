/** A world: series as promtool writes them, one value a step, and when it is looked at. */
export interface World {
  readonly series: Readonly<Record<string, string>>;
  readonly minutes: number;
}

/** How long a step is, and how often rules are worked out. */
export interface Pace {
  readonly step: string;
  readonly every: string;
}

const OF_HOURS: Pace = { step: "2m", every: "2m" };
const OF_DAYS: Pace = { step: "10m", every: "30m" };

export interface Worlds {
  /** The alert fires, and of all the others those alone. */
  readonly fires: World & { readonly also?: readonly string[] };
  /** Nothing at all fires. */
  readonly silent: World;
  /** Of what looks back for hours or days; by itself a step is 30 s, and the rules of objectives are left out. */
  readonly pace?: Pace;
}

const UP = 'up{job="parley",instance="a"}';
/** A gateway that is there, beside whatever else is so. */
function world(minutes: number, series: Readonly<Record<string, string>>): World {
  return { minutes, series: { [UP]: "1x2000", ...series } };
}

/** So many requests a step that take at most `le` seconds, of a histogram with two more buckets around that. */
function took(
  name: string,
  labels: string,
  le: readonly [below: string, above: string],
): Record<string, string> {
  const of = (bound: string) => `${name}_bucket{${labels}${labels === "" ? "" : ","}le="${bound}"}`;
  return { [of(le[0])]: "0x200", [of(le[1])]: "0+100x200", [of("+Inf")]: "0+100x200" };
}

const ack = (below: string, above: string) =>
  took("parley_webhook_ack_duration_seconds", 'platform="slack"', [below, above]);
const own = (below: string, above: string) =>
  took("parley_event_own_duration_seconds", 'platform="slack"', [below, above]);
const webhooks = (outcome: string, values: string) => ({
  [`parley_webhooks_total{platform="slack",outcome="${outcome}"}`]: values,
});
const late = (values: string) => ({ 'parley_webhook_acks_late_total{platform="slack"}': values });
const attempts = (answered: number, failed: number) => ({
  'parley_run_attempts_total{agent="a",outcome="answered"}': `0+${answered}x2000`,
  'parley_run_attempts_total{agent="a",outcome="deferred"}': `0+${failed}x2000`,
});
const calls = (ok: number, failed: number) => ({
  'parley_model_calls_total{agent="a",provider="p",model="m",outcome="ok"}': `0+${ok}x200`,
  'parley_model_calls_total{agent="a",provider="p",model="m",outcome="MODEL_OVERLOADED"}': `0+${failed}x200`,
});
const replies = (sent: number, failed: number) => ({
  'parley_replies_total{platform="slack",outcome="sent"}': `0+${sent}x200`,
  'parley_replies_total{platform="slack",outcome="refused"}': `0+${failed}x200`,
});
const gauge = (series: string, value: string) => ({ [series]: `${value}x2000` });
/** At 0 for ten minutes, then so much at once. */
const jumpsTo = (value: number) => `0x20 ${value}x2000`;
const SWEPT = "parley_housekeeping_last_sweep_timestamp_seconds";

export const WORLDS: Readonly<Record<string, Worlds>> = {
  ParleyDown: {
    fires: { minutes: 5, series: { [UP]: "1x4 0x20" } },
    silent: { minutes: 5, series: { [UP]: "1x3 0 1x20" } },
  },
  ParleyAbsent: {
    fires: { minutes: 5, series: { 'up{job="another"}': "1x20" } },
    silent: world(5, {}),
  },
  ParleyStoreAway: {
    fires: world(5, {
      ...gauge('parley_store_up{instance="a"}', "1"),
      ...gauge('parley_store_up{instance="b"}', "0"),
    }),
    silent: world(5, gauge('parley_store_up{instance="a"}', "1")),
  },
  ParleyNotReady: {
    fires: world(5, {
      ...gauge('parley_ready{instance="a"}', "1"),
      ...gauge('parley_ready{instance="b"}', "0"),
      ...gauge('parley_store_up{instance="b"}', "1"),
    }),
    // A drain takes half a minute.
    silent: world(5, { parley_ready: "1x4 0 1x20" }),
  },
  ParleyComponentUnwell: {
    fires: world(20, gauge('parley_component_status{component="slack"}', "1")),
    silent: world(20, {
      ...gauge('parley_component_status{component="slack"}', "0"),
      ...gauge('parley_component_status{component="kill_switch"}', "1"),
    }),
  },
  ParleyWebhooksNotStored: {
    fires: { ...world(12, webhooks("unavailable", jumpsTo(1))) },
    silent: world(12, webhooks("unavailable", jumpsTo(0))),
  },
  ParleyProcessDies: {
    fires: world(12, gauge("parley_process_deaths_total", jumpsTo(1).replace("x2000", ""))),
    silent: world(12, { 'process_start_time_seconds{job="parley"}': "100x10 200x40" }),
  },
  ParleyAckSlow: { fires: world(20, ack("0.5", "1")), silent: world(20, ack("0.25", "0.5")) },
  ParleyAckVerySlow: {
    fires: { ...world(8, ack("1", "2.5")) },
    silent: world(8, ack("0.5", "1")),
  },
  ParleyAcksLate: {
    fires: world(12, { ...webhooks("accepted", "0+100x200"), ...late(jumpsTo(5)) }),
    silent: world(12, { ...webhooks("accepted", "0+1000x200"), ...late(jumpsTo(5)) }),
  },
  ParleyRunsSlow: {
    fires: world(12, took("parley_run_duration_seconds", 'agent="a",outcome="answered"', ["30", "60"])),
    silent: world(12, took("parley_run_duration_seconds", 'agent="a",outcome="answered"', ["10", "30"])),
  },
  ParleyOwnTimeLong: {
    fires: { ...world(20, own("0.5", "1")) },
    silent: world(20, own("0.25", "0.5")),
  },
  ParleyRunsFail: { fires: world(10, attempts(90, 10)), silent: world(10, attempts(1000, 1)) },
  ParleyModelFails: { fires: world(10, calls(90, 10)), silent: world(10, calls(96, 4)) },
  ParleyBreakerOpen: {
    // Half-open, and open again, is not well.
    fires: world(5, { 'parley_breaker_state{kind="model",name="p/m"}': "0x2 2 1 2 2 1 2x20" }),
    silent: world(5, { 'parley_breaker_state{kind="model",name="p/m"}': "0x2 2 1 0x20" }),
  },
  ParleyRepliesFail: { fires: world(12, replies(90, 10)), silent: world(12, replies(96, 4)) },
  ParleyDeadLetters: {
    fires: world(30, {
      ...webhooks("accepted", "0+10x200"),
      'parley_dead_letters_total{platform="slack"}': "0+1x200",
    }),
    silent: world(30, {
      ...webhooks("accepted", "0+100x200"),
      'parley_dead_letters_total{platform="slack"}': "0x40 1x200",
    }),
  },
  ParleyEventKills: {
    fires: world(12, { 'parley_event_crashes_total{platform="slack"}': jumpsTo(1) }),
    silent: world(12, { 'parley_event_crashes_total{platform="slack"}': jumpsTo(0) }),
  },
  ParleyOldestWaits: {
    fires: world(5, gauge("parley_queue_oldest_age_seconds", "61")),
    silent: world(5, gauge("parley_queue_oldest_age_seconds", "60")),
  },
  ParleyBacklog: {
    fires: world(5, gauge('parley_queue_events{state="queued",instance="a"}', "101")),
    // Three replicas see the same, and dead letters do not wait.
    silent: world(5, {
      ...gauge('parley_queue_events{state="queued",instance="a"}', "90"),
      ...gauge('parley_queue_events{state="queued",instance="b"}', "90"),
      ...gauge('parley_queue_events{state="dead",instance="a"}', "5000"),
    }),
  },
  ParleyBacklogLarge: {
    fires: { ...world(15, gauge('parley_queue_events{state="retrying"}', "1001")), also: ["ParleyBacklog"] },
    silent: world(15, gauge('parley_queue_events{state="retrying"}', "100")),
  },
  ParleyMemoryHigh: {
    fires: world(8, gauge("parley_memory_usage_ratio", "0.86")),
    silent: world(8, gauge("parley_memory_usage_ratio", "0.85")),
  },
  ParleyMemoryVeryHigh: {
    fires: { ...world(8, gauge("parley_memory_usage_ratio", "0.91")), also: ["ParleyMemoryHigh"] },
    silent: world(8, { parley_memory_usage_ratio: "0.8x6 0.95x2 0.8x200" }),
  },
  ParleyThreadBusy: {
    fires: world(15, gauge("parley_event_loop_busy_ratio", "0.95")),
    silent: world(15, { parley_event_loop_busy_ratio: "0.95x12 0.5x2 0.95x20" }),
  },
  ParleyDiskFull: {
    fires: world(3, gauge("parley_disk_usage_ratio", "0.91")),
    silent: world(3, gauge("parley_disk_usage_ratio", "0.9")),
  },
  ParleyCapacityShort: {
    pace: OF_DAYS,
    // A twentieth of the disk in a day.
    fires: world(2010, { parley_disk_usage_ratio: "0.3+0.00035x2000" }),
    silent: world(2010, {
      ...gauge("parley_disk_usage_ratio", "0.8"),
      ...gauge("parley_memory_usage_ratio", "0.6"),
      parley_event_loop_busy_ratio: "0.7-0.0001x2000",
    }),
  },
  ParleySpoolWaits: {
    fires: world(8, gauge("parley_spool_events", "1")),
    silent: world(8, gauge("parley_spool_events", "0")),
  },
  ParleyStoreSlow: {
    fires: world(20, took("parley_store_call_duration_seconds", 'operation="accept"', ["0.1", "0.25"])),
    silent: world(20, took("parley_store_call_duration_seconds", 'operation="accept"', ["0.05", "0.1"])),
  },
  ParleySweepLate: {
    fires: world(25, gauge(SWEPT, "1")),
    // Never yet is no lateness.
    silent: world(25, gauge(SWEPT, "0")),
  },
  ParleyCostHigh: {
    fires: world(40, { 'parley_model_cost_dollars_total{agent="a",provider="p",model="m"}': "0+0.5x200" }),
    silent: world(40, { 'parley_model_cost_dollars_total{agent="a",provider="p",model="m"}': "0+0.05x200" }),
  },
  ParleyTokensMany: {
    fires: world(60, {
      'parley_model_tokens_total{agent="a",provider="p",model="m",kind="input"}': "0+1000x200",
    }),
    silent: world(60, {
      'parley_model_tokens_total{agent="a",provider="p",model="m",kind="input"}': "0+800x200",
    }),
  },
  ParleyBudgetExceeded: {
    fires: world(12, { 'parley_budget_exceeded_total{agent="a",budget="user"}': jumpsTo(1) }),
    silent: world(12, { 'parley_budget_exceeded_total{agent="a",budget="user"}': jumpsTo(0) }),
  },
  ParleyBudgetNear: {
    fires: world(12, { 'parley_budget_warnings_total{scope="user"}': jumpsTo(1) }),
    silent: world(12, { 'parley_budget_warnings_total{scope="user"}': jumpsTo(0) }),
  },
  ParleyForged: {
    fires: world(12, webhooks("forged", jumpsTo(30))),
    silent: world(12, webhooks("forged", jumpsTo(15))),
  },
  ParleyTokensGuessed: {
    fires: world(12, { 'parley_auth_failures_total{surface="admin",answer="wrong"}': jumpsTo(7) }),
    silent: world(12, {
      'parley_auth_failures_total{surface="admin",answer="wrong"}': jumpsTo(4),
      'parley_auth_failures_total{surface="admin",answer="missing"}': jumpsTo(90),
    }),
  },
  ParleyOperatorActed: {
    fires: world(12, { 'parley_audit_entries_total{action="kill_switch.set"}': jumpsTo(1) }),
    silent: world(12, {
      'parley_audit_entries_total{action="kill_switch.set"}': jumpsTo(0),
      'parley_audit_entries_total{action="letter.replayed"}': jumpsTo(5),
    }),
  },
  ParleyPaused: {
    fires: world(20, gauge("parley_paused", "1")),
    silent: world(20, gauge("parley_paused", "0")),
  },
  ParleyConfigRefused: {
    fires: world(12, { 'parley_config_reloads_total{outcome="refused"}': jumpsTo(1) }),
    silent: world(12, { 'parley_config_reloads_total{outcome="reloaded"}': jumpsTo(1) }),
  },
  ParleyConfigsDiffer: {
    fires: world(15, {
      ...gauge('parley_config_info{digest="1",instance="a"}', "1"),
      ...gauge('parley_config_info{digest="2",instance="b"}', "1"),
    }),
    silent: world(15, {
      ...gauge('parley_config_info{digest="1",instance="a"}', "1"),
      ...gauge('parley_config_info{digest="1",instance="b"}', "1"),
    }),
  },
  ParleyLimited: {
    fires: world(20, { 'parley_rate_limited_total{platform="slack",scope="user"}': jumpsTo(130) }),
    silent: world(20, { 'parley_rate_limited_total{platform="slack",scope="user"}': jumpsTo(90) }),
  },
  ParleyPlatformLimits: {
    fires: world(20, { 'parley_platform_rate_limited_total{platform="slack"}': jumpsTo(130) }),
    silent: world(20, { 'parley_platform_rate_limited_total{platform="slack"}': jumpsTo(90) }),
  },
  ParleyNamesUncached: {
    fires: world(60, {
      'parley_name_lookups_total{platform="slack",source="memory"}': "0+2x200",
      'parley_name_lookups_total{platform="slack",source="platform"}': "0+1x200",
    }),
    silent: world(60, {
      'parley_name_lookups_total{platform="slack",source="memory"}': "0+8x200",
      'parley_name_lookups_total{platform="slack",source="platform"}': "0+2x200",
    }),
  },
  ParleyTrafficNew: {
    pace: OF_DAYS,
    fires: world(1530, {
      ...webhooks("accepted", "0+10x2000"),
      'parley_webhooks_total{platform="telegram",outcome="accepted"}': "0x150 1x2000",
    }),
    // The first hours of a gateway.
    silent: world(300, webhooks("accepted", "0x28 1x2000")),
  },
  ParleyDuplicatesMany: {
    fires: world(40, {
      ...webhooks("accepted", "0+8x200"),
      'parley_duplicates_total{platform="slack"}': "0+1x200",
    }),
    silent: world(40, {
      ...webhooks("accepted", "0+1x10 10x200"),
      'parley_duplicates_total{platform="slack"}': "0x20 5x200",
    }),
  },
  ParleySocketDown: {
    fires: world(5, {
      ...gauge('parley_socket_holder{platform="slack"}', "1"),
      ...gauge('parley_socket_up{platform="slack",shard="0"}', "0"),
    }),
    silent: world(5, {
      ...gauge('parley_socket_holder{platform="slack",instance="a"}', "1"),
      ...gauge('parley_socket_holder{platform="slack",instance="b"}', "0"),
      ...gauge('parley_socket_up{platform="slack",shard="0",instance="a"}', "1"),
    }),
  },
  ParleyBackupOld: {
    pace: OF_HOURS,
    // It was made when time began.
    fires: world(27 * 60, gauge("parley_backup_newest_timestamp_seconds", "1")),
    silent: world(27 * 60, gauge("parley_backup_newest_timestamp_seconds", "0")),
  },
  ParleyHookDead: {
    fires: world(8, gauge('parley_hook_dead{hook="ops"}', "1")),
    silent: world(8, gauge('parley_hook_dead{hook="ops"}', "0")),
  },
  ParleyHookFails: {
    // Tried more and more seldom, it still waits.
    fires: world(30, {
      'parley_hook_deliveries_total{hook="ops",outcome="failed"}': "0x8 1x2 3x100",
      'parley_hook_deliveries_total{hook="ops",outcome="delivered"}': "9x200",
      'parley_hook_waiting{hook="ops"}': "0x8 2x100",
    }),
    // One call failed, and the next did not.
    silent: world(30, {
      'parley_hook_deliveries_total{hook="ops",outcome="failed"}': "0x8 1x100",
      'parley_hook_deliveries_total{hook="ops",outcome="delivered"}': "9x9 10x100",
      'parley_hook_waiting{hook="ops"}': "0x8 1 0x100",
    }),
  },
  ParleyScheduleMissed: {
    fires: world(5, {
      'parley_schedule_turns_total{schedule="standup",outcome="skipped"}': "0x4 1x200",
      'parley_schedule_turns_total{schedule="standup",outcome="fired"}': "0x4 1x200",
    }),
    silent: world(5, {
      'parley_schedule_turns_total{schedule="standup",outcome="fired"}': "0+1x200",
      'parley_schedule_turns_total{schedule="standup",outcome="paused"}': "0x4 1x200",
      'parley_schedule_turns_total{schedule="standup",outcome="skipped"}': "0x200",
    }),
  },
  ParleyToolServerFails: {
    fires: world(12, { 'parley_tool_server_failures_total{agent="a",server="kubectl"}': "0+1x200" }),
    silent: world(12, { 'parley_tool_server_failures_total{agent="a",server="kubectl"}': "0x4 1x200" }),
  },
  ParleyToolsTimeOut: {
    fires: world(12, {
      'parley_tool_calls_total{agent="a",tool="kubectl__get",outcome="timeout"}': "0+1x200",
      'parley_tool_calls_total{agent="a",tool="kubectl__get",outcome="ok"}': "0+4x200",
    }),
    // One in a hundred.
    silent: world(12, {
      'parley_tool_calls_total{agent="a",tool="kubectl__get",outcome="timeout"}': "0+1x200",
      'parley_tool_calls_total{agent="a",tool="kubectl__get",outcome="ok"}': "0+99x200",
    }),
  },
  ParleyAuditLost: {
    fires: world(5, { parley_audit_lost_total: "0x4 1x200" }),
    silent: world(5, { parley_audit_lost_total: "1x200" }),
  },
  // Of a hundred webhooks two fail, for an hour: twenty times what there may be.
  ParleyErrorBudgetBurnsFast: {
    pace: OF_HOURS,
    fires: {
      ...world(75, { ...webhooks("accepted", "0+98x200"), ...webhooks("unavailable", "0+2x200") }),
      // What began an hour ago has no better hours before it.
      also: ["ParleyErrorBudgetBurns", "ParleyErrorBudgetBurnsSlowly", "ParleyWebhooksNotStored"],
    },
    silent: world(75, { ...webhooks("accepted", "0+1000x200"), ...attempts(1000, 4) }),
  },
  ParleyErrorBudgetBurns: {
    pace: OF_DAYS,
    fires: {
      ...world(600, attempts(960, 40)),
      also: ["ParleyErrorBudgetBurnsSlowly", "ParleyErrorBudgetBurnsLong"],
    },
    silent: world(600, attempts(1000, 4)),
  },
  ParleyErrorBudgetBurnsSlowly: {
    pace: OF_DAYS,
    fires: { ...world(1800, attempts(980, 20)), also: ["ParleyErrorBudgetBurnsLong"] },
    silent: world(1800, attempts(1000, 4)),
  },
  ParleyErrorBudgetBurnsLong: {
    pace: OF_DAYS,
    fires: world(4500, attempts(992, 8)),
    silent: world(4500, attempts(1000, 4)),
  },
};
