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

/**
 * The y of every point of order 1, 2, 4 and 8, also where it is written as y + p: under such a key signatures can be
 * guessed. OpenSSL 3.5, Node 24's, refuses them; 3.0, Node 20's, takes them.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  `00${"00".repeat(31)}`,
  `01${"00".repeat(31)}`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
]);

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
  if (/^0+$/.test(hex)) {
    throw new GatewayError("CONFIG_INVALID", `Expected Discord public key ${index + 1}, got zeros`);
  }
  const point = Buffer.from(hex, "hex");
  if (isOfSmallOrder(point)) {
    throw new GatewayError(
      "CONFIG_INVALID",
      `Expected Discord public key ${index + 1}, got a point of small order, for which anybody can sign`,
    );
  }
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, point]), format: "der", type: "spki" });
}

/** The last bit is the sign of x. */
function isOfSmallOrder(point: Buffer): boolean {
  const y = Buffer.from(point);
  y[31] = (y[31] ?? 0) & 0x7f;
  return SMALL_ORDER.has(y.toString("hex"));
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
