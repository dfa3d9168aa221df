import type { GatewayError } from "../domain/errors.ts";
import { RETRY_AFTER_SECONDS } from "./bounds.ts";

const CODES = {
  400: "malformed",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  415: "unsupported_media_type",
  422: "refused",
  426: "upgrade_required",
  429: "rate_limited",
  500: "internal",
  503: "unavailable",
} as const;
export type ProblemStatus = keyof typeof CODES;

/** What a handler answers; headers that every answer has come on top. */
export interface ApiResponse {
  readonly status: number;
  /** JSON, unless it is a stream. */
  readonly body: object | ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export function problem(
  status: ProblemStatus,
  message: string,
  headers: Record<string, string> = {},
): ApiResponse {
  return { status, body: { error: { code: CODES[status], message } }, headers };
}

/** The same request may succeed later. It may have been carried out, too, where only the answer was lost. */
export function unavailable(message: string): ApiResponse {
  return problem(503, message, { "retry-after": String(RETRY_AFTER_SECONDS) });
}

export function storeAway({ code, message }: GatewayError): ApiResponse {
  return unavailable(`${code}: ${message}`);
}

export const OFF = problem(
  404,
  "The admin API is off; set PARLEY_ADMIN_TOKEN, at least 32 characters, and start again",
);
/** With the token of one tenant. */
export function tooManyRequests(waitSeconds: number): ApiResponse {
  const message = `Expected fewer requests with one token, got too many; wait for ${waitSeconds} s`;
  return problem(429, message, { "retry-after": String(waitSeconds) });
}

const UNAUTHORIZED = problem(
  401,
  "Expected the bearer token of PARLEY_ADMIN_TOKEN, or one of a tenant, got none or another",
  { "www-authenticate": "Bearer" },
);

/** `waitSeconds`: its sender has sent many others; null: not yet. */
export function refusedToken(waitSeconds: number | null): ApiResponse {
  if (waitSeconds === null) return UNAUTHORIZED;
  return problem(429, `Expected the token, got many others; wait for ${waitSeconds} s`, {
    "retry-after": String(waitSeconds),
  });
}
