import type { Ack, Inbound } from "../../src/ports/adapter.ts";
import { get, getObject, type JsonObject, nameOf } from "../../src/shared/json.ts";
import { type Reading, readButton, readMessage } from "./message.ts";
import { integer } from "./payload.ts";
import type { Bot } from "./text.ts";

const ACK: Ack = { status: 200 };

/** Updates (Bot API 10.1) that start no run, and the reason recorded. */
const IGNORED: ReadonlyMap<string, string> = new Map([
  ["edited_message", "edit"],
  ["edited_channel_post", "edit"],
  ["edited_business_message", "edit"],
  ["business_connection", "business"],
  ["business_message", "business"],
  ["deleted_business_messages", "business"],
  ...[
    "channel_post",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "guest_message",
    "managed_bot",
  ].map((kind) => [kind, kind] as const),
]);

/**
 * One Update. Telegram sends a refused update again and holds back its whole chat meanwhile, so whatever
 * has an update_id is answered 200, even when the rest of it makes no sense.
 */
export function readUpdate(update: JsonObject, bot: Bot, receivedAtMs: number): Inbound {
  const updateId = integer(update, "update_id");
  if (updateId === undefined) {
    const got = nameOf(get(update, "update_id"));
    return { kind: "malformed", message: `Expected update_id to be an integer, got ${got}` };
  }
  const reading = readKind(update, `telegram:${bot.id}:${updateId}`, bot, receivedAtMs);
  if (!("ignored" in reading)) return { kind: "events", events: [reading], ignored: [], ack: ACK };
  const { ignored: reason, awaited } = reading;
  return { kind: "ignored", reason, ack: ACK, ...(awaited !== undefined && { awaited }) };
}

function readKind(update: JsonObject, eventId: string, bot: Bot, receivedAtMs: number): Reading {
  const message = getObject(update, "message");
  if (message) return readMessage(message, eventId, bot);
  const query = getObject(update, "callback_query");
  if (query) return readButton(query, eventId, bot, receivedAtMs);
  if (Object.hasOwn(update, "message") || Object.hasOwn(update, "callback_query")) {
    return { ignored: "malformed_message" };
  }
  const kind = Object.keys(update).find((key) => IGNORED.has(key));
  return { ignored: IGNORED.get(kind ?? "") ?? "unknown_update" };
}
