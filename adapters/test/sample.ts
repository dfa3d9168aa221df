import type { Sampler } from "../shared/sample.ts";

/** Requests to `/webhooks/test`. `secret` is the developer's key; empty where the webhook is open. */
export const testSampler: Sampler = {
  kinds: ["message"],
  build({ kind, text, id, secret, user, channel, thread }) {
    if (kind !== "message") throw new RangeError(`Expected kind to be message, got ${kind}`);
    const conversation = thread ?? channel;
    return {
      method: "POST",
      path: "/webhooks/test",
      headers: { "content-type": "application/json", ...(secret !== "" && { "x-dev-key": secret }) },
      body: JSON.stringify({
        message: text,
        id,
        ...(user !== undefined && { user }),
        ...(conversation !== undefined && { conversation }),
      }),
    };
  },
};
