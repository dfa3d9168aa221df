import { resolve } from "node:path";
import { LOG_LEVELS, LOG_SUBJECTS, type LogLevel, type LogLevels } from "../domain/controls.ts";
import { keepOut } from "../domain/redact.ts";
import { isChat, type PlatformModule, type PlatformOff, type PlatformSettings } from "../ports/platform.ts";
import type { BedrockAccess } from "../shared/bedrock-access.ts";
import { keyOf, Seal } from "../shared/seal.ts";
import type { Secret } from "../shared/secret.ts";
import type { Variable } from "../shared/variable.ts";
import { closest } from "./closest.ts";
import { type ConfigReader, createEnvReader, type Env } from "./env-reader.ts";
import { idleVariables } from "./idle-variables.ts";
import { got, type Problem } from "./problems.ts";
import { METRICS_PORT_WORDS, PORT_WORDS, PROCESSES_MAX, PROCESSES_WORDS, variablesOf } from "./variables.ts";

export const ROLES = ["all", "ingress", "worker"] as const;
/** Which half of the path this process serves: taking webhooks, running agents, or both. */
export type Role = (typeof ROLES)[number];

const CONSOLE = ["inside", "on", "off"] as const;

/** What the environment says, aliases and secret files resolved. */
export interface Environment {
  readonly port: number;
  readonly host: string;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute. */
  readonly configFolder: string;
  /** Whether somebody asked for this folder, so that it must be there. */
  readonly configFolderGiven: boolean;
  readonly adminToken: Secret | null;
  readonly devKey: Secret | null;
  /** Where people and platforms reach this gateway, without a slash at its end; null: not said. */
  readonly publicUrl: string | null;
  /** Of what is kept encrypted: the first seals, all open. Null: there is no key. */
  readonly seal: Seal | null;
  /** Further names under which this gateway is asked; `*.example` stands for all below it. */
  readonly allowedHosts: readonly string[];
  /** Null: metrics are served on the main port. */
  readonly metricsPort: number | null;
  /** Null: metrics need none, inside. */
  readonly metricsToken: Secret | null;
  /** To whom the console's page is served. */
  readonly console: (typeof CONSOLE)[number];
  /** Whether any platform's or model's secret is here: then there is something to lose. */
  readonly hasCredentials: boolean;
  readonly logLevel: LogLevel;
  readonly logLevels: LogLevels;
  /** Where traces go; null: there are none. */
  readonly traces: {
    readonly endpoint: string;
    readonly headers: Secret | null;
    readonly serviceName: string;
    readonly share: number;
  } | null;
  readonly killSwitch: boolean;
  readonly production: boolean;
  /** By name, of those that are configured here. */
  readonly platforms: Readonly<Record<string, PlatformSettings | PlatformOff>>;
  readonly anthropic: { readonly apiKey: Secret; readonly baseUrl: string | null } | null;
  readonly openai: { readonly apiKey: Secret | null; readonly baseUrl: string | null };
  /** Null: no region is set. */
  readonly bedrock: BedrockAccess | null;
  /** May hold a password. Null: the store is a SQLite file. */
  readonly redisUrl: Secret | null;
  readonly redisSentinelPassword: Secret | null;
  readonly role: Role;
  /** On this machine, under one supervisor. */
  readonly processes: number;
}

