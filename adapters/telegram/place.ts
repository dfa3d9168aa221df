import { conversationKey } from "../../src/domain/conversation.ts";
import { get, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import type { TelegramAddress } from "./address.ts";
import { flag, id, integer } from "./payload.ts";
import type { Bot } from "./text.ts";

/** What every call about this place must name beside the chat. */
type Topic = Pick<TelegramAddress, "messageThreadId" | "directTopicId">;

export interface Place {
  readonly tenant: string;
  readonly place: string;
  readonly thread: string | null;
  readonly conversation: string;
  readonly isDirect: boolean;
}

/** Where a message stands, and how calls name that place; undefined when it does not say. */
export function readPlace(
  message: JsonObject,
  bot: Bot,
): { where: Place; to: Omit<TelegramAddress, "kind"> } | undefined {
  const chat = getObject(message, "chat");
  const place = id(chat, "id");
  const topic = topicOf(message, chat);
  if (place === undefined || topic === undefined) return undefined;
  const thread = topic.directTopicId ?? topic.messageThreadId;
  const key = { tenant: bot.id, place, thread: thread === undefined ? null : String(thread) };
  const isPrivate = getString(chat, "type") === "private";
  return {
    where: {
      ...key,
      conversation: conversationKey({ platform: "telegram", ...key }),
      isDirect: isPrivate || topic.directTopicId !== undefined,
    },
    to: { chatId: place, isPrivate, ...topic },
  };
}

/** The direct messages of a channel: one chat for the bot, in which each person has a topic and sees no other. */
export function isDirectMessages(message: JsonObject): boolean {
  return (
    flag(getObject(message, "chat"), "is_direct_messages") ||
    get(message, "direct_messages_topic") !== undefined
  );
}

/**
 * Plain supergroups number their reply chains with message_thread_id too; only a topic is a place to post in.
 * Undefined for a message to a channel that does not tell whose topic it is in: it belongs to no conversation, and
 * must not open one that all people of that channel would share.
 */
function topicOf(message: JsonObject, chat: JsonObject | undefined): Topic | undefined {
  if (isDirectMessages(message)) {
    const directTopicId = integer(getObject(message, "direct_messages_topic"), "topic_id");
    return getString(chat, "type") === "private" || directTopicId === undefined
      ? undefined
      : { directTopicId };
  }
  const messageThreadId = flag(message, "is_topic_message")
    ? integer(message, "message_thread_id")
    : undefined;
  return messageThreadId === undefined ? {} : { messageThreadId };
}
