import type { ServerResponse } from "node:http";
import type { Ack } from "../ports/adapter.ts";
import type { Reception } from "./reception.ts";

/** What a client is told, whichever way it is written. */
export interface HttpResponse {
  readonly status: number;
  /** Without those that go with every answer. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** Sent with every response. There is nothing here for a browser to run, frame or guess at. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-xss-protection": "0",
  "referrer-policy": "no-referrer",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "cache-control": "no-store",
};

export type ErrorStatus = 400 | 401 | 403 | 404 | 413 | 415 | 426 | 429 | 500 | 503;

const CODES: Readonly<Record<ErrorStatus, string>> = {
  400: "malformed",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  413: "too_large",
  415: "unsupported_media_type",
  426: "upgrade_required",
  429: "rate_limited",
  500: "internal",
  503: "unavailable",
};

export function errorAnswer(
  status: ErrorStatus,
  message: string,
  headers?: Record<string, string>,
): HttpResponse {
  return jsonAnswer(status, { error: { code: CODES[status], message } }, headers);
}

export function jsonAnswer(status: number, body: unknown, headers?: Record<string, string>): HttpResponse {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}

/** Of a peer that has sent many wrong tokens. The right one would have been taken. */
export function tooManyGuesses(waitSeconds: number): HttpResponse {
  return errorAnswer(429, `Expected the token, got many others; wait for ${waitSeconds} s`, {
    "retry-after": String(waitSeconds),
  });
}

/** Seconds until a platform should try again what could not be stored. */
export const RETRY_AFTER = { "retry-after": "5" };

/** What a platform is told of what became of its webhook. Of a bad signature it is told nothing more: so is a forger. */
export function answerTo({ ack, outcome, reason }: Reception): HttpResponse {
  switch (outcome) {
    case "forged":
    case "stale":
      return errorAnswer(401, "Signature missing or not valid");
    case "handshake-refused":
      return errorAnswer(403, "Handshake refused: the verify token does not match");
    case "malformed":
      return errorAnswer(400, reason ?? "Malformed request");
    case "unsupported":
      return errorAnswer(415, reason ?? "Unsupported media type");
    case "unavailable":
      return errorAnswer(503, "Not stored; send it again", RETRY_AFTER);
    default:
      return ackAnswer(ack);
  }
}

function ackAnswer({ status, contentType, body = "" }: Ack): HttpResponse {
  return { status, headers: contentType === undefined ? {} : { "content-type": contentType }, body };
}

/** For the router. */
export function toResponse({ status, headers, body }: HttpResponse, requestId: string): Response {
  return new Response(body, {
    status,
    headers: { ...SECURITY_HEADERS, "x-request-id": requestId, ...headers },
  });
}

const SECURITY_PAIRS = Object.entries(SECURITY_HEADERS).flat();

/** The same past the router. A client that has gone is told nothing. */
export function send(
  { status, headers, body }: HttpResponse,
  requestId: string,
  outgoing: ServerResponse,
): void {
  if (outgoing.destroyed) return;
  closeWhenRead(outgoing);
  const pairs = [...SECURITY_PAIRS, "x-request-id", requestId];
  for (const name in headers) pairs.push(name, headers[name] ?? "");
  pairs.push("content-length", String(Buffer.byteLength(body)));
  outgoing.writeHead(status, pairs);
  outgoing.end(body);
}

/**
 * Whoever wants the connection closed (nginx does, until it is told otherwise) and is still sending gets a reset instead
 * of the answer when it is closed at once, and a proxy then takes us for broken. So it is closed when all was read.
 */
export function closeWhenRead(outgoing: ServerResponse): void {
  const { req, shouldKeepAlive } = outgoing;
  if (shouldKeepAlive || req.complete) return;
  outgoing.shouldKeepAlive = true;
  const { socket } = req;
  outgoing.once("finish", () => {
    if (req.complete) socket.end();
    else req.once("end", () => socket.end());
  });
}
