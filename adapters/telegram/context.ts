import {
  type ContextAuthor,
  type ContextItem,
  type ContextKind,
  contextItem,
} from "../../src/domain/context.ts";
import { get, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { readAttachments } from "./attachments.ts";
import { id, integer, timeMs } from "./payload.ts";
import type { Bot } from "./text.ts";
import { chatName, taskText, wordsOf } from "./words.ts";

/**
 * What a message replies to: the part that was chosen first, then the whole where that says more. With privacy mode on,
 * a reply is the only way to show a bot what another has said.
 */
export function readContext(message: JsonObject, bot: Bot): readonly ContextItem[] {
  const story = getObject(message, "reply_to_story");
  if (story !== undefined) return [asItem("quoted", { story }, bot)];
  const original = repliedTo(message);
  const elsewhere = getObject(message, "external_reply");
  const whole =
    (original && asItem("quoted", original, bot)) ??
    (elsewhere &&
      contextItem("quoted", wordsOf(elsewhere), partsOf(elsewhere, originAuthor(elsewhere, bot))));
  const part = chosenPart(message, original);
  if (part === undefined) return whole === undefined ? [] : [whole];
  const chosen = contextItem("quoted", part.toWellFormed(), { author: whole?.author ?? null });
  const saysMore = whole !== undefined && (whole.text !== chosen.text || whole.attachments.length > 0);
  return saysMore ? [chosen, whole] : [chosen];
}

/** Words that were passed on are not those of who passed them on. Null: these are. */
export function readForward(message: JsonObject, text: string, bot: Bot): ContextItem | null {
  const origin = getObject(message, "forward_origin");
  if (origin === undefined) return null;
  const atMs = timeMs(origin, "date") ?? null;
  return contextItem("forwarded", text, { author: authorOf(origin, bot), atMs });
}

/** The message that holds what was pressed. */
export function readPressedMessage(message: JsonObject, bot: Bot): readonly ContextItem[] {
  const words = wordsOf(message);
  return words === "" ? [] : [contextItem("pressed", words, partsOf(message, senderOf(message, bot)))];
}

/** In a topic, every message counts as a reply to the one that opened it. */
function repliedTo(message: JsonObject): JsonObject | undefined {
  const original = getObject(message, "reply_to_message");
  return get(original, "forum_topic_created") === undefined ? original : undefined;
}

function chosenPart(message: JsonObject, original: JsonObject | undefined): string | undefined {
  const quote = getString(getObject(message, "quote"), "text");
  const task = integer(message, "reply_to_checklist_task_id");
  return quote ?? (task === undefined ? undefined : taskText(getObject(original, "checklist"), task));
}

function asItem(kind: ContextKind, message: JsonObject, bot: Bot): ContextItem {
  return contextItem(kind, wordsOf(message), partsOf(message, senderOf(message, bot)));
}

function partsOf(message: JsonObject, author: ContextAuthor | null) {
  return { author, attachments: readAttachments(message), atMs: timeMs(message, "date") ?? null };
}

/** Of what was forwarded before it was replied to, who said it first counts. */
function senderOf(message: JsonObject, bot: Bot): ContextAuthor | null {
  const origin = getObject(message, "forward_origin");
  if (origin !== undefined) return authorOf(origin, bot);
  return (
    chatAuthor(getObject(message, "sender_chat"), message) ?? userAuthor(getObject(message, "from"), bot)
  );
}

function originAuthor(reply: JsonObject, bot: Bot): ContextAuthor | null {
  const origin = getObject(reply, "origin");
  return origin === undefined ? null : authorOf(origin, bot);
}

/** MessageOrigin: a person, a person who hides who they are, a chat, a channel. */
function authorOf(origin: JsonObject, bot: Bot): ContextAuthor | null {
  const hidden = getString(origin, "sender_user_name");
  return (
    userAuthor(getObject(origin, "sender_user"), bot) ??
    chatAuthor(getObject(origin, "sender_chat") ?? getObject(origin, "chat"), origin) ??
    (hidden === undefined ? null : { id: null, name: hidden.toWellFormed() })
  );
}

function userAuthor(user: JsonObject | undefined, bot: Bot): ContextAuthor | null {
  const userId = id(user, "id");
  if (userId === undefined) return null;
  const name = chatName(user) ?? userId;
  const isSelf = userId === bot.id;
  return { id: userId, name: name.toWellFormed(), ...(isSelf && { isSelf }) };
}

/** A channel's post may be signed. */
function chatAuthor(chat: JsonObject | undefined, signed: JsonObject): ContextAuthor | null {
  const chatId = id(chat, "id");
  if (chatId === undefined) return null;
  const names = [getString(signed, "author_signature"), chatName(chat) ?? chatId];
  return {
    id: chatId,
    name: names
      .filter((name) => name !== undefined)
      .join(", ")
      .toWellFormed(),
  };
}
