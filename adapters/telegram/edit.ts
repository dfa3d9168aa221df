import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Permit } from "../../src/shared/call.ts";
import { buttonsOf } from "../shared/buttons.ts";
import { readAddress } from "./address.ts";
import type { Refused, TelegramClient } from "./api.ts";
import { type InlineKeyboard, keyboardFor } from "./buttons.ts";
import { failureOf, foreignPart } from "./failure.ts";
import { textOf } from "./render.ts";

/** The fields of editMessageText (Bot API) that we use. */
interface EditMessageText {
  readonly chat_id: number;
  readonly message_id: number;
  readonly text: string;
  readonly parse_mode?: "HTML";
  readonly link_preview_options: { readonly is_disabled: true };
  /** Without it the message has none any more. */
  readonly reply_markup?: InlineKeyboard;
}

/** Somebody has deleted it, or it is one that cannot be changed (any more). */
const GONE = ["message to edit not found", "message can't be edited", "message_id_invalid"];

/** Changes what `sendPart` has sent. Throws DeliveryError. */
export async function editPart(
  { messageId }: Receipt,
  delivery: Delivery,
  client: TelegramClient,
  signal: AbortSignal,
  permit?: Permit,
): Promise<Receipt | "gone"> {
  const address = readAddress(delivery.to);
  const text = textOf(delivery.part);
  if (address === undefined || text === undefined) throw foreignPart();
  if (messageId === null) return "gone";
  const { html, plain } = text;
  const buttons = buttonsOf(delivery.part);
  const message = {
    chat_id: Number(address.chatId),
    message_id: Number(messageId),
    link_preview_options: { is_disabled: true as const },
    ...(buttons.length > 0 && { reply_markup: keyboardFor(buttons) }),
  };
  const done: Receipt = { messageId, via: "editMessageText" };
  const requests: readonly EditMessageText[] = [
    { ...message, text: html, parse_mode: "HTML" },
    { ...message, text: plain },
  ];
  for (const [index, request] of requests.entries()) {
    const answer = await client.call("editMessageText", request, signal, { permit });
    if (answer.kind === "result" || says(answer, "message is not modified")) return done;
    // In its new place the chat has other message ids.
    if (answer.migratedTo !== null || GONE.some((words) => says(answer, words))) return "gone";
    if (index > 0 || !says(answer, "can't parse entities")) throw failureOf("editMessageText", answer);
  }
  return done;
}

function says({ status, description }: Refused, words: string): boolean {
  return status === 400 && description.toLowerCase().includes(words);
}