/** Reads every variable once. Never throws; what is wrong is in `problems`, what is only odd in `notes`. */
export function readEnvironment(
  env: Env,
  cwd: string,
  modules: readonly PlatformModule[],
): {
  environment: Environment;
  /** By variable, each that is part of the environment. */
  secrets: ReadonlyMap<string, Secret>;
  problems: readonly Problem[];
  notes: readonly string[];
} {
  const variables = variablesOf(modules);
  const reader = createEnvReader(env, cwd, variables);
  const apiKey = reader.secret("ANTHROPIC_API_KEY");
  const baseUrl = withoutSlash(reader.url("ANTHROPIC_BASE_URL"));
  const configFolder = reader.text("PARLEY_CONFIG");
  const port = readPort(reader);
  const configured = modules.filter(isChat);
  const platforms = Object.fromEntries(
    configured.map((one) => [one.name, one.settings(reader) ?? offOf(one, reader)]),
  );
  const environment: Environment = {
    port,
    host: reader.matching("PARLEY_HOST") ?? "127.0.0.1",
    dataDir: resolve(cwd, reader.text("PARLEY_DATA_DIR") ?? "data"),
    configFolder: resolve(cwd, configFolder ?? "config"),
    configFolderGiven: configFolder !== null,
    adminToken: reader.guard("PARLEY_ADMIN_TOKEN"),
    devKey: reader.guard("PARLEY_DEV_KEY"),
    allowedHosts: readAllowedHosts(reader),
    metricsPort: readMetricsPort(reader, port),
    metricsToken: reader.guard("PARLEY_METRICS_TOKEN"),
    console: reader.oneOf("PARLEY_CONSOLE", CONSOLE) ?? "inside",
    publicUrl: withoutSlash(reader.url("PARLEY_PUBLIC_URL")),
    seal: readSeal(reader),
    logLevel: reader.oneOf("PARLEY_LOG_LEVEL", LOG_LEVELS) ?? "info",
    logLevels: readLogLevels(reader),
    traces: readTraces(reader),
    killSwitch: reader.truth("PARLEY_KILL_SWITCH") ?? false,
    production: readProduction(reader, env),
    platforms,
    hasCredentials: hasCredentials(platforms, variables, env),
    anthropic: apiKey === null ? null : { apiKey, baseUrl },
    openai: {
      apiKey: reader.secret("OPENAI_API_KEY"),
      baseUrl: withoutSlash(reader.url("OPENAI_BASE_URL")),
    },
    bedrock: readBedrock(reader),
    redisUrl: readRedisUrl(reader),
    redisSentinelPassword: reader.secret("REDIS_SENTINEL_PASSWORD"),
    role: reader.oneOf("PARLEY_ROLE", ROLES) ?? "all",
    processes: readProcesses(reader),
  };
  needRedis(environment, reader);
  needOthers(variables, reader);
  return {
    environment,
    secrets: reader.secrets,
    problems: reader.problems,
    notes: notesOf(environment, { configured, variables, reader, env }),
  };
}

function readBedrock(reader: ConfigReader): BedrockAccess | null {
  const region = reader.matching("AWS_REGION");
  const [accessKeyId, secretAccessKey, sessionToken, apiKey] = [
    reader.secret("AWS_ACCESS_KEY_ID"),
    reader.secret("AWS_SECRET_ACCESS_KEY"),
    reader.secret("AWS_SESSION_TOKEN"),
    reader.secret("AWS_BEARER_TOKEN_BEDROCK"),
  ];
  const baseUrl = withoutSlash(reader.url("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"));
  if (region === null) return null;
  const keys =
    accessKeyId === null || secretAccessKey === null ? null : { accessKeyId, secretAccessKey, sessionToken };
  return { region, baseUrl, apiKey, keys };
}

function readPort(reader: ConfigReader): number {
  const port = reader.matching("PARLEY_PORT");
  if (port === null) return 8080;
  if (Number(port) > 65_535) reader.complain("PARLEY_PORT", `expected ${PORT_WORDS}, got ${port}`);
  return Number(port);
}

function readMetricsPort(reader: ConfigReader, mainPort: number): number | null {
  const port = reader.matching("PARLEY_METRICS_PORT");
  if (port === null) return null;
  if (Number(port) <= 65_535 && (Number(port) === 0 || Number(port) !== mainPort)) return Number(port);
  reader.complain("PARLEY_METRICS_PORT", `expected ${METRICS_PORT_WORDS}, got ${port}`);
  return null;
}

