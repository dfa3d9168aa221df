import {
  GENUINE,
  PROBE,
  type RawRequest,
  type RequestHead,
  type TurnedAway,
  type Verdict,
} from "../../src/ports/adapter.ts";
import { hmacMatches } from "../../src/shared/hmac.ts";
import { mediaType } from "../../src/shared/json.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { outsideWindow, WINDOW_SECONDS } from "../shared/signed-at.ts";

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
  const { signature, timestamp } = proofOf(request);
  if (signature === "" && timestamp === "" && isProbe(request)) return PROBE;
  const wrong = judgeHead(request);
  if (wrong !== null) return wrong;
  const matches = hmacMatches(secrets, [`v0:${timestamp}:`, request.body], signature.slice("v0=".length));
  return matches ? GENUINE : turnedAway("mismatch");
}

/** Without its two headers only a probe is worth reading, which is small and says so. */
export function screenSlack(head: RequestHead): TurnedAway | null {
  const { signature, timestamp } = proofOf(head);
  const mayBeProbe = isForm(head) && Number(head.header("content-length")) <= PROBE_BYTES_MAX;
  return signature === "" && timestamp === "" && mayBeProbe ? null : judgeHead(head);
}

function proofOf(head: RequestHead): { signature: string; timestamp: string } {
  return {
    signature: head.header("x-slack-signature") ?? "",
    timestamp: head.header("x-slack-request-timestamp") ?? "",
  };
}

function judgeHead(head: RequestHead): TurnedAway | null {
  const { signature, timestamp } = proofOf(head);
  if (signature === "") return turnedAway("noSignature");
  if (timestamp === "") return turnedAway("noTimestamp");
  if (!/^\d{1,12}$/.test(timestamp)) return turnedAway("badTimestamp");
  if (!SIGNATURE.test(signature)) return turnedAway("badSignature");
  const outside = outsideWindow(timestamp, head.receivedAtMs);
  return outside === null ? null : turnedAway(outside);
}

const SIGNATURE = /^v0=[0-9a-f]{64}$/i;

function turnedAway(why: keyof typeof REASONS): TurnedAway {
  return { kind: why === "old" || why === "ahead" ? "stale" : "forged", reason: REASONS[why] };
}

/** Slack checks a certificate with an unsigned form. It gets a 200 and is otherwise not read. */
function isProbe(request: RawRequest): boolean {
  return (
    request.body.length <= PROBE_BYTES_MAX &&
    isForm(request) &&
    /(?:^|&)ssl_check=1(?:&|$)/.test(request.body.toString("latin1"))
  );
}

function isForm(head: RequestHead): boolean {
  return mediaType(head.header("content-type")) === "application/x-www-form-urlencoded";
}
