import { BODY_BYTES_MAX } from "../../src/domain/bounds.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Adapter, WebhookSpec } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { OpenContext } from "../../src/ports/platform.ts";
import { besideModule } from "../../src/shared/beside.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { UNSTOPPED } from "../shared/signals.ts";
import { readAddress } from "./address.ts";
import { createClient } from "./api.ts";
import { BUTTON_LIMITS } from "./buttons.ts";
import { createFileReader } from "./downloads.ts";
import { WORDS } from "./explain.ts";
import { OUTGOING } from "./media.ts";
import { parseWhatsApp } from "./parse.ts";
import { probeWhatsApp } from "./probe.ts";
import { renderReply } from "./render.ts";
import { Seen } from "./seen.ts";
import { sendPart } from "./send.ts";
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
  /** To which hosts answers may link; to any by default. */
  readonly linkHosts?: OpenContext["linkHosts"];
  readonly clock: Pick<Clock, "nowMs">;
  /** For one call to Meta, from connecting to the last byte. */
  readonly timeoutMs: number;
}

/** WhatsApp Cloud API. Throws CONFIG_INVALID when a secret is missing: nothing unverified may be served. */
export function createWhatsAppAdapter(options: WhatsAppOptions): Adapter {
  checkOptions(options);
  const apiUrl = options.apiUrl ?? "https://graph.facebook.com";
  const client = createClient({
    ...options,
    apiUrl,
    apiVersion: options.apiVersion ?? "v26.0",
  });
  const seen = new Seen();
  return {
    platform: "whatsapp",
    webhook: WEBHOOK,
    ignored: WORDS.ignored,
    screen: screenWhatsApp,
    verify: (request) => verifyWhatsApp(request, options),
    parse: (request) => parseWhatsApp(request, options.phoneNumberId, seen),
    accepted: (event) => seen.heard(event),
    render: (markdown, to, buttons, named) =>
      renderReply(markdown, to, buttons, named, options.linkHosts?.()),
    buttons: BUTTON_LIMITS,
    renderer: RENDERER,
    send: (delivery, signal, permit) =>
      sendPart(delivery, { client, seen, nowMs: options.clock.nowMs(), signal, permit }),
    files: createFileReader({ ...options, client, apiUrl }),
    outgoing: OUTGOING,
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

const RENDERER = besideModule(import.meta.url, "render");
/** Only the handshake is a GET. */
const WEBHOOK: WebhookSpec = { paths: [""], methods: ["POST", "GET"], bytesMax: BODY_BYTES_MAX };
