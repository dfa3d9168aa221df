import { pressedDecision } from "../../src/domain/button.ts";
import type { ReplyAddress, Trigger, TriggerEvent } from "../../src/domain/event.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { writeAddress, writeCallback } from "./address.ts";
import { readAttachments } from "./attachments.ts";
import { readContext, readForward, readPressedMessage } from "./context.ts";
import { flag, id, integer, timeMs } from "./payload.ts";
import { isDirectMessages, readPlace } from "./place.ts";
import { type Bot, type ReadText, readMessageText } from "./text.ts";
import { thingWords } from "./words.ts";

/** An event, or why there is none. */
export type Reading = TriggerEvent | { readonly ignored: string; readonly awaited?: ReplyAddress };

/** Rows of a keyboard, and buttons of a row. */
const BUTTONS_MAX = 100;
const LABEL_CHARS_MAX = 200;
const MALFORMED: Reading = { ignored: "malformed_message" };

/** `update.message`. */
export function readMessage(message: JsonObject, eventId: string, bot: Bot): Reading {
  const place = readPlace(message, bot);
  const messageId = integer(message, "message_id");
  const sender = readSender(message);
  const occurredAtMs = timeMs(message, "date");
  if (!place || messageId === undefined || !sender || occurredAtMs === undefined) return MALFORMED;

  const heard = readMessageText(message, bot);
  const things = heard.text === "" && heard.command === null ? thingWords(message).toWellFormed() : "";
  const attachments = readAttachments(message);
  const hasContent = attachments.length > 0 || things !== "";
  const ignored = reasonToIgnore(message, bot, { said: heard, hasContent });
  if (ignored !== undefined) return { ignored };

  const forwarded = readForward(message, heard.whole === "" ? things : heard.whole, bot);
  // Whoever passes words on does not say them: no command to us, though the message may still be for us.
  const said = forwarded === null ? heard : { ...heard, command: null, text: "" };
  const context = [...readContext(message, bot), ...(forwarded === null ? [] : [forwarded])];

  return {
    id: eventId,
    aliases: [],
    platform: "telegram",
    ...place.where,
    sender,
    trigger: triggerOf(message, bot, said),
    command: commandIn(said),
    text: said.text === "" && forwarded === null ? things : said.text,
    attachments,
    ...(context.length > 0 && { context }),
    replyTo: writeAddress({ kind: "message", ...place.to, messageId }),
    occurredAtMs,
  };
}

/** The button that begins a private chat sends a bare `/start`: whoever presses it wants to know what there is. */
function commandIn({ command, text }: { readonly command: string | null; readonly text: string }) {
  return command === "/start" && text === "" ? "/help" : command;
}

/** `update.callback_query`: a press on an inline button. `receivedAtMs` is its time, for Telegram gives none. */
export function readButton(query: JsonObject, eventId: string, bot: Bot, receivedAtMs: number): Reading {
  const queryId = getString(query, "id");
  if (queryId === undefined) return MALFORMED;
  const reading = readPress(query, { eventId, queryId }, bot, receivedAtMs);
  // It spins until it is answered, whatever it is.
  return "ignored" in reading ? { ...reading, awaited: writeCallback(queryId) } : reading;
}

function readPress(
  query: JsonObject,
  { eventId, queryId }: { eventId: string; queryId: string },
  bot: Bot,
  receivedAtMs: number,
): Reading {
  const sender = readUser(getObject(query, "from"));
  if (sender === undefined) return MALFORMED;

  const data = getString(query, "data")?.toWellFormed();
  if (data === undefined) return { ignored: "button_without_data" };
  // A button of an inline message stands in a chat that the bot may not be in: there is no place to answer.
  const message = getObject(query, "message");
  if (message === undefined) return { ignored: "inline_button" };
  if (get(message, "business_connection_id") !== undefined) return { ignored: "business" };
  // An inaccessible message has a chat, an id and `date: 0`; that is all we need.
  const place = readPlace(message, bot);
  if (place === undefined) return MALFORMED;
  const messageId = integer(message, "message_id");
  const label = labelOf(message, data);
  const context = readPressedMessage(message, bot);

  return {
    id: eventId,
    aliases: [],
    platform: "telegram",
    ...place.where,
    sender,
    trigger: "button",
    command: data,
    text: label ?? data,
    attachments: [],
    pressed: { kind: "button", label },
    ...(context.length > 0 && { context }),
    replyTo: writeAddress({
      kind: "message",
      ...place.to,
      ...(messageId !== undefined && { messageId }),
      callbackQueryId: queryId,
      // The message with the button says what was decided.
      ...(pressedDecision(data) !== null && { isQuiet: true }),
    }),
    occurredAtMs: receivedAtMs,
  };
}

