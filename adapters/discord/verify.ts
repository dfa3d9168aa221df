import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { GatewayError } from "../../src/domain/errors.ts";
import {
  GENUINE,
  type RawRequest,
  type RequestHead,
  type TurnedAway,
  type Verdict,
} from "../../src/ports/adapter.ts";

export const SIGNATURE_HEADER = "x-signature-ed25519";
export const TIMESTAMP_HEADER = "x-signature-timestamp";

/** What precedes the 32 raw bytes in the DER form of an Ed25519 public key (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const PUBLIC_KEY_HEX = /^[0-9a-f]{64}$/i;
const SIGNATURE_HEX = /^[0-9a-f]{128}$/i;
/**
 * Timestamp and body are signed as one run of bytes, with nothing between them. Digits alone keep a captured
 * request from being cut at another place: no JSON object begins with one.
 */
const TIMESTAMP = /^\d{1,20}$/;

export const REASONS = {
  noSignature: "missing X-Signature-Ed25519",
  noTimestamp: "missing X-Signature-Timestamp",
  badSignature: "malformed X-Signature-Ed25519",
  badTimestamp: "malformed X-Signature-Timestamp",
  mismatch: "X-Signature-Ed25519 does not match the public key",
} as const;

/** Ed25519 over the timestamp header followed by the raw body. Two keys may be live while one replaces the other. */
export function createVerifier(publicKeys: readonly string[]): (request: RawRequest) => Verdict {
  if (publicKeys.length < 1 || publicKeys.length > 2) {
    throw new GatewayError("CONFIG_INVALID", `Expected 1 or 2 Discord public keys, got ${publicKeys.length}`);
  }
  // Importing a key costs more than a verification, so it is done once.
  const keys = publicKeys.map(importKey);
  return (request) => judge(request, keys);
}

function importKey(hex: string, index: number): KeyObject {
  if (!PUBLIC_KEY_HEX.test(hex)) {
    throw new GatewayError(
      "CONFIG_INVALID",
      `Expected Discord public key ${index + 1} to be 64 hexadecimal digits, got ${hex.length} characters` +
        `${hex.length === 64 ? ", not all of them hexadecimal" : ""}`,
    );
  }
  // A placeholder of zeros is a valid point of small order, under which signatures can be guessed.
  if (/^0+$/.test(hex)) {
    throw new GatewayError("CONFIG_INVALID", `Expected Discord public key ${index + 1}, got zeros`);
  }
  const key = Buffer.concat([SPKI_PREFIX, Buffer.from(hex, "hex")]);
  return createPublicKey({ key, format: "der", type: "spki" });
}

/**
 * Age is not looked at: Discord documents no window, and a replayed capture has the id of an event that was
 * accepted before.
 */
function judge(request: RawRequest, keys: readonly KeyObject[]): Verdict {
  const wrong = screenDiscord(request);
  if (wrong !== null) return wrong;
  const signature = request.header(SIGNATURE_HEADER) ?? "";
  const timestamp = request.header(TIMESTAMP_HEADER) ?? "";
  const message = Buffer.concat([Buffer.from(timestamp, "utf8"), request.body]);
  const bytes = Buffer.from(signature, "hex");
  return keys.some((key) => verify(null, message, key, bytes)) ? GENUINE : forged(REASONS.mismatch);
}

/** Whether both headers are there and of their form. */
export function screenDiscord(head: RequestHead): TurnedAway | null {
  const signature = head.header(SIGNATURE_HEADER) ?? "";
  const timestamp = head.header(TIMESTAMP_HEADER) ?? "";
  if (signature === "") return forged(REASONS.noSignature);
  if (timestamp === "") return forged(REASONS.noTimestamp);
  if (!SIGNATURE_HEX.test(signature)) return forged(REASONS.badSignature);
  return TIMESTAMP.test(timestamp) ? null : forged(REASONS.badTimestamp);
}

function forged(reason: (typeof REASONS)[keyof typeof REASONS]): TurnedAway {
  return { kind: "forged", reason };
}

/** Where there is no key, nobody is known. */
export const UNKNOWN: TurnedAway = forged(REASONS.mismatch);
