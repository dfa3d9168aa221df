import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import type { ProbeFinding } from "../../src/ports/adapter.ts";
import type { Setup, SetupContext, SetupOutcome } from "../../src/ports/setup.ts";
import { get, getString, isObject } from "../../src/shared/json.ts";
import { doubtful } from "../shared/probe.ts";
import { createClient, type TelegramClient } from "./api.ts";
import { failureOf } from "./failure.ts";
import { probeTelegram } from "./probe.ts";
import { API_ROOT, type TelegramOptions, type TelegramSettings } from "./settings.ts";

/** Nothing else that Telegram could send starts a run. */
const UPDATES = ["message", "callback_query"];

interface BotCommand {
  readonly command: string;
  readonly description: string;
}

/** What Parley itself answers, as people find it below `/`. */
const OWN: readonly BotCommand[] = [
  { command: "start", description: "What I can do" },
  { command: "help", description: "What I can do" },
  { command: "status", description: "What I am doing here" },
  { command: "stop", description: "Stop what I am doing here" },
  { command: "usage", description: "What you have spent here today" },
  { command: "reset", description: "Forget this conversation" },
];

/** What Telegram takes as the name of one. */
const COMMAND = /^[a-z0-9_]{1,32}$/;

export function openSetup(context: SetupContext<TelegramSettings, TelegramOptions>): Setup {
  const { settings, publicUrl, commands: routed, flags, env, timeoutMs } = context;
  const botToken = settings?.botToken ?? env.secret("TELEGRAM_BOT_TOKEN");
  const [secret] = settings?.webhookSecrets ?? [];
  const apiRoot = settings?.apiRoot ?? env.text("TELEGRAM_API_ROOT") ?? API_ROOT;
  const webhookUrl = publicUrl === null ? null : `${publicUrl}/webhooks/telegram`;
  const client = botToken === null ? null : createClient({ botToken, apiRoot, timeoutMs });
  const wanted = wantedOf(routed);

  return {
    document: () => ({
      webhook: { url: webhookUrl, allowed_updates: UPDATES },
      commands: wanted,
    }),
    links: () => [{ what: "Make the bot, and what people see of it", url: "https://t.me/BotFather" }],
    async check(signal): Promise<readonly ProbeFinding[]> {
      if (client === null) return [];
      const found = await probeTelegram({ client, timeoutMs, webhookUrl }, signal);
      return [...found, ...(await commandFindings(client, wanted, signal))];
    },
    async apply({ isDryRun }, signal): Promise<SetupOutcome> {
      if (client === null || secret === undefined)
        throw new GatewayError(
          "CONFIG_INVALID",
          "Expected TELEGRAM_BOT_TOKEN (of @BotFather) and TELEGRAM_WEBHOOK_SECRET, got none, or one of them",
        );
      if (webhookUrl === null)
        throw new GatewayError("CONFIG_INVALID", "Expected --url or PARLEY_PUBLIC_URL, got none");
      const webhook = await webhookChanges(client, webhookUrl, signal);
      const { commands, changes } = diffOf(await commandsOf(client, signal), wanted, flags.prune === true);
      if (!isDryRun) {
        // Each time: Telegram does not say which secret it has.
        const hook = { url: webhookUrl, secret_token: secret.reveal(), allowed_updates: UPDATES };
        await ask(client, "setWebhook", hook, signal);
        if (changes.length > 0) await ask(client, "setMyCommands", { commands }, signal);
      }
      return { changes: [...webhook, ...changes], next: [] };
    },
  };
}

/** Those that routes name have no words of their own to be described by. */
function wantedOf(routed: readonly string[]): readonly BotCommand[] {
  const names = routed.map((name) => name.replace(/^\//, "").toLowerCase());
  const theirs = names
    .filter((name) => COMMAND.test(name) && !OWN.some(({ command }) => command === name))
    .map((command) => ({ command, description: command }));
  return [...OWN, ...theirs];
}

async function webhookChanges(
  client: TelegramClient,
  url: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const info = await ask(client, "getWebhookInfo", {}, signal);
  const present = getString(info, "url") ?? "";
  const updates = get(info, "allowed_updates");
  const sees =
    Array.isArray(updates) &&
    updates.length === UPDATES.length &&
    UPDATES.every((update) => updates.includes(update));
  if (present === url && sees) return [];
  // Where it led may hold a secret of somebody else, so it is not repeated.
  return [`${present === "" ? "+" : "~"} webhook ${url}`];
}

async function commandsOf(client: TelegramClient, signal: AbortSignal): Promise<readonly BotCommand[]> {
  const list = await ask(client, "getMyCommands", {}, signal);
  return (Array.isArray(list) ? list : []).filter(isObject).map((one) => ({
    command: getString(one, "command") ?? "",
    description: getString(one, "description") ?? "",
  }));
}

/** Others stay, unless they are to go. How one is described that was there already is its owner's to say. */
function diffOf(present: readonly BotCommand[], wanted: readonly BotCommand[], prunes: boolean) {
  const isIn = (all: readonly BotCommand[]) => (one: BotCommand) =>
    all.some(({ command }) => command === one.command);
  const added = wanted.filter((one) => !isIn(present)(one));
  const gone = prunes ? present.filter((one) => !isIn(wanted)(one)) : [];
  return {
    commands: [...present.filter((one) => !isIn(gone)(one)), ...added],
    changes: [...added.map(({ command }) => `+ /${command}`), ...gone.map(({ command }) => `- /${command}`)],
  };
}

async function commandFindings(
  client: TelegramClient,
  wanted: readonly BotCommand[],
  signal: AbortSignal,
): Promise<readonly ProbeFinding[]> {
  // That it cannot be asked has been found before.
  const present = await commandsOf(client, signal).catch((error: unknown) => {
    if (error instanceof DeliveryError) return wanted;
    throw error;
  });
  const { changes } = diffOf(present, wanted, false);
  if (changes.length === 0) return [];
  const names = changes.map((line) => line.slice(2)).join(", ");
  return [
    doubtful(`commands are not suggested while people type: ${names}`, "run parley setup telegram --apply"),
  ];
}

async function ask(
  client: TelegramClient,
  method: string,
  payload: object,
  signal: AbortSignal,
): Promise<unknown> {
  const answer = await client.call(method, payload, signal);
  if (answer.kind === "refused") throw failureOf(method, answer);
  return answer.value;
}
