import { resolve } from "node:path";
import { Secret } from "../shared/secret.ts";
import { createEnvReader, type Env, type EnvReader } from "./env-reader.ts";
import { idleVariables } from "./idle-variables.ts";
import { got, type Problem } from "./problems.ts";
import { VARIABLES } from "./variables.ts";

/** A platform without all its secrets: `present` is empty when nothing of it is configured. */
export interface PlatformOff {
  readonly kind: "off";
  readonly missing: readonly string[];
  readonly present: readonly string[];
}
interface SlackEnvironment {
  readonly kind: "on";
  /** One, or two during a rotation. So are the pairs of the other platforms. */
  readonly signingSecrets: readonly Secret[];
  readonly botToken: Secret;
  readonly appToken: Secret | null;
  /** Null: not said. */
  readonly appId: string | null;
  /** Ends in a slash; null: Slack's own. */
  readonly apiUrl: string | null;
}
interface DiscordEnvironment {
  readonly kind: "on";
  /** 64 hex digits each. */
  readonly publicKeys: readonly string[];
  readonly applicationId: string;
  /** Null: an answer can only follow its command, for 15 minutes. */
  readonly botToken: Secret | null;
  readonly apiUrl: string | null;
}
interface TelegramEnvironment {
  readonly kind: "on";
  readonly botToken: Secret;
  readonly webhookSecrets: readonly Secret[];
  readonly apiRoot: string | null;
}
interface WhatsAppEnvironment {
  readonly kind: "on";
  readonly accessToken: Secret;
  readonly appSecrets: readonly Secret[];
  readonly verifyToken: Secret;
  readonly phoneNumberId: string;
  readonly apiUrl: string | null;
}
export interface PlatformEnvironments {
  readonly slack: SlackEnvironment | PlatformOff;
  readonly discord: DiscordEnvironment | PlatformOff;
  readonly telegram: TelegramEnvironment | PlatformOff;
  readonly whatsapp: WhatsAppEnvironment | PlatformOff;
}

export const ROLES = ["all", "ingress", "worker"] as const;
/** Which half of the path this process serves: taking webhooks, running agents, or both. */
export type Role = (typeof ROLES)[number];

export const PROCESSES_MAX = 64;
const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

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
  /** Further names under which this gateway is asked; `*.example` stands for all below it. */
  readonly allowedHosts: readonly string[];
  /** Null: metrics are served on the main port. */
  readonly metricsPort: number | null;
  /** Null: metrics need none, inside. */
  readonly metricsToken: Secret | null;
  /** Whether any platform's or model's secret is here: then there is something to lose. */
  readonly hasCredentials: boolean;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly killSwitch: boolean;
  readonly production: boolean;
  readonly platforms: PlatformEnvironments;
  readonly anthropic: { readonly apiKey: Secret; readonly baseUrl: string | null } | null;
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
): { environment: Environment; problems: readonly Problem[]; notes: readonly string[] } {
  const reader = createEnvReader(env, cwd);
  const apiKey = reader.secret("ANTHROPIC_API_KEY", /^\S+$/, "a key without spaces");
  const baseUrl = withoutSlash(reader.url("ANTHROPIC_BASE_URL"));
  const configFolder = reader.text("PARLEY_CONFIG");
  const port = readPort(reader);
  const platforms: PlatformEnvironments = {
    slack: readSlack(reader),
    discord: readDiscord(reader),
    telegram: readTelegram(reader),
    whatsapp: readWhatsApp(reader),
  };
  const environment: Environment = {
    port,
    host: reader.matching("PARLEY_HOST", /^[^\s/]+$/, "an address or a host name") ?? "127.0.0.1",
    dataDir: resolve(cwd, reader.text("PARLEY_DATA_DIR") ?? "data"),
    configFolder: resolve(cwd, configFolder ?? "config"),
    configFolderGiven: configFolder !== null,
    adminToken: reader.guard("PARLEY_ADMIN_TOKEN"),
    devKey: reader.guard("PARLEY_DEV_KEY"),
    allowedHosts: readAllowedHosts(reader),
    metricsPort: readMetricsPort(reader, port),
    metricsToken: reader.guard("PARLEY_METRICS_TOKEN"),
    publicUrl: withoutSlash(reader.url("PARLEY_PUBLIC_URL")),
    logLevel: reader.oneOf("PARLEY_LOG_LEVEL", LOG_LEVELS) ?? "info",
    killSwitch: reader.truth("PARLEY_KILL_SWITCH") ?? false,
    production: readProduction(reader, env),
    platforms,
    hasCredentials: hasCredentials(platforms, env),
    anthropic: apiKey === null ? null : { apiKey, baseUrl },
    redisUrl: readRedisUrl(reader),
    redisSentinelPassword: reader.secret("REDIS_SENTINEL_PASSWORD"),
    role: reader.oneOf("PARLEY_ROLE", ROLES) ?? "all",
    processes: readProcesses(reader),
  };
  needRedis(environment, reader);
  return { environment, problems: reader.problems, notes: notesOf(environment, env) };
}

