import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Permit } from "../../src/shared/call.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { readAddress, type WhatsAppAddress } from "./address.ts";
import { createClient, type WhatsAppClient } from "./client.ts";
import { parseWhatsApp } from "./parse.ts";
import { probeWhatsApp } from "./probe.ts";
import { bodyOf, renderReply, withNotice } from "./render.ts";
import { Seen } from "./seen.ts";
import { screenWhatsApp, verifyWhatsApp } from "./verify.ts";

export interface WhatsAppOptions {
  readonly accessToken: Secret;
  /** One, or two during a rotation. */
  readonly appSecrets: readonly Secret[];
  /** What the operator typed into Meta's webhook form. */
  readonly verifyToken: Secret;
  /** The one number served; events of others are ignored. */
  readonly phoneNumberId: string;
  /** Where the Graph API is, for tests and proxies; without the version. */
  readonly apiUrl?: string;
  /** Versions live about two years. */
  readonly apiVersion?: string;
  readonly clock: Pick<Clock, "nowMs">;
  /** For one call to Meta, from connecting to the last byte. */
  readonly timeoutMs: number;
}

/** WhatsApp Cloud API. Throws CONFIG_INVALID when a secret is missing: nothing unverified may be served. */
export function createWhatsAppAdapter(options: WhatsAppOptions): Adapter {
  checkOptions(options);
  const client = createClient({
    ...options,
    apiUrl: options.apiUrl ?? "https://graph.facebook.com",
    apiVersion: options.apiVersion ?? "v26.0",
  });
  const seen = new Seen();
  return {
    platform: "whatsapp",
    screen: screenWhatsApp,
    verify: (request) => verifyWhatsApp(request, options),
    parse: (request) => parseWhatsApp(request, options.phoneNumberId, seen),
    accepted: (event) => seen.heard(event),
    render: (markdown) => renderReply(markdown),
    send: (delivery, signal, permit) =>
      send(delivery, { client, seen, nowMs: options.clock.nowMs(), signal, permit }),
    probe: (signal) => probeWhatsApp(client, options.phoneNumberId, signal),
    // There is no idempotency key and no reading back: a lost answer stays in doubt.
    recover: async () => "unknown",
    async typing(to, signal) {
      const address = readAddress(to);
      // Once: the indicator stays until the reply, or for 25 s. Not broken off, which would cost the connection.
      if (address === undefined || signal.aborted) return;
      await client.markRead(address.phoneNumberId, address.messageId, UNSTOPPED).catch(() => {});
    },
  };
}

const UNSTOPPED = new AbortController().signal;

interface Sending {
  readonly client: WhatsAppClient;
  readonly seen: Seen;
  readonly nowMs: number;
  readonly signal: AbortSignal;
  readonly permit: Permit | undefined;
}

async function send(delivery: Delivery, { client, seen, nowMs, signal, permit }: Sending): Promise<Receipt> {
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
  for (const text of delivery.mayRepeat ? withNotice(body) : [body]) {
    const message = textMessage(text, delivery, address);
    messageId = await client.sendMessage(address.phoneNumberId, message, signal, permit);
    seen.said(messageId, text, address);
  }
  return { messageId, via: "messages" };
}

function textMessage(body: string, delivery: Delivery, address: WhatsAppAddress): JsonObject {
  return {
    recipient_type: "individual",
    ...("to" in address ? { to: address.to } : { recipient: address.recipient }),
    // The first part quotes the question; a quote on every part would fill the screen.
    ...(delivery.index === 0 && { context: { message_id: address.messageId } }),
    type: "text",
    // A preview would make Meta fetch whatever address a model writes.
    text: { preview_url: false, body },
    // Comes back in the statuses of this message.
    biz_opaque_callback_data: delivery.partId,
  };
}

function checkOptions({ accessToken, appSecrets, verifyToken, phoneNumberId }: WhatsAppOptions): void {
  const blank = (secret: Secret) => secret.reveal() === "";
  if (appSecrets.length < 1 || appSecrets.length > 2 || appSecrets.some(blank)) {
    throw new GatewayError(
      "CONFIG_INVALID",
      `Expected one or two non-empty WhatsApp app secrets, got ${appSecrets.length}`,
    );
  }
  if (blank(accessToken) || blank(verifyToken) || phoneNumberId === "") {
    throw new GatewayError(
      "CONFIG_INVALID",
      "Expected a WhatsApp access token, a verify token and a phone number id, got an empty one",
    );
  }
}
