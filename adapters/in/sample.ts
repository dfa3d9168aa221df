import { createHmac } from "node:crypto";
import type { Sampler } from "../shared/sample.ts";

/** Requests to `/webhooks/in/<name>`, the name in `channel`, signed as Standard Webhooks says. */
export const inboundSampler: Sampler = {
  kinds: ["message"],
  build({ kind, text, id, nowMs, secret, user, channel = "default", thread }) {
    if (kind !== "message") throw new RangeError(`Expected kind to be message, got ${kind}`);
    if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret))
      throw new TypeError("expected a secret that begins with whsec_, got something else");
    const body = JSON.stringify({
      text,
      ...(user !== undefined && { user }),
      ...(thread !== undefined && { conversation: thread }),
    });
    const timestamp = String(Math.floor(nowMs / 1000));
    const signature = createHmac("sha256", Buffer.from(secret.slice("whsec_".length), "base64"))
      .update([id, timestamp, body].join("."))
      .digest("base64");
    return {
      method: "POST",
      path: `/webhooks/in/${encodeURIComponent(channel)}`,
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": `v1,${signature}`,
      },
      body,
    };
  },
};
