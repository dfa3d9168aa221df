import {
  GENUINE,
  type RawRequest,
  type RequestHead,
  type TurnedAway,
  type Verdict,
} from "../../src/ports/adapter.ts";
import { hmacMatches, textMatches } from "../../src/shared/hmac.ts";
import type { Secret } from "../../src/shared/secret.ts";

interface VerifyOptions {
  /** One, or two during a rotation. */
  readonly appSecrets: readonly Secret[];
  readonly verifyToken: Secret;
}

const SIGNATURE = /^sha256=([0-9a-f]{64})$/i;

export const REASONS = {
  method: "expected GET or POST",
  noSignature: "missing X-Hub-Signature-256",
  badSignature: "malformed X-Hub-Signature-256",
  mismatch: "X-Hub-Signature-256 does not match the app secret",
  notSubscribe: "hub.mode is not subscribe",
  noToken: "missing hub.verify_token",
  wrongToken: "hub.verify_token does not match the verify token",
} as const;

/**
 * GET is the handshake of the webhook form, judged by the verify token. POST carries
 * `X-Hub-Signature-256: sha256=<hex>`, the HMAC-SHA256 of the body as received under the app secret.
 * Protocol: Meta's Graph API webhooks. It has no timestamp, so nothing is ever `stale` here.
 */
export function verifyWhatsApp(request: RawRequest, options: VerifyOptions): Verdict {
  if (request.method === "GET") return judgeHandshake(request.target, options.verifyToken);
  const wrong = screenWhatsApp(request);
  if (wrong !== null) return wrong;
  const hex = SIGNATURE.exec(request.header("x-hub-signature-256") ?? "")?.[1] ?? "";
  return hmacMatches(options.appSecrets, [request.body], hex) ? GENUINE : turnedAway("forged", "mismatch");
}

/** Whether a POST has a signature of the right form; the handshake has no body. */
export function screenWhatsApp(head: RequestHead): TurnedAway | null {
  if (head.method === "GET") return null;
  if (head.method !== "POST") return turnedAway("forged", "method");
  const signature = head.header("x-hub-signature-256") ?? "";
  if (signature === "") return turnedAway("forged", "noSignature");
  return SIGNATURE.test(signature) ? null : turnedAway("forged", "badSignature");
}

function judgeHandshake(target: string, verifyToken: Secret): Verdict {
  const token = handshakeField(target, "hub.verify_token");
  if (handshakeField(target, "hub.mode") !== "subscribe") return turnedAway("refused", "notSubscribe");
  if (token === undefined) return turnedAway("refused", "noToken");
  return textMatches([verifyToken], token) ? GENUINE : turnedAway("refused", "wrongToken");
}

function turnedAway(kind: TurnedAway["kind"], why: keyof typeof REASONS): TurnedAway {
  return { kind, reason: REASONS[why] };
}

/**
 * One field of the handshake's query, by its raw dotted name; undefined when it is absent, empty or given twice.
 * A URL is not built, because `new URL` throws on targets that a stranger may send.
 */
export function handshakeField(target: string, name: string): string | undefined {
  const start = target.indexOf("?");
  if (start === -1) return undefined;
  const values = new URLSearchParams(target.slice(start + 1)).getAll(name);
  return values.length === 1 && values[0] !== "" ? values[0] : undefined;
}
