import { createHash } from "node:crypto";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { InboundWebhook } from "../../src/ports/platform.ts";
import { call, type Permit } from "../../src/shared/call.ts";
import { kindOfStatus, retryAfterMs } from "../../src/shared/fault.ts";
import { toldCall } from "../../src/shared/platform-calls.ts";
import { webhookHeaders } from "../../src/shared/standard-webhooks.ts";
import { iso } from "../../src/shared/time.ts";
import { readAddress } from "./address.ts";
import { textOf } from "./render.ts";

/** Of an answer nobody reads more than its status. */
const ANSWER_BYTES_MAX = 4_096;

interface Sending {
  readonly webhooks: () => readonly InboundWebhook[];
  readonly nowMs: number;
  readonly signal: AbortSignal;
  readonly permit: Permit | undefined;
}

/** Posts one part to the callback of its webhook, signed. Throws DeliveryError. */
export async function sendPart(
  { to, part, partId, mayRepeat }: Delivery,
  { webhooks, nowMs, signal, permit }: Sending,
): Promise<Receipt> {
  const address = readAddress(to);
  const text = textOf(part);
  if (address === undefined || text === undefined)
    throw new DeliveryError("rejected", "Expected an inbound address and part, got those of another adapter");
  const webhook = webhooks().find(({ name }) => name === address.webhook);
  if (webhook === undefined)
    throw new DeliveryError("rejected", "The inbound webhook that it came by is not configured any more");
  const { callback } = webhook;
  // Whoever sent it looks the answer up, or wants none.
  if (callback === null) return { messageId: null, via: "kept" };
  const id = messageIdOf(partId);
  const data = {
    ...{ webhook: webhook.name, id: address.id, event_id: address.eventId },
    ...{ conversation: address.conversation, text, may_repeat: mayRepeat },
  };
  const body = JSON.stringify({ type: "reply", timestamp: iso(nowMs), data });
  const message = { id, timestampSeconds: Math.floor(nowMs / 1000), body };
  return await toldCall({ platform: "in", method: "callback" }, async () => {
    const { status, headers } = await call(callback.url, {
      ...{ what: "inbound callback", setting: "inbound[].callback.url", body, signal, permit },
      headers: {
        ...webhookHeaders(message, callback.secrets),
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(body)),
      },
      timeoutMs: callback.timeoutMs,
      bytesMax: ANSWER_BYTES_MAX,
    });
    if (status >= 200 && status <= 299) return { messageId: id, via: "callback" };
    throw new DeliveryError(
      status === 401 ? "refused" : kindOfStatus(status),
      `inbound callback: HTTP ${status}`,
      { status, retryAfterMs: retryAfterMs(headers["retry-after"], nowMs) },
    );
  });
}

/** The same for the same part, however often it is sent, so that whoever gets it tells a copy; whatever signs an id has. */
function messageIdOf(partId: string): string {
  return `msg_${createHash("sha256").update(partId).digest("hex").slice(0, 32)}`;
}
