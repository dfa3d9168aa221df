import { conversationKey } from "../../src/domain/conversation.ts";
import type { Trigger, TriggerEvent } from "../../src/domain/event.ts";
import type { Ack, Inbound } from "../../src/ports/adapter.ts";
import { get, getArray, getObject, getString, type JsonObject, nameOf } from "../../src/shared/json.ts";
import { mintAddress } from "./address.ts";
import { messageItems } from "./context.ts";
import { attachmentsIn } from "./files.ts";
import { mentionsIn, namesIn, nickOf, readableText } from "./mentions.ts";
import { nameOfUser, rolesOf } from "./people.ts";
import { isSnowflake, snowflakeTimeMs } from "./snowflake.ts";
import { ownWords } from "./text.ts";

/** Message types that somebody wrote; all others are notices of Discord. */
const PLAIN = 0;
const REPLY = 19;
const THREAD_NAME_CHARS_MAX = 100;

/** Nobody waits for an acknowledgement of what came over the Gateway; these tell whether it was for us. */
export const TAKEN: Ack = { status: 200 };
export const NOTHING: Ack = { status: 204 };

/** Whom the Gateway knows us as. */
export interface Self {
  readonly applicationId: string;
  readonly userId: string;
}

/** Where a message was written, which it tells in part only. */
export interface Place {
  /** Null in private. */
  readonly guildId: string | null;
  readonly isThread: boolean;
  /** The channel that the thread hangs on; null: nobody knows, or it is no thread. */
  readonly parentId: string | null;
}

export interface MessageOptions {
  readonly self: Self;
  readonly place: Place;
  readonly replies: "reply" | "thread";
  /** Tables of an answer are embeds; text when absent. */
  readonly embeds?: boolean;
}

/** One message that somebody wrote, of MESSAGE_CREATE or as the API lists it: an event, or why it is none. */
export function readMessage(message: JsonObject, { self, place, replies, embeds }: MessageOptions): Inbound {
  const id = get(message, "id");
  const channelId = get(message, "channel_id");
  const author = getObject(message, "author");
  const authorId = get(author, "id");
  if (!isSnowflake(id)) return malformed("id", id);
  if (!isSnowflake(channelId)) return malformed("channel_id", channelId);
  if (!isSnowflake(authorId)) return malformed("author.id", authorId);
  const reason = uninteresting(message, authorId, self);
  if (reason !== null) return { kind: "ignored", reason, ack: NOTHING };

  const isDirect = place.guildId === null;
  const tenant = place.guildId ?? "dm";
  const trigger = triggerOf(message, self, place);
  const words = ownWords(message);
  const text = readableText(words, self.userId, namesIn(message));
  const attachments = attachmentsIn(message);
  const mentions = mentionsIn(message, words, self.userId);
  const context = messageItems(message, self.applicationId);
  // A server in which the bot may not read what does not name it gives such messages without all that they say.
  if (trigger !== "mention" && text === "" && attachments.length + context.length === 0)
    return { kind: "ignored", reason: "no_content", ack: NOTHING };

  const roles = rolesOf(getObject(message, "member"));
  const opensThread = replies === "thread" && !isDirect && !place.isThread && trigger === "mention";
  const event: TriggerEvent = {
    id: messageEventId(self, id),
    aliases: [],
    platform: "discord",
    tenant,
    // Rules about a channel hold in its threads too.
    place: place.isThread ? (place.parentId ?? channelId) : channelId,
    thread: place.isThread ? channelId : null,
    // As for interactions: a thread has an id of its own, the one that is opened from a message has that message's. A
    // direct message may be a group, and is private to each of its people.
    conversation: conversationKey({
      platform: "discord",
      tenant,
      place: opensThread ? id : channelId,
      thread: isDirect ? authorId : null,
    }),
    isDirect,
    sender: {
      id: authorId,
      name: nickOf(message) ?? nameOfUser(author)?.toWellFormed() ?? authorId,
      isBot: get(author, "bot") === true,
      ...(roles.length > 0 && { roles }),
    },
    trigger,
    command: null,
    text,
    attachments,
    ...(mentions.length > 0 && { mentions }),
    ...(context.length > 0 && { context }),
    replyTo: mintAddress({
      kind: "message",
      id,
      channelId,
      guildId: place.guildId,
      ...(opensThread && { opensThread: threadName(text) }),
      ...(embeds === true && { embeds }),
    }),
    // The later of the two counts, because senders other than Discord number from 1.
    occurredAtMs: Math.max(snowflakeTimeMs(id), Date.parse(getString(message, "timestamp") ?? "") || 0),
  };
  return { kind: "events", events: [event], ignored: [], ack: TAKEN, ignoredAck: NOTHING };
}

export function messageEventId({ applicationId }: Self, messageId: string): string {
  return `discord:${applicationId}:message:${messageId}`;
}

/** Whether it may concern us; of all else nobody need know where it was said. */
export function isWritten(message: JsonObject, self: Self): boolean {
  return uninteresting(message, getString(getObject(message, "author"), "id") ?? "", self) === null;
}

function malformed(where: string, got: unknown): Inbound {
  const what = typeof got === "string" ? "another string" : nameOf(got);
  return { kind: "malformed", message: `Expected ${where} to be a string of digits, got ${what}` };
}

function uninteresting(message: JsonObject, authorId: string, self: Self): string | null {
  if (authorId === self.userId || get(message, "application_id") === self.applicationId) return "own_message";
  // Anybody who has the address of a webhook can write whatever they want with it, under any name.
  if (getString(message, "webhook_id") !== undefined) return "webhook";
  const type = get(message, "type") ?? PLAIN;
  return type === PLAIN || type === REPLY ? null : "system_message";
}

function triggerOf(message: JsonObject, self: Self, { guildId, isThread }: Place): Trigger {
  if (guildId === null) return "direct";
  const isNamed = getArray(message, "mentions").some((user) => get(user, "id") === self.userId);
  const answered = getObject(getObject(message, "referenced_message"), "author");
  const isReply = get(message, "type") === REPLY && get(answered, "id") === self.userId;
  if (isNamed || isReply) return "mention";
  return isThread ? "thread" : "ambient";
}

/** The first line of what was asked. */
function threadName(text: string): string {
  const [first = ""] = text.split("\n", 1);
  const name = Array.from(first.trim()).slice(0, THREAD_NAME_CHARS_MAX).join("");
  return name === "" ? "Answer" : name;
}
