import { DeliveryError } from "../../src/domain/errors.ts";
import { kindOfStatus, retryAfterMs } from "../../src/shared/fault.ts";

/** `ok: false` that passes by itself. */
const PASSING = new Set([
  "ratelimited",
  "rate_limited",
  "message_limit_exceeded",
  "internal_error",
  "service_unavailable",
]);
/** `ok: false` to anything that is called with this token: the installation is out of order, not the message. */
const REFUSED = new Set([
  "invalid_auth",
  "not_authed",
  "account_inactive",
  "token_revoked",
  "token_expired",
  "org_login_required",
  "team_access_not_granted",
]);
/** `ok: false` after which the message may still have been posted. */
const DOUBTFUL = new Set(["fatal_error", "request_timeout"]);

export interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
}

/**
 * Slack's `error` as a failure:
 *
 * | error | |
 * |-|-|
 * | of PASSING | `retry` |
 * | of REFUSED: the token | `refused`: every message waits until it is taken again |
 * | of DOUBTFUL | `unknown` |
 * | any other (`missing_scope`, `not_in_channel`, …) | `rejected`: this message, here |
 *
 * Texts that are no code of Slack's are not repeated. */
export function codeFailure(code: string, what: string, answered: Answered, nowMs: number): DeliveryError {
  const options = { status: answered.status, retryAfterMs: retryAfterMs(answered.retryAfter, nowMs) };
  if (!isCode(code))
    return new DeliveryError("unknown", `${what}: expected JSON, got something else`, options);
  if (PASSING.has(code)) return new DeliveryError("retry", `${what}: ${code}`, options);
  if (REFUSED.has(code)) return new DeliveryError("refused", `${what}: ${code}`, options);
  return new DeliveryError(DOUBTFUL.has(code) ? "unknown" : "rejected", `${what}: ${code}`, options);
}

/** Whether Slack does not take the token, whatever is asked with it. */
export function isRefusal(code: string): boolean {
  return REFUSED.has(code);
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
