import type { Inbound, VerifiedRequest } from "../../src/ports/adapter.ts";
import { readJsonObject } from "../../src/shared/json.ts";
import { readWebhook } from "./event.ts";
import type { Seen } from "./seen.ts";
import { handshakeField } from "./verify.ts";

const CHALLENGE = /^[\x21-\x7e]{1,256}$/;

/** A webhook as JSON; a GET is the handshake of Meta's form. */
export function parseWhatsApp(
  request: VerifiedRequest,
  phoneNumberId: string,
  seen: Pick<Seen, "item">,
): Inbound {
  if (request.method === "GET") return answerHandshake(request.target);
  const parsed = readJsonObject(request.body);
  if (!parsed.ok) return { kind: "malformed", message: parsed.message };
  return readWebhook(parsed.value, phoneNumberId, seen);
}

function answerHandshake(target: string): Inbound {
  const challenge = handshakeField(target, "hub.challenge");
  if (challenge === undefined || !CHALLENGE.test(challenge)) {
    return { kind: "malformed", message: "Expected hub.challenge to be 1 to 256 printable ASCII characters" };
  }
  return { kind: "handshake", ack: { status: 200, contentType: "text/plain", body: challenge } };
}
