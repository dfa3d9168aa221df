import type { PlatformModule } from "../ports/platform.ts";
import { atLeast, plain, secret, type Variable } from "../shared/variable.ts";

export const PROCESSES_MAX = 64;
export const PORT_WORDS = "a port from 0 to 65535";
export const METRICS_PORT_WORDS = "a port from 0 to 65535, another than PARLEY_PORT";
export const PROCESSES_WORDS = `a number from 1 to ${PROCESSES_MAX}`;
/** Scheme, user and password, host and port, number of the database. */
const REDIS_URL = /^rediss?:\/\/(\S*@)?[^\s@/?#]+(\/\d{0,4})?(\?\S*)?$/;

/** Those of the gateway itself, in the order of the documentation. Each platform declares its own. */
const GATEWAY_VARIABLES: readonly Variable[] = [
  plain("PARLEY_PORT", "Port to listen on; 0 takes a free one. Default 8080", {
    aliases: ["PORT", "AOF_WEBHOOK_PORT"],
    form: { pattern: /^\d{1,5}$/, words: PORT_WORDS },
  }),
  plain("PARLEY_HOST", "Address to listen on. Default 127.0.0.1", {
    aliases: ["AOF_WEBHOOK_HOST"],
    form: { pattern: /^[^\s/]+$/, words: "an address or a host name" },
  }),
  plain(
    "PARLEY_CONFIG",
    "Folder of gateway.yaml and agents/, or a file: that gateway.yaml, or one of agents. Default config",
    {
      aliases: ["AOF_CONFIG_PATH"],
    },
  ),
  plain("PARLEY_DATA_DIR", "Folder of the database. Default data", { aliases: ["AOF_DATA_DIR"] }),
  plain("PARLEY_ENV", "production or development; NODE_ENV=production does the same. Default development"),
  plain("PARLEY_LOG_LEVEL", "fatal, error, warn, info, debug, trace or silent. Default info"),
  plain(
    "PARLEY_LOG_LEVELS",
    "Of some lines: hook=error,store=trace. By a platform, or by what `msg` begins with. Default none",
  ),
  plain("PARLEY_KILL_SWITCH", "true answers every message that the bot is paused. Default false"),
  secret("PARLEY_ADMIN_TOKEN", "Opens the admin API; at least 32 ASCII characters; two during a rotation", {
    form: atLeast(32),
    isPair: true,
    isOwn: true,
  }),
  plain(
    "PARLEY_URL",
    "Where commands such as parley dead find the gateway. Default this machine and its port",
  ),
  secret(
    "PARLEY_DEV_KEY",
    "Opens /webhooks/test (X-Dev-Key); at least 16 characters, two during a rotation; without it, one is made at each start",
    { form: atLeast(16), isPair: true, isOwn: true },
  ),
  plain("PARLEY_ALLOWED_HOSTS", "Further host names under which it is asked: parley.example,*.corp.example"),
  plain(
    "PARLEY_METRICS_PORT",
    "Port of /metrics and the heartbeat alone, 0 takes a free one. Default the main port",
    { form: { pattern: /^\d{1,5}$/, words: METRICS_PORT_WORDS } },
  ),
  secret(
    "PARLEY_METRICS_TOKEN",
    "Asked of whoever scrapes /metrics; at least 32 ASCII characters; two during a rotation",
    {
      form: atLeast(32),
      isPair: true,
      isOwn: true,
    },
  ),
  plain(
    "PARLEY_CONSOLE",
    "inside (this machine and private networks, not through a proxy), on (whoever reaches the port), or off. Default inside",
  ),
  secret(
    "PARLEY_ENCRYPTION_KEY",
    "Encrypts tokens of installations: 32 bytes as base64 or hex; several with commas during a rotation, the first encrypts",
    { isOwn: true },
  ),
  plain("PARLEY_PUBLIC_URL", "Where platforms and people reach this gateway, such as https://parley.example"),
  secret("REDIS_URL", "Redis to share between replicas, redis:// or rediss://; without it, SQLite", {
    form: { pattern: REDIS_URL, words: "a redis:// or rediss:// address" },
  }),
  secret("REDIS_SENTINEL_PASSWORD", "Password of the Sentinels, where they have one"),
  plain("PARLEY_ROLE", "all, ingress (takes webhooks) or worker (runs agents); needs REDIS_URL. Default all"),
  plain("PARLEY_PROCESSES", "Processes on this machine, 1 to 64; more than one needs REDIS_URL. Default 1", {
    form: { pattern: /^\d{1,9}$/, words: PROCESSES_WORDS },
  }),
  secret("ANTHROPIC_API_KEY", "Key of the Anthropic API; without it the default agent is the demo model", {
    form: { pattern: /^\S+$/, words: "a key without spaces" },
  }),
  plain("ANTHROPIC_BASE_URL", "Where the Anthropic API is. Default https://api.anthropic.com"),
  secret("OPENAI_API_KEY", "Key of the OpenAI API, for agents with provider: openai", {
    form: { pattern: /^\S+$/, words: "a key without spaces" },
  }),
  plain("OPENAI_BASE_URL", "Where the OpenAI API is, with its version. Default https://api.openai.com/v1"),
  plain("AWS_REGION", "Region of Amazon Bedrock, for agents with provider: bedrock", {
    form: { pattern: /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/, words: "a region such as eu-central-1" },
    aliases: ["AWS_DEFAULT_REGION"],
  }),
  secret("AWS_ACCESS_KEY_ID", "Key of AWS for Bedrock; without it, what the machine or pod has by its role", {
    ...{ beside: ["AWS_SECRET_ACCESS_KEY"], isShared: true },
  }),
  secret("AWS_SECRET_ACCESS_KEY", "What belongs to AWS_ACCESS_KEY_ID", {
    ...{ beside: ["AWS_ACCESS_KEY_ID"], isShared: true },
  }),
  secret("AWS_SESSION_TOKEN", "What belongs to a key of AWS that is valid for a time", { isShared: true }),
  secret("AWS_BEARER_TOKEN_BEDROCK", "A key of Bedrock's own, instead of one of AWS"),
  plain("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "Where Bedrock is. Default that of the region"),
  plain("OTEL_EXPORTER_OTLP_ENDPOINT", "Collector of traces (OTLP over HTTP); without it, nothing is traced"),
  secret("OTEL_EXPORTER_OTLP_HEADERS", "Sent to the collector: NAME=VALUE, several with commas"),
  plain("OTEL_SERVICE_NAME", "What traces are of. Default parley"),
  plain("OTEL_TRACES_SAMPLER_ARG", "Share of the traces that begin here, 0 to 1. Default 1", {
    form: { pattern: /^(0(\.\d{1,6})?|1(\.0{1,6})?)$/, words: "a share from 0 to 1" },
  }),
];

/** Every variable, in the order of the documentation. */
export function variablesOf(platforms: readonly Pick<PlatformModule, "variables">[]): readonly Variable[] {
  return [...GATEWAY_VARIABLES, ...platforms.flatMap(({ variables }) => variables)];
}
