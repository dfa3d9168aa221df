import { createHmac, timingSafeEqual } from "node:crypto";
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

const SIGNATURE = /^v1,([A-Za-z0-9+/]{43}=)$/;
/** Of versions to come, which stand beside it. */
const ANY_SIGNATURE = /^v\d{1,2}[a-z]?,[A-Za-z0-9+/=_-]{1,200}$/;
/** As many as a message may have, while secrets are rotated on the other side. */
const SIGNATURES_MAX = 10;
const HEADER_CHARS_MAX = SIGNATURES_MAX * 210;

/** Whether a header is a list of signatures, at least one of which can be checked. */
export function isSignatureList(header: string): boolean {
  if (header.length > HEADER_CHARS_MAX) return false;
  const all = header.split(" ");
  const isWhole = all.length <= SIGNATURES_MAX && all.every((one) => ANY_SIGNATURE.test(one));
  return isWhole && signaturesIn(header).length > 0;
}

/**
 * Whether any of these signatures is of any of the secrets, of which two may be live. Compares in constant time, and always
 * with every one. The header is a list of them (isSignatureList).
 */
export function isSignedBy(
  secrets: readonly Secret[],
  { id, timestamp, body }: { readonly id: string; readonly timestamp: string; readonly body: Buffer },
  header: string,
): boolean {
  const given = signaturesIn(header).map((text) => Buffer.from(text, "base64"));
  let isSigned = false;
  for (const value of secrets.flatMap((secret) => secret.live())) {
    const expected = createHmac("sha256", keyOf(value)).update(`${id}.${timestamp}.`).update(body).digest();
    for (const one of given) if (timingSafeEqual(expected, one)) isSigned = true;
  }
  return isSigned;
}

function signaturesIn(header: string): readonly string[] {
  return header.split(" ").flatMap((one) => SIGNATURE.exec(one)?.[1] ?? []);
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice(PREFIX.length), "base64");
}
