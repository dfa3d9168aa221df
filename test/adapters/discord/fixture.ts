import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import nacl from "tweetnacl";
import { createVerifier } from "../../../adapters/discord/verify.ts";
import type { Inbound, RawRequest } from "../../../src/ports/adapter.ts";
import { rawRequest } from "../../contract/raw-request.ts";

/** Key 1 of RFC 8032, which signed the fixtures; and one that nobody trusts. */
export const SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
export const PUBLIC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
export const OTHER_SEED = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
export const OTHER_PUBLIC_KEY = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
export const NOW_MS = 1_717_000_001_000;

const folder = join(import.meta.dirname, "../../fixtures/discord");

export const FIXTURES = readdirSync(folder).map((file) => file.replace(/\.json$/, ""));

/** A recorded request, with its headers and signature. */
export function fixture(name: string): RawRequest {
  const { headers, body } = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as {
    headers: Record<string, string>;
    body: string;
  };
  return rawRequest({ method: "POST", path: "/webhooks/discord", headers, body }, { nowMs: NOW_MS });
}

/** A request with this body, signed or not: the parser does not look. */
export function request(body: Buffer | string | object, headers: Record<string, string> = {}): RawRequest {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === "string" ? body : JSON.stringify(body), "utf8");
  const path = "/webhooks/discord";
  const raw = rawRequest({ method: "POST", path, headers, body: "" }, { nowMs: NOW_MS });
  return { ...raw, body: bytes };
}

export function signed(body: Buffer, timestamp: string, seedHex = SEED): RawRequest {
  const { secretKey } = nacl.sign.keyPair.fromSeed(new Uint8Array(Buffer.from(seedHex, "hex")));
  const message = Buffer.concat([Buffer.from(timestamp), body]);
  return request(body, {
    "content-type": "application/json",
    "x-signature-ed25519": Buffer.from(nacl.sign.detached(new Uint8Array(message), secretKey)).toString(
      "hex",
    ),
    "x-signature-timestamp": timestamp,
  });
}

export const verifyDiscord = createVerifier([PUBLIC_KEY]);

export function bodyOf(name: string): Record<string, unknown> {
  return JSON.parse(fixture(name).body.toString("utf8")) as Record<string, unknown>;
}

/** What the answer says, for those that have one. */
export function ackOf(inbound: Inbound): unknown {
  if (!("ack" in inbound)) return undefined;
  const { status, body } = inbound.ack;
  return body === undefined ? status : { status, body: JSON.parse(body) as unknown };
}
