import { DeliveryError, GatewayError } from "../domain/errors.ts";
import { redacted } from "../domain/redact.ts";

/** What whoever threw it says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's name for it, such as ENOENT. */
export function errnoOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? "an error";
}

/** For whoever is to find a fault of ours. */
export function storyOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** For the operator: the code and the message, both ours; never what a person wrote, and no secret. */
export function describe(error: unknown): string {
  if (error instanceof GatewayError) return `${error.code}: ${error.message}`;
  return redacted(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

/** Errors that come before a byte of the request has left: the message was certainly not said. */
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** The two ends did not agree on a TLS connection: what OpenSSL says of a certificate, and of an end without TLS. */
const NO_TLS = /^(?:CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT_|ERR_SSL_WRONG_VERSION_NUMBER$)/;

/** A failure below HTTP. Anything after the connection stood may have reached the platform. */
export function networkFailure(error: unknown, what: string): DeliveryError {
  const code = errorCode(error);
  const detail = code ?? (error instanceof Error ? error.name : typeof error);
  return code !== undefined && isNeverSent(code)
    ? new DeliveryError("retry", `${what}: could not connect (${detail})`, { cause: error })
    : new DeliveryError("unknown", `${what}: connection lost or timed out (${detail})`, { cause: error });
}

export function isRejected(error: unknown): error is DeliveryError {
  return error instanceof DeliveryError && error.kind === "rejected";
}

export function isRefused(error: unknown): error is DeliveryError {
  return error instanceof DeliveryError && error.kind === "refused";
}

/**
 * Throws what the last way said, and of a rejection also why the first was over: an operator who reads of the second
 * alone would look for the fault in the wrong place.
 */
export function rejectedLast(error: unknown, firstWayOver: string): never {
  if (!isRejected(error)) throw error;
  const { message, status } = error;
  throw new DeliveryError("rejected", `${message}; ${firstWayOver}`, { status });
}

function isNeverSent(code: string): boolean {
  return NEVER_SENT.has(code) || NO_TLS.test(code);
}

const CAUSES_MAX = 5;

/** An error and what has led to it, also where fetch or an SDK has wrapped that; the outermost first. */
export function* causesOf(error: unknown): Generator<Error & { readonly code?: unknown }, void> {
  let at = error;
  for (let depth = 0; at instanceof Error && depth < CAUSES_MAX; depth++) {
    yield at;
    at = at.cause ?? (at as { readonly original?: unknown }).original;
  }
}

/** The system code of a network error, also when fetch or an SDK has wrapped it. */
function errorCode(error: unknown): string | undefined {
  for (const { code } of causesOf(error)) {
    if (typeof code === "string" && (isNeverSent(code) || /^(?:E[A-Z]+|UND_ERR_\w+)$/.test(code)))
      return code;
  }
  return undefined;
}

/**
 * What a failing status says about the message.
 *
 * | status | |
 * |-|-|
 * | 429, 500, 502, 503 | `retry`: taken for not said |
 * | 408, 504, any other 5xx | `unknown`: somebody on the way stopped waiting; it may have got through |
 * | any other | `rejected` |
 */
export function kindOfStatus(status: number): DeliveryError["kind"] {
  if (status === 429 || status === 500 || status === 502 || status === 503) return "retry";
  return status === 408 || status >= 500 ? "unknown" : "rejected";
}

/** `Retry-After` in seconds (or an HTTP date) to milliseconds; null when absent or senseless. Capped at an hour. */
export function retryAfterMs(header: string | null | undefined, nowMs: number): number | null {
  if (header == null || header === "") return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, 3_600_000) : null;
}
