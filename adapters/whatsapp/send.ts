import type { Button } from "../../src/domain/button.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Permit } from "../../src/shared/call.ts";
import { isRejected } from "../../src/shared/fault.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { buttonsOf } from "../shared/buttons.ts";
import { unseen } from "../shared/uploads.ts";
import { readAddress, type WhatsAppAddress } from "./address.ts";
import type { WhatsAppClient } from "./api.ts";
import { interactive } from "./buttons.ts";
import { bodyOf, fileOf, messagesInstead, REPEAT_NOTICE, withNotice } from "./render.ts";
import type { Seen } from "./seen.ts";

interface Sending {
  readonly client: WhatsAppClient;
  readonly seen: Seen;
  readonly nowMs: number;
  readonly signal: AbortSignal;
  readonly permit: Permit | undefined;
}

/** Says one part. Throws DeliveryError. */
export async function sendPart(
  delivery: Delivery,
  { client, seen, nowMs, signal, permit }: Sending,
): Promise<Receipt> {
  const address = readAddress(delivery.to);
  const body = bodyOf(delivery.part);
  if (address === undefined || body === undefined) {
    throw new DeliveryError("rejected", "Expected a WhatsApp address and part, got those of another adapter");
  }
  if (nowMs >= address.windowExpiresAtMs) {
    throw new DeliveryError(
      "rejected",
      "WhatsApp: the 24-hour window is closed; only an approved template can reach this person",
    );
  }
  const say = async (content: JsonObject, text: string): Promise<string> => {
    const message = messageWith(content, delivery, address);
    const messageId = await client.sendMessage(address.phoneNumberId, message, signal, permit);
    seen.said(messageId, text, address);
    return messageId;
  };
  const sayAll = async (texts: readonly string[], buttons: readonly Button[]): Promise<Receipt> => {
    let messageId: string | null = null;
    for (const [index, text] of texts.entries())
      messageId = await say(contentOf(text, index === texts.length - 1 ? buttons : []), text);
    return { messageId, via: "messages" };
  };

  const file = fileOf(delivery.part);
  if (file === null) {
    const buttons = buttonsOf(delivery.part);
    return await sayAll(delivery.mayRepeat ? withNotice(body, buttons.length > 0) : [body], buttons);
  }
  try {
    const upload = client.uploadMedia(address.phoneNumberId, { ...file, mime: DOCUMENT_MIME }, signal);
    const document = { id: await unseen(upload), filename: file.name };
    const caption = delivery.mayRepeat ? { caption: REPEAT_NOTICE } : {};
    const messageId = await say({ type: "document", document: { ...document, ...caption } }, file.name);
    return { messageId, via: "messages" };
  } catch (error) {
    if (!isRejected(error)) throw error;
    return await sayAll(messagesInstead(file), []);
  }
}

/** Meta takes no Markdown as such. */
const DOCUMENT_MIME = "text/plain";

function contentOf(body: string, buttons: readonly Button[]): JsonObject {
  if (buttons.length > 0) return { type: "interactive", interactive: interactive(body, buttons) };
  // A preview would make Meta fetch whatever address a model writes.
  return { type: "text", text: { preview_url: false, body } };
}

function messageWith(content: JsonObject, delivery: Delivery, address: WhatsAppAddress): JsonObject {
  return {
    recipient_type: "individual",
    ...("to" in address ? { to: address.to } : { recipient: address.recipient }),
    // The first part quotes the question; a quote on every part would fill the screen.
    ...(delivery.index === 0 && { context: { message_id: address.messageId } }),
    ...content,
    // Comes back in the statuses of this message.
    biz_opaque_callback_data: delivery.partId,
  };
}