function readLogLevels(reader: ConfigReader): LogLevels {
  const wrong = (expected: string, text: string) =>
    reader.complain("PARLEY_LOG_LEVELS", `expected ${expected}, got ${got(text)}`);
  const levels: Record<string, LogLevel> = {};
  for (const pair of (reader.text("PARLEY_LOG_LEVELS") ?? "").split(/[\s,]+/).filter((part) => part !== "")) {
    const [subject = "", text = ""] = pair.split("=", 2);
    const level = LOG_LEVELS.find((one) => one === text);
    if (!LOG_SUBJECTS.includes(subject)) {
      const meant = closest(subject, LOG_SUBJECTS);
      wrong(
        `a platform or the first word of a line${meant === undefined ? "" : ` (did you mean ${meant}?)`}`,
        subject,
      );
    } else if (level === undefined) wrong(`${subject}= and one of ${LOG_LEVELS.join(", ")}`, pair);
    else levels[subject] = level;
  }
  return levels;
}

function readTraces(reader: ConfigReader): Environment["traces"] {
  const endpoint = withoutSlash(reader.url("OTEL_EXPORTER_OTLP_ENDPOINT"));
  const headers = reader.secret("OTEL_EXPORTER_OTLP_HEADERS");
  const serviceName = reader.text("OTEL_SERVICE_NAME") ?? "parley";
  const share = Number(reader.matching("OTEL_TRACES_SAMPLER_ARG") ?? 1);
  return endpoint === null ? null : { endpoint, headers, serviceName, share };
}

function readSeal(reader: ConfigReader): Seal | null {
  const parts = reader.pair("PARLEY_ENCRYPTION_KEY");
  if (parts.length === 0) return null;
  const keys = parts.map(keyOf);
  const wrong = keys.indexOf(null);
  const complain = (got: string) =>
    reader.complain("PARLEY_ENCRYPTION_KEY", `expected 32 bytes as base64 or hex, got ${got}`);
  if (keys.length > KEYS_MAX) complain(`${keys.length} keys; at most ${KEYS_MAX} can be given`);
  else if (wrong !== -1)
    complain(
      `${parts[wrong]?.length} characters of something else${keys.length > 1 ? `, as key ${wrong + 1}` : ""}; ` +
        "openssl rand -base64 32 makes one",
    );
  for (const part of parts) keepOut(part);
  return new Seal(keys.filter((key) => key !== null).slice(0, KEYS_MAX));
}

/** Of a rotation that was never finished. */
const KEYS_MAX = 8;

function readAllowedHosts(reader: ConfigReader): readonly string[] {
  const names = (reader.text("PARLEY_ALLOWED_HOSTS") ?? "").split(/[\s,]+/).filter((name) => name !== "");
  const wrong = names.find((name) => !HOST_NAME.test(name));
  if (wrong !== undefined)
    reader.complain(
      "PARLEY_ALLOWED_HOSTS",
      `expected host names without ports, such as parley.example or *.example, got ${got(wrong)}`,
    );
  return names;
}

function readProcesses(reader: ConfigReader): number {
  const processes = Number(reader.matching("PARLEY_PROCESSES") ?? 1);
  if (processes >= 1 && processes <= PROCESSES_MAX) return processes;
  reader.complain("PARLEY_PROCESSES", `expected ${PROCESSES_WORDS}, got ${processes}`);
  return 1;
}

function readRedisUrl(reader: ConfigReader): Secret | null {
  const url = reader.secret("REDIS_URL");
  if (url === null || isReadable(url.reveal())) return url;
  const expected = "a port up to 65535, and user and password percent-encoded (%2F for a slash)";
  reader.complain("REDIS_URL", `expected ${expected}, got something else`);
  return null;
}

function isReadable(address: string): boolean {
  const url = URL.parse(address);
  try {
    return url !== null && decodeURIComponent(`${url.username}:${url.password}`) !== "";
  } catch {
    return false;
  }
}

