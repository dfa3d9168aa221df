import type { Ack } from "../ports/adapter.ts";

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

export type ErrorStatus = 400 | 401 | 403 | 404 | 413 | 415 | 429 | 500 | 503;

const CODES: Readonly<Record<ErrorStatus, string>> = {
  400: "malformed",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  413: "too_large",
  415: "unsupported_media_type",
  429: "rate_limited",
  500: "internal",
  503: "unavailable",
};

export function errorAnswer(
  status: ErrorStatus,
  message: string,
  requestId: string,
  extra?: Record<string, string>,
): Response {
  return jsonAnswer(status, { error: { code: CODES[status], message } }, requestId, extra);
}

export function jsonAnswer(
  status: number,
  body: unknown,
  requestId: string,
  extra?: Record<string, string>,
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...SECURITY_HEADERS, "x-request-id": requestId, "content-type": "application/json", ...extra },
  });
}

/** What a platform is told. Headers are a plain object: the server writes those without building a Headers. */
export function ackAnswer(ack: Ack, requestId: string): Response {
  const headers: Record<string, string> = { ...SECURITY_HEADERS, "x-request-id": requestId };
  if (ack.contentType !== undefined) headers["content-type"] = ack.contentType;
  return new Response(ack.body ?? "", { status: ack.status, headers });
}
