import { createHmac } from "node:crypto";
import type { Secret } from "./secret.ts";

const PREFIX = "whsec_";
/** Fewer could be guessed. */
const KEY_BYTES_MIN = 16;

export interface SignedMessage {
  /** The same for the same message, however often it is sent. */
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: string;
}

/** Whether it is a secret as Standard Webhooks has them: `whsec_`, and a key in base64. */
export function isWebhookSecret(text: string): boolean {
  if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text)) return false;
  return keyOf(text).length >= KEY_BYTES_MIN;
}

/** The headers of a message, as https://www.standardwebhooks.com says. While a secret is rotated, each has signed. */
export function webhookHeaders(
  { id, timestampSeconds, body }: SignedMessage,
  secret: Secret | readonly Secret[],
): Readonly<Record<string, string>> {
  const signatures = [secret].flat().map((one) => {
    const hmac = createHmac("sha256", keyOf(one.reveal())).update(`${id}.${timestampSeconds}.${body}`);
    return `v1,${hmac.digest("base64")}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signatures.join(" "),
  };
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice(PREFIX.length), "base64");
}
