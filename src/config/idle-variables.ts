import type { Variable } from "../shared/variable.ts";
import { closest } from "./closest.ts";
import type { Env } from "./env-reader.ts";

/** Of other programs that do the same, and what to set instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  ...ofProviders("GEMINI", "GOOGLE", "GROQ", "MISTRAL", "DEEPSEEK", "OPENROUTER", "TOGETHER"),
  REDIS_HOST: "set REDIS_URL, such as redis://HOST:6379",
  REDIS_PORT: "set REDIS_URL, such as redis://HOST:PORT",
  REDIS_PASSWORD: "set REDIS_URL, such as redis://:PASSWORD@HOST:6379",
  REDIS_USERNAME: "set REDIS_URL, such as redis://USER:PASSWORD@HOST:6379",
  REDIS_DB: "set REDIS_URL, such as redis://HOST:6379/DB",
  REDIS_MAXMEMORY: "set maxmemory where Redis itself is configured",
  LOG_LEVEL: "set PARLEY_LOG_LEVEL",
  OTTO_LOG_LEVEL: "set PARLEY_LOG_LEVEL",
  RUST_LOG: "set PARLEY_LOG_LEVEL",
  RUST_LOG_FORMAT: "lines of the log are JSON, but at a terminal",
  LOG_FORMAT: "lines of the log are JSON, but at a terminal",
  ENVIRONMENT: "set PARLEY_ENV, or NODE_ENV=production",
  OTTO_ENV: "set PARLEY_ENV, or NODE_ENV=production",
  OTTO_ENABLED: "set PARLEY_KILL_SWITCH, or run parley kill-switch on",
  DEV_KEY: "set PARLEY_DEV_KEY",
  ADMIN_TOKEN: "set PARLEY_ADMIN_TOKEN",
  SECRET_KEY_BASE: "set PARLEY_ENCRYPTION_KEY, where workspaces install the app themselves",
  JWT_SECRET: "set PARLEY_ADMIN_TOKEN",
  CORS_ALLOWED_ORIGINS: "no page of another origin may call the gateway",
  DATABASE_URL: "events are in a SQLite file of PARLEY_DATA_DIR, or in Redis where REDIS_URL is set",
  DATABASE_POOL_SIZE: "events are in a SQLite file of PARLEY_DATA_DIR, or in Redis where REDIS_URL is set",
  OTTO_CHECKPOINT_DIR: "each step of a run is kept with the events; set PARLEY_DATA_DIR",
  SENTRY_DSN: "errors are lines of the log; ship these, or be told by hooks in gateway.yaml",
  TELEMETRY_ENABLED: "metrics are always there, and traces where OTEL_EXPORTER_OTLP_ENDPOINT is set",
  SANDBOX_ENABLED: "set tools.sandbox in gateway.yaml, or sandbox of the tool in the agent's file",
  OTEL_EXPORTER_OTLP_PROTOCOL: "traces go as JSON over HTTP; have OTEL_EXPORTER_OTLP_ENDPOINT name port 4318",
  OTEL_TRACES_EXPORTER: "traces are sent where OTEL_EXPORTER_OTLP_ENDPOINT is set, and nowhere else",
  PROMETHEUS_PORT: "set PARLEY_METRICS_PORT",
  OTTO_KILL_SWITCH: "set PARLEY_KILL_SWITCH, or run parley kill-switch on",
  OTTO_MAX_CONCURRENT_AGENTS: "set queue.concurrency in gateway.yaml",
  OTTO_DEFAULT_BUDGET_CENTS: "set budgets.cost_cents in the agent's file",
  OTTO_MAX_DAILY_COST_CENTS: "set budgets.global.cost_cents in gateway.yaml",
  AOF_MEMORY_BACKEND: "memory is kept with the events: in SQLite, or in Redis where REDIS_URL is set",
};

function ofProviders(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.map((name) => [
      `${name}_API_KEY`,
      `name it in an agent's file: provider: openai, base_url, api_key: "\${${name}_API_KEY}"`,
    ]),
  );
}

const POSTGRES = /^POSTGRES_[A-Z]+$/;
const RATE_LIMIT = /^(?:AOF_)?RATE_LIMIT(?:_|$)/;

function insteadOf(name: string): string | undefined {
  if (RATE_LIMIT.test(name)) return "set limits in gateway.yaml, or run parley limits set";
  if (POSTGRES.test(name)) return INSTEAD.DATABASE_URL;
  return Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined;
}

/** Passed on by one of our processes to another. */
const OF_PROCESSES: readonly string[] = ["PARLEY_HANDED_OVER", "PARLEY_RUN"];

/** AWS's own library reads more of these than we do: a profile, a role, the token of a pod. */
const OF_LIBRARIES: ReadonlySet<string> = new Set(["AWS"]);

/** A note for each variable that somebody has set and that does nothing here. */
export function idleVariables(env: Env, variables: readonly Variable[]): string[] {
  const known = new Map(variables.flatMap((one) => namesOf(one).map((name) => [name, one] as const)));
  const families = new Set([...known.keys()].map(familyOf)).difference(OF_LIBRARIES);
  return Object.entries(env)
    .filter(([name, value]) => value !== undefined && value.trim() !== "" && !isServiceLink(name, value))
    .flatMap(([name]) => {
      const idle = known.get(name)?.idle;
      if (idle !== undefined) return [`${name} has no effect: ${idle}`];
      if (known.has(name) || OF_PROCESSES.includes(name)) return [];
      const instead = insteadOf(name);
      if (instead !== undefined) return [`${name} has no effect: ${instead}`];
      return familyOf(name) !== "" && families.has(familyOf(name)) ? [stranger(name, [...known.keys()])] : [];
    })
    .sort();
}

function namesOf({ name, secret, aliases }: Variable): string[] {
  return [name, ...aliases, ...(secret ? [`${name}_FILE`] : [])];
}

/** The first word, where others follow: PORT alone is no family. */
function familyOf(name: string): string {
  return /^([A-Z]+)_/.exec(name)?.[1] ?? "";
}

function stranger(name: string, known: readonly string[]): string {
  const words = name.split("_");
  const family = known.filter((one) => familyOf(one) === words[0] && !one.endsWith("_FILE"));
  // One with a word left out, before one with a letter changed.
  const whole = family.filter((one) => words.every((word) => one.split("_").includes(word)));
  const near = whole.length > 0 ? whole.slice(0, 3).join(" or ") : closest(name, known);
  const question = near === undefined ? "" : `; did you mean ${near}?`;
  return `${name} is not a variable that Parley reads${question}`;
}

/** Kubernetes puts the addresses of services into every pod beside them. */
function isServiceLink(name: string, value: string): boolean {
  return /_SERVICE_(HOST|PORT)|_PORT_\d+_(TCP|UDP)/.test(name) || /^(tcp|udp):\/\//.test(value);
}
