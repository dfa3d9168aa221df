import { Secret } from "../../src/shared/secret.ts";
import { isWebhookSecret, webhookHeaders } from "../../src/shared/standard-webhooks.ts";
import type { Sampler } from "../shared/sample.ts";

/** Requests to `/webhooks/in/<name>`, the name in `channel`, signed as Standard Webhooks says. */
export const inboundSampler: Sampler = {
  kinds: ["message"],
  build({ kind, text, id, nowMs, secret, user, channel = "default", thread }) {
    if (kind !== "message") throw new RangeError(`Expected kind to be message, got ${kind}`);
    if (!isWebhookSecret(secret))
      throw new TypeError("expected whsec_ and at least 16 bytes in base64, got something else");
    const body = JSON.stringify({
      text,
      ...(user !== undefined && { user }),
      ...(thread !== undefined && { conversation: thread }),
    });
    const message = { id, timestampSeconds: Math.floor(nowMs / 1000), body };
    return {
      method: "POST",
      path: `/webhooks/in/${encodeURIComponent(channel)}`,
      headers: { "content-type": "application/json", ...webhookHeaders(message, new Secret(secret)) },
      body,
    };
  },
};