/** What stood on the button; Telegram shows the keyboard of a message that it still knows. */
function labelOf(message: JsonObject, data: string): string | null {
  const rows = getArray(getObject(message, "reply_markup"), "inline_keyboard").slice(0, BUTTONS_MAX);
  const buttons = rows.flatMap((row) => (Array.isArray(row) ? row.slice(0, BUTTONS_MAX) : []));
  const pressed = buttons.find((button) => get(button, "callback_data") === data);
  return getString(pressed, "text")?.slice(0, LABEL_CHARS_MAX).toWellFormed() ?? null;
}

/** Anonymous admins and people who speak as a channel come as a stand-in bot; `sender_chat` is who they are. */
function readSender(message: JsonObject): TriggerEvent["sender"] | undefined {
  const chat = getObject(message, "sender_chat");
  const chatId = id(chat, "id");
  if (chatId === undefined) return readUser(getObject(message, "from"));
  const name = getString(chat, "title") ?? getString(chat, "username") ?? chatId;
  return { id: chatId, name: name.toWellFormed(), isBot: false };
}

function readUser(user: JsonObject | undefined): TriggerEvent["sender"] | undefined {
  const userId = id(user, "id");
  if (userId === undefined) return undefined;
  const name = getString(user, "username") ?? getString(user, "first_name") ?? userId;
  return { id: userId, name: name.toWellFormed(), isBot: flag(user, "is_bot") };
}

function reasonToIgnore(
  message: JsonObject,
  bot: Bot,
  { said, hasContent }: { said: ReadText; hasContent: boolean },
): string | undefined {
  // Said to somebody's own account, which this bot would have to answer for.
  if (get(message, "business_connection_id") !== undefined) return "business";
  const hasWords = getString(message, "text") !== undefined || getString(message, "caption") !== undefined;
  if (get(message, "migrate_to_chat_id") !== undefined) return "chat_migrated";
  if (get(message, "migrate_from_chat_id") !== undefined) return "chat_migrated";
  if (!hasWords && !hasContent) return "service_message";
  // A channel's posts are copied into its discussion group; nobody there asked anything.
  if (flag(message, "is_automatic_forward")) return "channel_post";
  if (isUser(bot, getObject(message, "from")) || isUser(bot, getObject(message, "via_bot"))) {
    return "own_message";
  }
  // An album comes as one update per picture. The one with the caption asks; the others would each start a run.
  if (!hasWords && getString(message, "media_group_id") !== undefined) return "album_part";
  if (said.isForOtherBot) return "other_bot_command";
  return undefined;
}

function triggerOf(message: JsonObject, bot: Bot, said: ReadText): Trigger {
  if (said.command !== null) return "command";
  if (getString(getObject(message, "chat"), "type") === "private" || isByTopicOwner(message)) return "direct";
  return said.mentionsBot || isReplyTo(bot, message) ? "mention" : "ambient";
}

/** Whoever writes to a channel means it, and so us. What its admins say to them, in the channel's name, does not. */
function isByTopicOwner(message: JsonObject): boolean {
  if (!isDirectMessages(message) || get(message, "sender_chat") !== undefined) return false;
  const owner = id(getObject(getObject(message, "direct_messages_topic"), "user"), "id");
  return owner === undefined || owner === id(getObject(message, "from"), "id");
}

function isReplyTo(bot: Bot, message: JsonObject): boolean {
  const original = getObject(message, "reply_to_message");
  // In a topic that we opened, every message counts as a reply to our opening.
  return isUser(bot, getObject(original, "from")) && get(original, "forum_topic_created") === undefined;
}

function isUser(bot: Bot, user: JsonObject | undefined): boolean {
  return id(user, "id") === bot.id;
}
