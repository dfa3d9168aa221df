import {
  GENUINE,
  type RawRequest,
  type RequestHead,
  type TurnedAway,
  type Verdict,
} from "../../src/ports/adapter.ts";
import type { InboundWebhook } from "../../src/ports/platform.ts";
import { isSignatureList, isSignedBy } from "../../src/shared/standard-webhooks.ts";
import { outsideWindow, WINDOW_SECONDS } from "../shared/signed-at.ts";

export const REASONS = {
  method: "expected POST",
  unknown: "no webhook of this name is configured any more",
  noId: "missing webhook-id",
  noTimestamp: "missing webhook-timestamp",
  noSignature: "missing webhook-signature",
  badTimestamp: "malformed webhook-timestamp",
  badSignature: "malformed webhook-signature",
  old: `webhook-timestamp is more than ${WINDOW_SECONDS} s old`,
  ahead: `webhook-timestamp is more than ${WINDOW_SECONDS} s ahead of this clock`,
  mismatch: "webhook-signature does not match the secret",
} as const;

type Webhooks = () => readonly InboundWebhook[];

/** Standard Webhooks (standardwebhooks.com): HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<raw body>`. */
export function verifyInbound(request: RawRequest, webhooks: Webhooks): Verdict {
  const wrong = screenInbound(request, webhooks);
  if (wrong !== null) return wrong;
  const webhook = webhookOf(request.target, webhooks);
  const { id, timestamp, signature } = proofOf(request);
  const isSigned = isSignedBy(webhook?.secrets ?? [], { id, timestamp, body: request.body }, signature);
  return isSigned ? GENUINE : turnedAway("mismatch");
}

/** The headers say all but whether they were signed. */
export function screenInbound(head: RequestHead, webhooks: Webhooks): TurnedAway | null {
  if (head.method !== "POST") return turnedAway("method");
  if (webhookOf(head.target, webhooks) === undefined) return turnedAway("unknown");
  const { id, timestamp, signature } = proofOf(head);
  if (id === "") return turnedAway("noId");
  if (timestamp === "") return turnedAway("noTimestamp");
  if (signature === "") return turnedAway("noSignature");
  if (!/^\d{1,12}$/.test(timestamp)) return turnedAway("badTimestamp");
  if (!isSignatureList(signature)) return turnedAway("badSignature");
  const outside = outsideWindow(timestamp, head.receivedAtMs);
  return outside === null ? null : turnedAway(outside);
}

/** The last part of the path is its name, as it is in the configuration now. */
export function webhookOf(target: string, webhooks: Webhooks): InboundWebhook | undefined {
  const [path = ""] = target.split("?", 1);
  const name = path.slice(path.lastIndexOf("/") + 1);
  return webhooks().find((one) => one.name === name);
}

function proofOf(head: RequestHead) {
  return {
    id: head.header("webhook-id") ?? "",
    timestamp: head.header("webhook-timestamp") ?? "",
    signature: head.header("webhook-signature") ?? "",
  };
}

function turnedAway(why: keyof typeof REASONS): TurnedAway {
  return { kind: why === "old" || why === "ahead" ? "stale" : "forged", reason: REASONS[why] };
}
