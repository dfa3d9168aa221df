import { LRUCache } from "lru-cache";
import { GatewayError } from "../../src/domain/errors.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import { type Adapter, PLAIN_WEBHOOK } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { OpenContext } from "../../src/ports/platform.ts";
import { besideModule } from "../../src/shared/beside.ts";
import { getString } from "../../src/shared/json.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { KeyedSlots } from "../shared/pace.ts";
import { placeAddress, readAddress, readCallback } from "./address.ts";
import { createClient, type TelegramClient } from "./api.ts";
import { BUTTON_LIMITS } from "./buttons.ts";
import { createFileReader } from "./downloads.ts";
import { editPart } from "./edit.ts";
import { WORDS } from "./explain.ts";
import { parseUpdate } from "./parse.ts";
import { id } from "./payload.ts";
import { probeTelegram } from "./probe.ts";
import { renderReply } from "./render.ts";
import { RestingChats } from "./rest.ts";
import { sendPart } from "./send.ts";
import type { TelegramOptions as Settings } from "./settings.ts";
import { answerCallback, showTyping, tellPresser } from "./signs.ts";
import { OUTGOING } from "./uploads.ts";
import { screenTelegram, verifyRequest } from "./verify.ts";

const API_ROOT = "https://api.telegram.org";
/** Buttons whose spinner was stopped, remembered only to spare a second call. */
const ANSWERED_MAX = 1_000;

export interface TelegramOptions {
  /** `123456:ABC…`, as BotFather gives it. */
  readonly botToken: Secret;
  /** What setWebhook was given as `secret_token`; two during a rotation. */
  readonly webhookSecrets: readonly Secret[];
  /** Shared with whoever learns the name: parse reads it at each update. */
  readonly identity: TelegramIdentity;
  /** Where the Bot API is, for tests, proxies and a server of one's own; without the token. */
  readonly apiRoot?: string;
  /** Where this gateway is reached, to compare with where Telegram delivers; null: not said. */
  readonly publicUrl?: string | null;
  /** In which chats an answer is shown while it grows: those of one person, all, or none. */
  readonly preview?: Preview;
  /** To which hosts answers may link; to any by default. */
  readonly linkHosts?: OpenContext["linkHosts"];
  readonly clock: Pick<Clock, "sleep" | "nowMs">;
  /** For one call to Telegram, from connecting to the last byte. */
  readonly timeoutMs: number;
}

type Preview = Settings["preview"];

export interface TelegramIdentity {
  /** Without the `@`; null until it is configured or learnt. */
  username: string | null;
}

