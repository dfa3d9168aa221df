import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Permit } from "../../src/shared/call.ts";
import type { ReplyFile } from "../shared/answer-file.ts";
import { readAddress } from "./address.ts";
import type { TelegramClient } from "./api.ts";
import { failureOf, foreignPart } from "./failure.ts";
import { id } from "./payload.ts";
import { REPEAT_NOTICE } from "./render.ts";

const METHOD = "sendDocument";

/** As asked, then in the chat's new place. */
const TRIES_MAX = 2;

/** Sends a file. Throws DeliveryError. */
export async function sendDocument(
  { to, mayRepeat }: Delivery,
  file: ReplyFile,
  client: TelegramClient,
  signal: AbortSignal,
  permit?: Permit,
): Promise<Receipt> {
  const address = readAddress(to);
  if (address === undefined) throw foreignPart();
  let place: Readonly<Record<string, string>> = {
    chat_id: address.chatId,
    ...(address.messageThreadId !== undefined && { message_thread_id: String(address.messageThreadId) }),
    ...(address.directTopicId !== undefined && { direct_messages_topic_id: String(address.directTopicId) }),
  };
  for (let tries = 1; ; tries++) {
    const form = formWith({ ...place, ...(mayRepeat && { caption: REPEAT_NOTICE }) }, file);
    const answer = await client.call(METHOD, form, signal, { permit });
    if (answer.kind === "result") return { messageId: id(answer.value, "message_id") ?? null, via: METHOD };
    const { status, migratedTo } = answer;
    const isMoved = status === 400 && migratedTo !== null && address.directTopicId === undefined;
    if (!isMoved || tries >= TRIES_MAX) throw failureOf(METHOD, answer);
    // The new chat has topics of its own.
    place = { chat_id: migratedTo };
  }
}

function formWith(fields: Readonly<Record<string, string>>, { name, mime, text }: ReplyFile): FormData {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  // It stays the file that it is, whatever Telegram would make of what it holds.
  form.set("disable_content_type_detection", "true");
  form.set("document", new Blob([text], { type: mime }), name);
  return form;
}
