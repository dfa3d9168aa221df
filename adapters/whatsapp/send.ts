import type { Button } from "../../src/domain/button.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Permit } from "../../src/shared/call.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { buttonsOf } from "../shared/buttons.ts";
import { readAddress, type WhatsAppAddress } from "./address.ts";
import type { WhatsAppClient } from "./api.ts";
import { interactive } from "./buttons.ts";
import { bodyOf, withNotice } from "./render.ts";
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
  let messageId: string | null = null;
  const buttons = buttonsOf(delivery.part);
  const texts = delivery.mayRepeat ? withNotice(body, buttons.length > 0) : [body];
  for (const [index, text] of texts.entries()) {
    const below = index === texts.length - 1 ? buttons : [];
    const message = messageWith(text, below, delivery, address);
    messageId = await client.sendMessage(address.phoneNumberId, message, signal, permit);
    seen.said(messageId, text, address);
  }
  return { messageId, via: "messages" };
}

function messageWith(
  body: string,
  buttons: readonly Button[],
  delivery: Delivery,
  address: WhatsAppAddress,
): JsonObject {
  return {
    recipient_type: "individual",
    ...("to" in address ? { to: address.to } : { recipient: address.recipient }),
    // The first part quotes the question; a quote on every part would fill the screen.
    ...(delivery.index === 0 && { context: { message_id: address.messageId } }),
    ...(buttons.length > 0
      ? { type: "interactive", interactive: interactive(body, buttons) }
      : // A preview would make Meta fetch whatever address a model writes.
        { type: "text", text: { preview_url: false, body } }),
    // Comes back in the statuses of this message.
    biz_opaque_callback_data: delivery.partId,
  };
}