function needOthers(variables: readonly Variable[], reader: ConfigReader): void {
  for (const { name, beside = [] } of variables) {
    if (beside.length === 0 || reader.text(name) === null) continue;
    for (const other of beside.filter((one) => reader.text(one) === null))
      reader.complain(other, `expected ${other}, because ${name} is set; got none`);
  }
}

/** A SQLite file has one process, which does everything. */
function needRedis({ redisUrl, role, processes }: Environment, reader: ConfigReader): void {
  if (redisUrl !== null || reader.problems.some(({ path }) => path.startsWith("REDIS_URL"))) return;
  const why = "because REDIS_URL is not set, and the SQLite store belongs to one process";
  if (role !== "all") reader.complain("PARLEY_ROLE", `expected all, ${why}; got ${role}`);
  if (processes > 1) reader.complain("PARLEY_PROCESSES", `expected 1, ${why}; got ${processes}`);
}

/** PARLEY_ENV is ours and wins; NODE_ENV is set by many a base image. */
function readProduction(reader: ConfigReader, env: Env): boolean {
  const own = reader.oneOf("PARLEY_ENV", ["production", "development"]);
  return own === null ? env.NODE_ENV === "production" : own === "production";
}

/** What is there of a platform that is not on, and what is not. */
function offOf({ needs, variables }: PlatformModule, { taken }: ConfigReader): PlatformOff {
  const wanted = variables.filter(({ without, insteadOf }) => (without ?? insteadOf) !== undefined);
  const spared = wanted.flatMap(({ name, insteadOf }) => (taken.has(name) ? (insteadOf ?? []) : []));
  return {
    kind: "off",
    missing: needs.filter((name) => !taken.has(name) && !spared.includes(name)),
    present: [...needs, ...wanted.map(({ name }) => name)].filter((name) => taken.has(name)),
  };
}

const HOST_NAME = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i;

/** Also of a platform that lacks another of its variables: it is about to be connected. */
function hasCredentials(
  platforms: Environment["platforms"],
  variables: readonly Variable[],
  env: Env,
): boolean {
  if (Object.values(platforms).some(({ kind }) => kind === "on")) return true;
  return credentialsIn(variables).some((name) =>
    [name, `${name}_FILE`].some((either) => (env[either] ?? "").trim() !== ""),
  );
}

/** What opens a platform or a model, also one that this version does not call. */
function credentialsIn(variables: readonly Variable[]): readonly string[] {
  const theirs = variables.filter(
    ({ name, secret, isOfCommands }) => secret && isOfCommands !== true && !/^(PARLEY|REDIS)_/.test(name),
  );
  return [...theirs.map(({ name }) => name), "OPENAI_API_KEY"];
}

function withoutSlash(url: string | null): string | null {
  return url === null ? null : url.replace(/\/+$/, "");
}

interface Read {
  readonly configured: readonly PlatformModule[];
  readonly variables: readonly Variable[];
  readonly reader: ConfigReader;
  readonly env: Env;
}

function notesOf({ platforms }: Environment, { configured, variables, reader, env }: Read): string[] {
  const off = Object.entries(platforms).flatMap(([name, platform]) =>
    "missing" in platform && platform.present.length > 0
      ? [`${name} is off, because ${platform.missing.join(" and ")} is not set`]
      : [],
  );
  const lacking = configured
    .filter(({ name }) => platforms[name]?.kind === "on")
    .flatMap((module) =>
      lacksOf(module, reader).map(
        ({ name, without }) => `${module.name} cannot ${without}, because ${name} is not set`,
      ),
    );
  return [...off, ...lacking, ...idleVariables(env, variables)];
}

/** What would let a platform do more than it can. */
function lacksOf({ variables }: PlatformModule, { taken }: ConfigReader): readonly Variable[] {
  return variables.filter(({ name, without }) => without !== undefined && !taken.has(name));
}
