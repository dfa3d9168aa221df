import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Permit } from "../../src/shared/call.ts";
import type { Upload } from "../shared/outgoing.ts";
import { readAddress } from "./address.ts";
import type { TelegramClient } from "./api.ts";
import { failureOf, foreignPart } from "./failure.ts";
import { id } from "./payload.ts";
import { REPEAT_NOTICE } from "./render.ts";

/** As asked, then in the chat's new place. */
const TRIES_MAX = 2;

interface How {
  readonly method: string;
  readonly field: string;
  readonly fields: Readonly<Record<string, string>>;
}

const DOCUMENT: How = {
  method: "sendDocument",
  field: "document",
  // It stays the file that it is, whatever Telegram would make of what it holds.
  fields: { disable_content_type_detection: "true" },
};
const PHOTO: How = { method: "sendPhoto", field: "photo", fields: {} };

type Asked = readonly [
  delivery: Delivery,
  file: Upload,
  client: TelegramClient,
  signal: AbortSignal,
  permit?: Permit | undefined,
];

/** Sends a file. Throws DeliveryError. */
export function sendDocument(...asked: Asked): Promise<Receipt> {
  return sendAs(DOCUMENT, ...asked);
}

/** Shows a picture, which Telegram makes smaller. Throws DeliveryError. */
export function sendPhoto(...asked: Asked): Promise<Receipt> {
  return sendAs(PHOTO, ...asked);
}

async function sendAs(
  how: How,
  ...[{ to, mayRepeat }, file, client, signal, permit]: Asked
): Promise<Receipt> {
  const { method } = how;
  const address = readAddress(to);
  if (address === undefined) throw foreignPart();
  let place: Readonly<Record<string, string>> = {
    chat_id: address.chatId,
    ...(address.messageThreadId !== undefined && { message_thread_id: String(address.messageThreadId) }),
    ...(address.directTopicId !== undefined && { direct_messages_topic_id: String(address.directTopicId) }),
  };
  for (let tries = 1; ; tries++) {
    const form = formWith(
      { ...place, ...how.fields, ...(mayRepeat && { caption: REPEAT_NOTICE }) },
      how,
      file,
    );
    const answer = await client.call(method, form, signal, { permit });
    if (answer.kind === "result") return { messageId: id(answer.value, "message_id") ?? null, via: method };
    const { status, migratedTo } = answer;
    const isMoved = status === 400 && migratedTo !== null && address.directTopicId === undefined;
    if (!isMoved || tries >= TRIES_MAX) throw failureOf(method, answer);
    // The new chat has topics of its own.
    place = { chat_id: migratedTo };
  }
}

function formWith(
  fields: Readonly<Record<string, string>>,
  { field }: How,
  { name, mime, data }: Upload,
): FormData {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields)) form.set(key, value);
  form.set(field, new Blob([new Uint8Array(data)], { type: mime }), name);
  return form;
}
