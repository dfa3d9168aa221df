import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { Secret } from "./secret.ts";

const SHA256_HEX = /^[0-9a-f]{64}$/i;

/**
 * Whether `givenHex` is the HMAC-SHA256 of the chunks under any of the secrets (two are live during a rotation).
 * Malformed hex or a wrong length is just not a match. Compares in constant time, and always with every value.
 */
export function hmacMatches(
  secrets: readonly Secret[],
  chunks: readonly (string | Buffer)[],
  givenHex: string,
): boolean {
  if (!SHA256_HEX.test(givenHex)) return false;
  const given = Buffer.from(givenHex, "hex");
  let matches = false;
  for (const value of secrets.flatMap((secret) => secret.live())) {
    const hmac = createHmac("sha256", value);
    for (const chunk of chunks) hmac.update(chunk);
    if (timingSafeEqual(hmac.digest(), given)) matches = true;
  }
  return matches;
}

/** Constant-time equality of texts of any length: their digests are compared, so nothing leaks, not even the length. */
export function textMatches(secrets: readonly Secret[], given: string): boolean {
  const digest = (text: string) => hash("sha256", text, "buffer");
  const givenDigest = digest(given);
  let matches = false;
  for (const value of secrets.flatMap((secret) => secret.live())) {
    if (timingSafeEqual(digest(value), givenDigest)) matches = true;
  }
  return matches;
}
