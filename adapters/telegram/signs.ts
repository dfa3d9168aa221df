import type { ReplyAddress } from "../../src/domain/event.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Permit } from "../../src/shared/call.ts";
import { UNSTOPPED } from "../shared/signals.ts";
import { readAddress, type TelegramAddress } from "./address.ts";
import type { TelegramClient } from "./api.ts";
import { failureOf } from "./failure.ts";
import { textOf } from "./render.ts";

/** The indicator fades after 5 s. */
const TYPING_EVERY_MS = 4_000;
/** A nicety must not hold up the reply. */
const SIGN = { timeoutMs: 3_000 };

/** Shows "typing…" until aborted, or until Telegram says that it never will. Never throws. */
export async function showTyping(
  to: ReplyAddress,
  { client, clock, signal }: { client: TelegramClient; clock: Pick<Clock, "sleep">; signal: AbortSignal },
): Promise<void> {
  const address = readAddress(to);
  // Telegram takes no chat action for the direct messages of a channel (Bot API, sendChatAction).
  if (address === undefined || address.directTopicId !== undefined) return;
  while (!signal.aborted) {
    const pauseMs = await showOnce(address, client);
    if (pauseMs === undefined) return;
    await clock.sleep(pauseMs, signal).catch(() => {}); // Rejects when aborted, which the loop sees.
  }
}

/** How long to wait before showing it again; undefined: never. */
async function showOnce(address: TelegramAddress, client: TelegramClient): Promise<number | undefined> {
  const { chatId, messageThreadId } = address;
  const payload = {
    chat_id: Number(chatId),
    action: "typing",
    ...(messageThreadId !== undefined && { message_thread_id: messageThreadId }),
  };
  const answer = await client.call("sendChatAction", payload, UNSTOPPED, SIGN).catch(() => null);
  if (answer === null || answer.kind === "result" || answer.status >= 500) return TYPING_EVERY_MS;
  return answer.status === 429 ? Math.max(answer.retryAfterMs ?? 0, TYPING_EVERY_MS) : undefined;
}

/**
 * Stops the pressed button from spinning. Telegram takes this for some seconds only, and the reply does not
 * depend on it, so a refusal is nobody's concern. False when the call got no answer. Never throws.
 */
export async function answerCallback(queryId: string, client: TelegramClient): Promise<boolean> {
  const payload = { callback_query_id: queryId };
  const answer = await client.call("answerCallbackQuery", payload, UNSTOPPED, SIGN).catch(() => undefined);
  return answer !== undefined;
}

/** Of what is shown for a moment over the chat. */
const TOLD_CHARS_MAX = 200;
/** Longer words are shown until they are put away. */
const GLANCE_CHARS_MAX = 40;
const TOLD = "answerCallbackQuery";

/**
 * Tells whoever pressed a button, and nobody else. Null: it has to be said as a message, for it is too long, or Telegram has
 * given the press up. Said again it is no harm. Throws DeliveryError.
 */
export async function tellPresser(
  delivery: Delivery,
  client: TelegramClient,
  signal: AbortSignal,
  permit?: Permit,
): Promise<Receipt | null> {
  const address = readAddress(delivery.to);
  const text = textOf(delivery.part)?.plain ?? "";
  if (address?.isQuiet !== true || address.callbackQueryId === undefined) return null;
  if (delivery.index > 0 || text === "" || text.length > TOLD_CHARS_MAX) return null;
  const show_alert = text.length > GLANCE_CHARS_MAX;
  const payload = { callback_query_id: address.callbackQueryId, text, show_alert };
  const answer = await client.call(TOLD, payload, signal, { permit });
  if (answer.kind === "result") return { messageId: null, via: TOLD };
  if (answer.status === 400) return null;
  throw failureOf(TOLD, answer);
}
