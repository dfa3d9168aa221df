/** One environment variable that Parley reads. */
export interface Variable {
  readonly name: string;
  readonly what: string;
  /** A secret may come from a file instead: `NAME_FILE` holds the path. */
  readonly secret: boolean;
  /** Older or more general names, used when `name` is not set. */
  readonly aliases: readonly string[];
  /** Why it has no effect, and what to set instead. */
  readonly idle?: string;
  /** Values that say what is so anyway. */
  readonly idleUnless?: RegExp;
}

function plain(name: string, what: string, ...aliases: string[]): Variable {
  return { name, what, secret: false, aliases };
}

function secret(name: string, what: string): Variable {
  return { name, what, secret: true, aliases: [] };
}

/** Every variable, in the order of the documentation. */
export const VARIABLES: readonly Variable[] = [
  plain("PARLEY_PORT", "Port to listen on; 0 takes a free one. Default 8080", "PORT", "AOF_WEBHOOK_PORT"),
  plain("PARLEY_HOST", "Address to listen on. Default 127.0.0.1", "AOF_WEBHOOK_HOST"),
  plain("PARLEY_CONFIG", "Folder of gateway.yaml and agents/. Default config", "AOF_CONFIG_PATH"),
  plain("PARLEY_DATA_DIR", "Folder of the database. Default data", "AOF_DATA_DIR"),
  plain("PARLEY_ENV", "production or development; NODE_ENV=production does the same. Default development"),
  plain("PARLEY_LOG_LEVEL", "fatal, error, warn, info, debug, trace or silent. Default info"),
  plain("PARLEY_KILL_SWITCH", "true answers every message that the bot is paused. Default false"),
  secret("PARLEY_ADMIN_TOKEN", "Opens the admin API; at least 32 ASCII characters"),
  plain(
    "PARLEY_URL",
    "Where commands such as parley dead find the gateway. Default this machine and its port",
  ),
  secret(
    "PARLEY_DEV_KEY",
    "Opens /webhooks/test (X-Dev-Key); at least 16 characters; without it, one is made at each start",
  ),
  plain("PARLEY_ALLOWED_HOSTS", "Further host names under which it is asked: parley.example,*.corp.example"),
  plain(
    "PARLEY_METRICS_PORT",
    "Port of /metrics and the heartbeat alone, 0 takes a free one. Default the main port",
  ),
  secret("PARLEY_METRICS_TOKEN", "Asked of whoever scrapes /metrics; at least 32 ASCII characters"),
  plain("PARLEY_PUBLIC_URL", "Where platforms and people reach this gateway, such as https://parley.example"),
  secret("REDIS_URL", "Redis to share between replicas, redis:// or rediss://; without it, SQLite"),
  secret("REDIS_SENTINEL_PASSWORD", "Password of the Sentinels, where they have one"),
  plain("PARLEY_ROLE", "all, ingress (takes webhooks) or worker (runs agents); needs REDIS_URL. Default all"),
  plain("PARLEY_PROCESSES", "Processes on this machine, 1 to 64; more than one needs REDIS_URL. Default 1"),
  secret("ANTHROPIC_API_KEY", "Key of the Anthropic API; without it the default agent is the demo model"),
  plain("ANTHROPIC_BASE_URL", "Where the Anthropic API is. Default https://api.anthropic.com"),
  secret(
    "SLACK_SIGNING_SECRET",
    "Checks that a request comes from Slack; at least 32 characters; two during a rotation",
  ),
  secret("SLACK_BOT_TOKEN", "Sends to Slack (xoxb-…)"),
  {
    ...secret("SLACK_APP_TOKEN", "No effect yet: it is for Socket Mode, which is not there"),
    idle: "there is no Socket Mode yet; messages come by webhook, checked with SLACK_SIGNING_SECRET",
  },
  plain(
    "SLACK_APP_ID",
    "The Slack app; what another one delivers is then ignored. Without it, none is told apart",
  ),
  plain("SLACK_API_URL", "Where the Slack API is. Default https://slack.com/api/"),
  plain(
    "DISCORD_PUBLIC_KEY",
    "Checks that a request comes from Discord; 64 hex digits; two during a rotation",
  ),
  plain("DISCORD_APPLICATION_ID", "The Discord application"),
  secret("DISCORD_BOT_TOKEN", "Sends to Discord channels when the answer to a command comes too late"),
  {
    ...plain("DISCORD_GATEWAY", "on has no effect yet: there is no connection to the Gateway. Always off"),
    idle: "there is no connection to the Gateway yet; commands and buttons come by webhook, checked with DISCORD_PUBLIC_KEY",
    idleUnless: /^(?:off|false|no|0)$/i,
  },
  plain("DISCORD_API_URL", "Where the Discord API is. Default https://discord.com/api"),
  secret(
    "TELEGRAM_WEBHOOK_SECRET",
    "Checks that a request comes from Telegram; 16 to 256 characters; two during a rotation",
  ),
  secret("TELEGRAM_BOT_TOKEN", "Sends to Telegram"),
  plain("TELEGRAM_API_ROOT", "Where the Telegram API is. Default https://api.telegram.org"),
  secret(
    "WHATSAPP_APP_SECRET",
    "Checks that a request comes from WhatsApp; at least 16 characters; two during a rotation",
  ),
  secret("WHATSAPP_VERIFY_TOKEN", "Answers the handshake when the webhook is set up; at least 16 characters"),
  secret("WHATSAPP_ACCESS_TOKEN", "Sends to WhatsApp"),
  plain("WHATSAPP_PHONE_NUMBER_ID", "The number to send from"),
  plain("WHATSAPP_API_URL", "Where the WhatsApp API is. Default https://graph.facebook.com"),
];

/** Names that no file may expand: Parley reads these by itself, and they print nowhere. */
export const SECRET_NAMES: ReadonlySet<string> = new Set(
  VARIABLES.filter((variable) => variable.secret).map((variable) => variable.name),
);