function readPort(reader: EnvReader): number {
  const port = reader.matching("PARLEY_PORT", /^\d{1,5}$/, "a port from 0 to 65535");
  if (port === null) return 8080;
  if (Number(port) > 65_535) reader.complain("PARLEY_PORT", `expected a port from 0 to 65535, got ${port}`);
  return Number(port);
}

function readMetricsPort(reader: EnvReader, mainPort: number): number | null {
  const expected = "a port from 0 to 65535, another than PARLEY_PORT";
  const port = reader.matching("PARLEY_METRICS_PORT", /^\d{1,5}$/, expected);
  if (port === null) return null;
  if (Number(port) <= 65_535 && (Number(port) === 0 || Number(port) !== mainPort)) return Number(port);
  reader.complain("PARLEY_METRICS_PORT", `expected ${expected}, got ${port}`);
  return null;
}

function readAllowedHosts(reader: EnvReader): readonly string[] {
  const names = (reader.text("PARLEY_ALLOWED_HOSTS") ?? "").split(/[\s,]+/).filter((name) => name !== "");
  const wrong = names.find((name) => !HOST_NAME.test(name));
  if (wrong !== undefined)
    reader.complain(
      "PARLEY_ALLOWED_HOSTS",
      `expected host names without ports, such as parley.example or *.example, got ${got(wrong)}`,
    );
  return names;
}

function readProcesses(reader: EnvReader): number {
  const expected = `a number from 1 to ${PROCESSES_MAX}`;
  const processes = Number(reader.matching("PARLEY_PROCESSES", /^\d{1,9}$/, expected) ?? 1);
  if (processes >= 1 && processes <= PROCESSES_MAX) return processes;
  reader.complain("PARLEY_PROCESSES", `expected ${expected}, got ${processes}`);
  return 1;
}

