import { DeliveryError } from "../../src/domain/errors.ts";
import { kindOfStatus, retryAfterMs } from "../shared/http.ts";

/** `ok: false` that passes by itself. */
const PASSING = new Set([
  "ratelimited",
  "rate_limited",
  "message_limit_exceeded",
  "internal_error",
  "service_unavailable",
]);
/** `ok: false` after which the message may still have been posted. */
const DOUBTFUL = new Set(["fatal_error", "request_timeout"]);

export interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
}

/** Slack's `error` as a failure; texts that are no code of Slack's are not repeated. */
export function codeFailure(code: string, what: string, answered: Answered, nowMs: number): DeliveryError {
  const options = { status: answered.status, retryAfterMs: retryAfterMs(answered.retryAfter, nowMs) };
  if (!isCode(code))
    return new DeliveryError("unknown", `${what}: expected JSON, got something else`, options);
  if (PASSING.has(code)) return new DeliveryError("retry", `${what}: ${code}`, options);
  return new DeliveryError(DOUBTFUL.has(code) ? "unknown" : "rejected", `${what}: ${code}`, options);
}

/** A status that is a failure by itself; null for the 200 that carries Slack's own verdict. */
export function statusFailure(what: string, answered: Answered, nowMs: number): DeliveryError | null {
  const { status } = answered;
  if (status >= 200 && status < 300) return null;
  const options = { status, retryAfterMs: retryAfterMs(answered.retryAfter, nowMs) };
  return new DeliveryError(kindOfStatus(status), `${what}: HTTP ${status}`, options);
}

function isCode(code: string): boolean {
  return /^[a-z][a-z0-9_]{0,63}$/.test(code);
}
