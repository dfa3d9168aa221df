import type { Secret } from "../../src/config/secret.ts";
import { GENUINE, PROBE, type RawRequest, type TurnedAway, type Verdict } from "../../src/ports/adapter.ts";
import { hmacMatches } from "../shared/hmac.ts";
import { mediaType } from "../shared/json.ts";

/** Further than this from our clock, on either side, a request is a replay. */
const WINDOW_SECONDS = 300;
/** Slack's liveness check is a handful of fields. */
const PROBE_BYTES_MAX = 2_048;

export const REASONS = {
  noSignature: "missing X-Slack-Signature",
  noTimestamp: "missing X-Slack-Request-Timestamp",
  badSignature: "malformed X-Slack-Signature",
  badTimestamp: "malformed X-Slack-Request-Timestamp",
  old: `X-Slack-Request-Timestamp is more than ${WINDOW_SECONDS} s old`,
  ahead: `X-Slack-Request-Timestamp is more than ${WINDOW_SECONDS} s ahead of this clock`,
  mismatch: "X-Slack-Signature does not match the signing secret",
} as const;

/** `v0=` and the hex HMAC-SHA256 of `v0:<timestamp>:<raw body>` (docs.slack.dev, verifying requests). */
export function verifySlack(request: RawRequest, secrets: readonly Secret[]): Verdict {
  const signature = request.header("x-slack-signature") ?? "";
  const timestamp = request.header("x-slack-request-timestamp") ?? "";
  if (signature === "" && timestamp === "" && isProbe(request)) return PROBE;
  if (signature === "") return turnedAway("noSignature");
  if (timestamp === "") return turnedAway("noTimestamp");
  if (!/^\d{1,12}$/.test(timestamp)) return turnedAway("badTimestamp");
  if (!SIGNATURE.test(signature)) return turnedAway("badSignature");

  const ageSeconds = Math.floor(request.receivedAtMs / 1000) - Number(timestamp);
  if (Math.abs(ageSeconds) > WINDOW_SECONDS) return turnedAway(ageSeconds > 0 ? "old" : "ahead");
  const matches = hmacMatches(secrets, [`v0:${timestamp}:`, request.body], signature.slice("v0=".length));
  return matches ? GENUINE : turnedAway("mismatch");
}

const SIGNATURE = /^v0=[0-9a-f]{64}$/i;

function turnedAway(why: keyof typeof REASONS): TurnedAway {
  return { kind: why === "old" || why === "ahead" ? "stale" : "forged", reason: REASONS[why] };
}

/** Slack checks a certificate with an unsigned form. It gets a 200 and is otherwise not read. */
function isProbe(request: RawRequest): boolean {
  return (
    request.body.length <= PROBE_BYTES_MAX &&
    mediaType(request.header("content-type")) === "application/x-www-form-urlencoded" &&
    /(?:^|&)ssl_check=1(?:&|$)/.test(request.body.toString("latin1"))
  );
}