function readRedisUrl(reader: EnvReader): Secret | null {
  const url = reader.secret("REDIS_URL", REDIS_URL, "a redis:// or rediss:// address");
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

/** A SQLite file has one process, which does everything. */
function needRedis({ redisUrl, role, processes }: Environment, reader: EnvReader): void {
  if (redisUrl !== null || reader.problems.some(({ path }) => path.startsWith("REDIS_URL"))) return;
  const why = "because REDIS_URL is not set, and the SQLite store belongs to one process";
  if (role !== "all") reader.complain("PARLEY_ROLE", `expected all, ${why}; got ${role}`);
  if (processes > 1) reader.complain("PARLEY_PROCESSES", `expected 1, ${why}; got ${processes}`);
}

/** PARLEY_ENV is ours and wins; NODE_ENV is set by many a base image. */
function readProduction(reader: EnvReader, env: Env): boolean {
  const own = reader.oneOf("PARLEY_ENV", ["production", "development"]);
  return own === null ? env.NODE_ENV === "production" : own === "production";
}

function readSlack(reader: EnvReader): SlackEnvironment | PlatformOff {
  const signingSecrets = reader.guards("SLACK_SIGNING_SECRET").map(asSecret);
  const botToken = reader.secret("SLACK_BOT_TOKEN", TOKEN, "a token without spaces");
  const appToken = reader.secret("SLACK_APP_TOKEN", TOKEN, "a token without spaces");
  const appId = reader.matching("SLACK_APP_ID", ID, "an id of letters and digits");
  const apiUrl = reader.url("SLACK_API_URL");
  const missing = { SLACK_SIGNING_SECRET: signingSecrets[0] ?? null, SLACK_BOT_TOKEN: botToken };
  if (signingSecrets.length === 0 || botToken === null) return off(missing);
  return {
    kind: "on",
    signingSecrets,
    botToken,
    appToken,
    appId,
    apiUrl: apiUrl === null ? null : `${withoutSlash(apiUrl)}/`,
  };
}

function readDiscord(reader: EnvReader): DiscordEnvironment | PlatformOff {
  const publicKeys = reader.guards("DISCORD_PUBLIC_KEY");
  const applicationId = reader.matching("DISCORD_APPLICATION_ID", ID, "an id of letters and digits");
  const botToken = reader.secret("DISCORD_BOT_TOKEN", TOKEN, "a token without spaces");
  const apiUrl = withoutSlash(reader.url("DISCORD_API_URL"));
  const needed = { DISCORD_PUBLIC_KEY: publicKeys[0] ?? null, DISCORD_APPLICATION_ID: applicationId };
  if (publicKeys.length === 0 || applicationId === null)
    return off(needed, botToken === null ? [] : ["DISCORD_BOT_TOKEN"]);
  return { kind: "on", publicKeys, applicationId, botToken, apiUrl };
}

function readTelegram(reader: EnvReader): TelegramEnvironment | PlatformOff {
  const botToken = reader.secret("TELEGRAM_BOT_TOKEN", /^[^\s/?#]+$/, "a token without spaces or slashes");
  const webhookSecrets = reader.guards("TELEGRAM_WEBHOOK_SECRET").map(asSecret);
  const apiRoot = withoutSlash(reader.url("TELEGRAM_API_ROOT"));
  const needed = { TELEGRAM_BOT_TOKEN: botToken, TELEGRAM_WEBHOOK_SECRET: webhookSecrets[0] ?? null };
  if (botToken === null || webhookSecrets.length === 0) return off(needed);
  return { kind: "on", botToken, webhookSecrets, apiRoot };
}

function readWhatsApp(reader: EnvReader): WhatsAppEnvironment | PlatformOff {
  const accessToken = reader.secret("WHATSAPP_ACCESS_TOKEN", TOKEN, "a token without spaces");
  const appSecrets = reader.guards("WHATSAPP_APP_SECRET").map(asSecret);
  const verifyToken = reader.guard("WHATSAPP_VERIFY_TOKEN");
  const phoneNumberId = reader.matching("WHATSAPP_PHONE_NUMBER_ID", ID, "an id of letters and digits");
  const apiUrl = withoutSlash(reader.url("WHATSAPP_API_URL"));
  if (accessToken === null || appSecrets.length === 0 || verifyToken === null || phoneNumberId === null) {
    return off({
      WHATSAPP_ACCESS_TOKEN: accessToken,
      WHATSAPP_APP_SECRET: appSecrets[0] ?? null,
      WHATSAPP_VERIFY_TOKEN: verifyToken,
      WHATSAPP_PHONE_NUMBER_ID: phoneNumberId,
    });
  }
  return { kind: "on", accessToken, appSecrets, verifyToken, phoneNumberId, apiUrl };
}

/** Scheme, user and password, host and port, number of the database. */
const REDIS_URL = /^rediss?:\/\/(\S*@)?[^\s@/?#]+(\/\d{0,4})?(\?\S*)?$/;
const HOST_NAME = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i;
const TOKEN = /^\S+$/;
const ID = /^[A-Za-z0-9_-]{1,100}$/;

/** Also of a platform that lacks another of its variables: it is about to be connected. */
function hasCredentials(platforms: PlatformEnvironments, env: Env): boolean {
  if (Object.values(platforms).some(({ kind }) => kind === "on")) return true;
  return CREDENTIALS.some((name) =>
    [name, `${name}_FILE`].some((either) => (env[either] ?? "").trim() !== ""),
  );
}

/** What opens a platform or a model, also one that this version does not call. */
const CREDENTIALS: readonly string[] = [
  ...VARIABLES.filter(({ name, secret }) => secret && !/^(PARLEY|REDIS)_/.test(name)).map(({ name }) => name),
  "OPENAI_API_KEY",
];

function asSecret(value: string): Secret {
  return new Secret(value);
}

function off(needed: Readonly<Record<string, unknown>>, extra: readonly string[] = []): PlatformOff {
  const names = Object.keys(needed);
  const missing = names.filter((name) => needed[name] === null);
  return { kind: "off", missing, present: [...names.filter((name) => needed[name] !== null), ...extra] };
}

function withoutSlash<T extends string | null>(url: T): T {
  return (url === null ? null : url.replace(/\/+$/, "")) as T;
}

function notesOf(environment: Environment, env: Env): string[] {
  const notes: string[] = [];
  for (const [name, platform] of Object.entries(environment.platforms)) {
    if (platform.kind === "off" && platform.present.length > 0)
      notes.push(`${name} is off, because ${platform.missing.join(" and ")} is not set`);
  }
  const { discord } = environment.platforms;
  if (discord.kind === "on" && discord.botToken === null)
    notes.push("discord cannot answer later than 15 minutes, because DISCORD_BOT_TOKEN is not set");
  return [...notes, ...idleVariables(env)];
}
