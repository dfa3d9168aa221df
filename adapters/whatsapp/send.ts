import type { Button } from "../../src/domain/button.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Permit } from "../../src/shared/call.ts";
import { isRejected } from "../../src/shared/fault.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { buttonsOf } from "../shared/buttons.ts";
import { filesIn, type Upload, uploadOf, uploadsOf } from "../shared/outgoing.ts";
import { unseen } from "../shared/uploads.ts";
import { readAddress, type WhatsAppAddress } from "./address.ts";
import type { WhatsAppClient } from "./api.ts";
import { interactive } from "./buttons.ts";
import { asTaken, DOCUMENT_MIME, mediaMessage } from "./media.ts";
import { bodyOf, fileOf, messagesInstead, withNotice } from "./render.ts";
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
  const files = filesIn(delivery.part);
  const body = files.length > 0 ? "" : bodyOf(delivery.part);
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
    const message = messageWith(
      content,
      { ...delivery, quotes: delivery.index === 0 && files.length === 0 },
      address,
    );
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

  const share = async (upload: Upload): Promise<Receipt> => {
    const id = await unseen(client.uploadMedia(address.phoneNumberId, upload, signal));
    const messageId = await say(mediaMessage(upload, id, delivery.mayRepeat), upload.name);
    return { messageId, via: "messages" };
  };
  if (files.length > 0) {
    let receipt: Receipt = { messageId: null, via: "messages" };
    for (const upload of await uploadsOf(delivery)) receipt = await share(asTaken(upload));
    return receipt;
  }
  const file = fileOf(delivery.part);
  if (file === null) {
    const buttons = buttonsOf(delivery.part);
    return await sayAll(delivery.mayRepeat ? withNotice(body, buttons.length > 0) : [body], buttons);
  }
  try {
    return await share({ ...uploadOf(file), mime: DOCUMENT_MIME });
  } catch (error) {
    if (!isRejected(error)) throw error;
    return await sayAll(messagesInstead(file), []);
  }
}

function contentOf(body: string, buttons: readonly Button[]): JsonObject {
  if (buttons.length > 0) return { type: "interactive", interactive: interactive(body, buttons) };
  // A preview would make Meta fetch whatever address a model writes.
  return { type: "text", text: { preview_url: false, body } };
}

function messageWith(
  content: JsonObject,
  { partId, quotes }: Pick<Delivery, "partId"> & { readonly quotes: boolean },
  address: WhatsAppAddress,
): JsonObject {
  return {
    recipient_type: "individual",
    ...("to" in address ? { to: address.to } : { recipient: address.recipient }),
    // The first part quotes the question; a quote on every part would fill the screen.
    ...(quotes && { context: { message_id: address.messageId } }),
    ...content,
    // Comes back in the statuses of this message.
    biz_opaque_callback_data: partId,
  };
}
