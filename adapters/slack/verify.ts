import type { Secret } from "../../src/config/secret.ts";
import type { RawRequest, Verdict } from "../../src/ports/adapter.ts";
import { hmacMatches } from "../shared/hmac.ts";
import { mediaType } from "../shared/json.ts";

/** Further than this from our clock, on either side, a request is a replay. */
const WINDOW_SECONDS = 300;
/** Slack's liveness check is a handful of fields. */
const PROBE_BYTES_MAX = 2_048;

/** `v0=` and the hex HMAC-SHA256 of `v0:<timestamp>:<raw body>` (docs.slack.dev, verifying requests). */
export function verifySlack(request: RawRequest, secrets: readonly Secret[]): Verdict {
  const signature = request.header("x-slack-signature");
  const timestamp = request.header("x-slack-request-timestamp");
  if (signature === undefined && timestamp === undefined && isProbe(request)) return "probe";
  if (signature === undefined || timestamp === undefined) return "forged";
  if (!/^\d{1,12}$/.test(timestamp) || !signature.startsWith("v0=")) return "forged";

  const ageSeconds = Math.floor(request.receivedAtMs / 1000) - Number(timestamp);
  if (Math.abs(ageSeconds) > WINDOW_SECONDS) return "stale";
  const matches = hmacMatches(secrets, [`v0:${timestamp}:`, request.body], signature.slice("v0=".length));
  return matches ? "genuine" : "forged";
}

/** Slack checks a certificate with an unsigned form. It gets a 200 and is otherwise not read. */
function isProbe(request: RawRequest): boolean {
  return (
    request.body.length <= PROBE_BYTES_MAX &&
    mediaType(request.header("content-type")) === "application/x-www-form-urlencoded" &&
    /(?:^|&)ssl_check=1(?:&|$)/.test(request.body.toString("latin1"))
  );
}
