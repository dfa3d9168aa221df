import { createHash } from "node:crypto";
import type { JsonObject } from "../../src/shared/json.ts";
import { escapedJson, type SampleOptions, type Sampler } from "../shared/sample.ts";
import { SECRET_HEADER } from "./verify.ts";

/** Who the samples are addressed to. */
export interface SampledBot {
  readonly id: number;
  readonly username: string;
}

const ANN = 30;
const GROUP = -1001234567890;
const TOPIC = 3;
const KINDS = ["message", "command", "mention", "reply", "topic", "caption", "button"] as const;

/**
 * Updates as Telegram sends them. `secret` is the webhook's secret_token; `user`, `channel` and `thread` are
 * numbers; an `id` that is a whole number is the update_id. Samples of kind `reply` answer a message of `bot`,
 * so they are mentions only to the bot with that id.
 */
export function createTelegramSampler(bot: SampledBot): Sampler {
  return {
    kinds: KINDS,
    build: (options) => ({
      method: "POST",
      path: "/webhooks/telegram",
      headers: { "content-type": "application/json", [SECRET_HEADER]: options.secret },
      body: escapedJson({ update_id: numberOf(options.id), ...contentOf(options, addressee(options, bot)) }),
    }),
  };
}

export const telegramSampler: Sampler = createTelegramSampler({ id: 77, username: "gw_bot" });

function addressee({ bot }: SampleOptions, made: SampledBot): SampledBot {
  return bot === undefined ? made : { id: Number(bot.id), username: bot.name ?? made.username };
}

function contentOf(options: SampleOptions, bot: SampledBot): JsonObject {
  const { kind, text } = options;
  const name = `@${bot.username}`;
  switch (kind) {
    case "message":
      return { message: { ...inPrivate(options), text } };
    case "command":
      return { message: { ...inGroup(options), ...marked("bot_command", `/ask${name}`, text) } };
    case "mention":
      return { message: { ...inGroup(options), ...marked("mention", name, text) } };
    case "reply":
      return { message: { ...inGroup(options), reply_to_message: ownMessage(options, bot), text } };
    case "topic": {
      const topic = { message_thread_id: numberOf(options.thread ?? String(TOPIC)), is_topic_message: true };
      return { message: { ...inGroup(options), ...topic, ...marked("mention", name, text) } };
    }
    case "caption": {
      const document = { file_id: "BQ1", file_unique_id: "u1", file_name: "a.txt", file_size: 3 };
      return { message: { ...inPrivate(options), caption: text, document } };
    }
    case "button":
      return { callback_query: pressOf(options, bot) };
    default:
      throw new RangeError(`Expected kind to be one of ${KINDS.join(", ")}, got ${kind}`);
  }
}

function inPrivate(options: SampleOptions): JsonObject {
  const person = personOf(options);
  return {
    message_id: messageIdOf(options),
    from: person,
    chat: privateChat(options),
    date: Math.floor(options.nowMs / 1000),
  };
}

function privateChat(options: SampleOptions): JsonObject {
  const chatId = options.channel ?? options.user;
  return { id: chatId === undefined ? ANN : numberOf(chatId), type: "private", first_name: "Ann" };
}

function inGroup(options: SampleOptions): JsonObject {
  const chatId = options.channel === undefined ? GROUP : numberOf(options.channel);
  return { ...inPrivate(options), chat: { id: chatId, title: "Ops", type: "supergroup" } };
}

function ownMessage(options: SampleOptions, bot: SampledBot): JsonObject {
  const from = { id: bot.id, is_bot: true, first_name: "Parley", username: bot.username };
  return { ...inGroup(options), message_id: 1, from, text: "Anything else?" };
}

function pressOf(options: SampleOptions, bot: SampledBot): JsonObject {
  const from = { id: bot.id, is_bot: true, first_name: "Parley", username: bot.username };
  const message = { ...inPrivate(options), message_id: 1, from, chat: privateChat(options), text: "Choose" };
  return {
    id: `callback-${options.id}`,
    from: personOf(options),
    message,
    chat_instance: "-77",
    data: options.text,
  };
}

function personOf({ user }: SampleOptions): JsonObject {
  const userId = user === undefined ? ANN : numberOf(user);
  return { id: userId, is_bot: false, first_name: "Ann", username: "ann", language_code: "en" };
}

/** The text behind an addressing word, which Telegram points out as an entity. */
function marked(type: "bot_command" | "mention", word: string, text: string): JsonObject {
  return { text: `${word} ${text}`, entities: [{ type, offset: 0, length: word.length }] };
}

/** Message ids fit in 31 bits. */
function messageIdOf({ id }: SampleOptions): number {
  return (Math.abs(numberOf(id)) % 0x7fff_fffe) + 1;
}

/** Telegram's ids are whole numbers; any other text becomes one of 48 bits, always the same. */
function numberOf(text: string): number {
  const number = Number(text);
  if (/^-?\d{1,16}$/.test(text) && Number.isSafeInteger(number)) return number;
  return createHash("sha256").update(text).digest().readUIntBE(0, 6);
}