/** Telegram Bot API, by webhook. Does no I/O by itself. Throws CONFIG_INVALID. */
export function createTelegramAdapter(options: TelegramOptions): Adapter {
  checkSecrets(options.webhookSecrets);
  const botId = botIdOf(options.botToken);
  const client = clientFor(options);
  const { preview = "direct", clock } = options;
  const chats = new RestingChats(clock);
  const slots = new KeyedSlots();
  const answered = new LRUCache<string, Promise<boolean>>({ max: ANSWERED_MAX });

  /** Once for each button, whoever asks first; not cut off when the run is over before Telegram has answered. */
  async function stopSpinner(to: ReplyAddress): Promise<void> {
    const queryId = readCallback(to);
    if (queryId === undefined) return;
    const call = answered.get(queryId) ?? answerCallback(queryId, client);
    answered.set(queryId, call);
    if (!(await call)) answered.delete(queryId);
  }

  return {
    platform: "telegram",
    webhook: PLAIN_WEBHOOK,
    ignored: WORDS.ignored,
    screen: (head) => screenTelegram(head, options.webhookSecrets),
    verify: (request) => verifyRequest(request, options.webhookSecrets),
    parse: (request) => parseUpdate(request, { id: botId, username: options.identity.username }),
    render: (markdown, to, buttons, named) =>
      renderReply(markdown, to, buttons, named, options.linkHosts?.()),
    buttons: BUTTON_LIMITS,
    renderer: RENDERER,
    addressOf: placeAddress,
    async send(delivery, signal, permit) {
      const told = await tellPresser(delivery, client, signal, permit);
      if (told !== null) return told;
      if (delivery.index === 0) await stopSpinner(delivery.to);
      return await chats.calling(delivery.to, () => sendPart(delivery, client, signal, permit));
    },
    edit: (receipt, delivery, signal, permit) =>
      chats.calling(delivery.to, () => editPart(receipt, delivery, client, signal, permit)),
    previewInMs: (to) => previewInMs(to, preview, slots, clock.nowMs()),
    // There is no idempotency key and no reading back: a lost answer stays in doubt.
    recover: async () => "unknown",
    dismiss: stopSpinner,
    files: createFileReader({ client, apiRoot: options.apiRoot ?? API_ROOT, clock }),
    outgoing: OUTGOING,
    probe: (signal) =>
      probeTelegram(
        {
          client,
          timeoutMs: options.timeoutMs,
          webhookUrl: options.publicUrl == null ? null : `${options.publicUrl}/webhooks/telegram`,
        },
        signal,
      ),
    async typing(to, signal) {
      // A spinner gives up long before an agent answers, so it is stopped as soon as work begins.
      await stopSpinner(to);
      await showTyping(to, { client, clock, signal });
    },
  };
}

/** A little more than what Telegram takes of one chat: a message a second, in a group twenty a minute. */
function previewInMs(to: ReplyAddress, preview: Preview, slots: KeyedSlots, nowMs: number): number | null {
  const address = readAddress(to);
  const isPrivate = address?.isPrivate === true;
  if (address === undefined || preview === "off" || (preview === "direct" && !isPrivate)) return null;
  return slots.take(address.chatId, isPrivate ? 1_100 : 3_100, nowMs);
}

/**
 * Asks getMe for the bot's name, without the `@`. Null when Telegram did not tell: mentions are then
 * recognised by guess (see text.ts), so this is worth another try later. Throws CONFIG_INVALID only.
 */
export async function learnUsername(
  options: Pick<TelegramOptions, "botToken" | "apiRoot" | "timeoutMs">,
  signal: AbortSignal = new AbortController().signal,
): Promise<string | null> {
  const botId = botIdOf(options.botToken);
  const answer = await clientFor(options)
    .call("getMe", {}, signal)
    .catch(() => null);
  if (answer?.kind !== "result" || id(answer.value, "id") !== botId) return null;
  return getString(answer.value, "username") ?? null;
}

function clientFor(options: Pick<TelegramOptions, "botToken" | "apiRoot" | "timeoutMs">): TelegramClient {
  const { botToken, timeoutMs, apiRoot = API_ROOT } = options;
  return createClient({ botToken, timeoutMs, apiRoot });
}

/**
 * The bot's own user id stands before the colon of its token. One without it is Telegram's to refuse, and no reason
 * to keep the other platforms down: that bot has no id and learns no name.
 */
function botIdOf(token: Secret): string {
  const shape = /^(?:(\d{1,16}):)?[\w:-]+$/.exec(token.reveal());
  if (shape !== null) return String(Number(shape[1] ?? 0));
  throw new GatewayError(
    "CONFIG_INVALID",
    "Expected the Telegram bot token to look like 123456:ABC-def, got something else",
  );
}

function checkSecrets(secrets: readonly Secret[]): void {
  const areValid = secrets.every((secret) => /^[\w-]{1,256}$/.test(secret.reveal()));
  if (secrets.length >= 1 && secrets.length <= 2 && areValid) return;
  throw new GatewayError(
    "CONFIG_INVALID",
    "Expected one or two Telegram webhook secrets of 1 to 256 letters, digits, _ or -, got " +
      (areValid ? String(secrets.length) : "another character or length"),
  );
}

const RENDERER = besideModule(import.meta.url, "render");
