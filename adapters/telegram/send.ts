import type { Button } from "../../src/domain/button.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Permit } from "../../src/shared/call.ts";
import { isRejected } from "../../src/shared/fault.ts";
import type { ReplyFile } from "../shared/answer-file.ts";
import { buttonsOf } from "../shared/buttons.ts";
import { filesIn, uploadOf } from "../shared/outgoing.ts";
import { readAddress, type TelegramAddress } from "./address.ts";
import type { ApiResult, Refused, TelegramClient } from "./api.ts";
import { type InlineKeyboard, keyboardFor } from "./buttons.ts";
import type { TelegramText } from "./dialect.ts";
import { sendDocument } from "./document.ts";
import { failureOf, foreignPart } from "./failure.ts";
import { id } from "./payload.ts";
import { fileOf, messagesInstead, textOf, withNotice } from "./render.ts";
import { sendFiles } from "./uploads.ts";

/** As asked, then without markup, then in the chat's new place. */
const TRIES_MAX = 3;

/** The fields of sendMessage (Bot API) that we use. */
interface SendMessage {
  readonly chat_id: number;
  readonly text: string;
  readonly parse_mode?: "HTML";
  readonly message_thread_id?: number;
  readonly direct_messages_topic_id?: number;
  readonly reply_parameters?: { readonly message_id: number; readonly allow_sending_without_reply: true };
  readonly link_preview_options: { readonly is_disabled: true };
  readonly reply_markup?: InlineKeyboard;
}

type Send = (request: SendMessage) => Promise<ApiResult>;

/** Says one part. Throws DeliveryError. */
export async function sendPart(
  delivery: Delivery,
  client: TelegramClient,
  signal: AbortSignal,
  permit?: Permit,
): Promise<Receipt> {
  if (filesIn(delivery.part).length > 0) return await sendFiles(delivery, client, signal, permit);
  const address = readAddress(delivery.to);
  const text = textOf(delivery.part);
  if (address === undefined || text === undefined) throw foreignPart();
  const call: Send = (request) => client.call("sendMessage", request, signal, { permit });
  const file = fileOf(delivery.part);
  if (file !== null)
    return await sendAnswerFile(delivery, file, { address, call }, { client, signal, permit });
  let messageId: string | null = null;
  const texts = delivery.mayRepeat ? withNotice(text) : [text];
  for (const [index, one] of texts.entries()) {
    const buttons = index === texts.length - 1 ? buttonsOf(delivery.part) : [];
    messageId = await sendText(one, { address, isFirst: delivery.index === 0, buttons }, call);
  }
  return { messageId, via: "sendMessage" };
}

/** Where Telegram takes no file in this chat, what it would have said. */
async function sendAnswerFile(
  delivery: Delivery,
  file: ReplyFile,
  { address, call }: { readonly address: TelegramAddress; readonly call: Send },
  { client, signal, permit }: Asking,
): Promise<Receipt> {
  try {
    return await sendDocument(delivery, uploadOf(file), client, signal, permit);
  } catch (error) {
    if (!isRejected(error)) throw error;
    const place = { address, isFirst: false, buttons: [] };
    let messageId: string | null = null;
    for (const text of messagesInstead(file)) messageId = await sendText(text, place, call);
    return { messageId, via: "sendMessage" };
  }
}

interface Asking {
  readonly client: TelegramClient;
  readonly signal: AbortSignal;
  readonly permit: Permit | undefined;
}

interface Placed {
  readonly address: TelegramAddress;
  readonly isFirst: boolean;
  readonly buttons: readonly Button[];
}

async function sendText(text: TelegramText, place: Placed, call: Send): Promise<string | null> {
  let request = requestFor(text.html, place);
  for (let tries = 1; ; tries++) {
    const answer = await call(request);
    if (answer.kind === "result") return id(answer.value, "message_id") ?? null;
    const revised = tries < TRIES_MAX ? revise(request, answer, text.plain) : undefined;
    if (revised === undefined) throw failureOf("sendMessage", answer);
    request = revised;
  }
}

function requestFor(html: string, { address, isFirst, buttons }: Placed): SendMessage {
  const { isPrivate, messageId, messageThreadId, directTopicId } = address;
  return {
    chat_id: Number(address.chatId),
    text: html,
    parse_mode: "HTML",
    ...(messageThreadId !== undefined && { message_thread_id: messageThreadId }),
    ...(directTopicId !== undefined && { direct_messages_topic_id: directTopicId }),
    // In a group, the first part shows which question it answers; between two people that is plain.
    ...(isFirst &&
      !isPrivate &&
      messageId !== undefined && {
        reply_parameters: { message_id: messageId, allow_sending_without_reply: true as const },
      }),
    // A preview would make Telegram fetch whatever address a model writes.
    link_preview_options: { is_disabled: true },
    ...(buttons.length > 0 && { reply_markup: keyboardFor(buttons) }),
  };
}

/**
 * The request that may work where this one was refused, certainly unsaid; undefined when none would.
 * A deleted topic has no substitute: the answer would stand in General, before people who asked nothing.
 */
function revise(request: SendMessage, refused: Refused, plain: string): SendMessage | undefined {
  if (refused.status !== 400) return undefined;
  const { chat_id, link_preview_options, direct_messages_topic_id } = request;
  // What one person asked a channel in private has no other place either.
  if (
    direct_messages_topic_id === undefined &&
    refused.migratedTo !== null &&
    Number(refused.migratedTo) !== chat_id
  ) {
    // The new chat has other message ids, and topics that the old one had not.
    const mode = request.parse_mode && { parse_mode: request.parse_mode };
    const below = request.reply_markup && { reply_markup: request.reply_markup };
    return {
      chat_id: Number(refused.migratedTo),
      text: request.text,
      ...mode,
      link_preview_options,
      ...below,
    };
  }
  if (request.parse_mode && refused.description.toLowerCase().includes("can't parse entities")) {
    const { parse_mode: _, ...rest } = request;
    return { ...rest, text: plain };
  }
  return undefined;
}
