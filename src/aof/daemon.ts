import type { PlatformModule } from "../ports/platform.ts";
import { moduleOf, reportVariables, type TriggerContext } from "./gateway.ts";
import { idsOf } from "./ids.ts";
import { Mapping, type Place, type Report } from "./source.ts";
import { countOf, escaped, flagOf, type Hints, rawText, reportRest, secondsOf } from "./values.ts";

/** What a DaemonConfig of AOF says beside its agents and triggers, which are files of their own. */
export interface DaemonOut {
  readonly off: readonly string[];
  readonly access: readonly {
    readonly platform: string;
    readonly users: readonly string[];
    readonly channels: readonly string[];
  }[];
  readonly approvers: readonly string[];
  readonly agent: { readonly name: string; readonly place: Place } | null;
  readonly concurrency: number | undefined;
  readonly runSeconds: number | undefined;
  readonly perMinute: number | undefined;
  readonly burst: number | undefined;
}

const READ = "not needed: all files of the folder were read";
const HINTS: Hints = {
  agents: READ,
  triggers: READ,
  contexts: READ,
  flows: "has no counterpart: flows are left out",
  fleets: "has no counterpart: fleets are left out",
  bindings: "has no counterpart: routes in gateway.yaml say who answers what; left out",
  workflows: "has no counterpart; left out",
};
const SERVER: Hints = {
  port: "not copied: set PARLEY_PORT",
  host: "not copied: set PARLEY_HOST",
  cors: "has no counterpart: the API is for servers, and the console is of the same origin; left out",
  timeout_secs: "has no counterpart: webhooks are acknowledged before an agent runs; left out",
  tls: "has no counterpart: a proxy in front ends TLS (docs/deploy); left out",
};
const SETTINGS: Hints = {
  log_level: "not copied: set PARLEY_LOG_LEVEL",
  log_format: "not needed: logs are JSON, and for people at a terminal; left out",
  metrics: "not copied: metrics are at /metrics; set PARLEY_METRICS_PORT for a port of their own",
  health: "not needed: the probes are /health and /ready",
};

export function daemonFrom(file: Mapping, around: TriggerContext): DaemonOut {
  const { report, modules } = around;
  const spec = file.mapping("spec") ?? new Mapping(file.place, []);
  file.take("api_version", "apiversion");
  file.take("kind");
  file.take("metadata");
  reportRest(spec.mapping("server"), report, SERVER);
  const platforms = (spec.mapping("platforms")?.takeRest() ?? []).flatMap(([name, entry]) => {
    const module = moduleOf(name, modules);
    if (module === undefined || !(entry.value instanceof Mapping)) {
      report(entry.place, "has no counterpart: there is no such platform; left out");
      return [];
    }
    return [platformFrom(entry.value, module, report)];
  });
  const runtime = spec.mapping("runtime");
  const byDefault = runtime?.take("default_agent");
  const agent = rawText(byDefault, report);
  const settings = spec.mapping("settings");
  const limit = settings?.mapping("rate_limit");
  const times = settings?.mapping("timeouts");
  const taskSeconds = secondsOf(runtime?.take("task_timeout_secs", "task_timeout_seconds"), 86_400, report);
  const runTime = times?.take("agent_execution");
  const runSeconds = secondsOf(runTime, 86_400, report);
  if (runTime !== undefined && taskSeconds !== undefined)
    report(runTime.place, "left out: runtime.task_timeout_secs says how long a run may take");
  const isLimited = flagOf(limit?.take("enabled"), report) !== false;
  const out = {
    off: platforms.flatMap(({ isOff, platform }) => (isOff ? [platform] : [])),
    access: platforms,
    approvers: platforms.flatMap(({ approvers }) => approvers),
    agent: agent === undefined || byDefault === undefined ? null : { name: agent, place: byDefault.place },
    concurrency: countOf(runtime?.take("max_concurrent_tasks"), { min: 1, max: 10_000 }, report),
    runSeconds: taskSeconds ?? runSeconds,
    perMinute: isLimited ? countOf(limit?.take("max_requests_per_minute"), MESSAGES, report) : undefined,
    burst: isLimited ? countOf(limit?.take("burst"), MESSAGES, report) : undefined,
  };
  reportRest(runtime, report, {
    max_tasks_per_user:
      "has no counterpart: a conversation has one run at a time, and limits.user caps messages; left out",
    default_model: "has no counterpart: each agent names its model; left out",
  });
  reportRest(limit, report);
  reportRest(times, report, {
    approval_workflow: "has no counterpart here: approvals.expires_seconds of each agent; left out",
  });
  reportRest(settings, report, SETTINGS);
  reportRest(spec, report, HINTS);
  reportRest(file, report, HINTS);
  return out;
}
const MESSAGES = { min: 1, max: 1_000_000 };

function platformFrom(config: Mapping, module: PlatformModule, report: Report) {
  const isOff = flagOf(config.take("enabled"), report) === false;
  reportVariables(config, module, report);
  const users = idsOf(config.take("allowed_users"), report).map(({ id }) => id);
  const channels = idsOf(config.take("allowed_groups", "allowed_channels"), report).map(({ id }) => id);
  const approvers = idsOf(config.take("approval_allowed_users"), report).map(({ id, entry }) => {
    const whole = id.includes(":") ? id : `${module.name}:${id}`;
    if (/^[a-z]+:[^:\s$]+(?::[^:\s$]+)?$/.test(whole) && !whole.startsWith("email:")) return whole;
    report(entry.place, "is no id: approvers go by ids, so this one can approve nothing until it is one");
    return `${module.name}:${id.replaceAll(/[:\s$]/g, "-")}`;
  });
  reportRest(config, report, {
    bot_user_id: "not needed: it is asked of the platform",
    bot_name: "has no counterpart: the name is the app's at the platform; left out",
  });
  return {
    platform: module.name,
    isOff,
    users: users.map(escaped),
    channels: channels.map(escaped),
    approvers,
  };
}
