import type { InboundWebhook } from "../../../src/ports/platform.ts";
import { Secret } from "../../../src/shared/secret.ts";

export const SECRET = "whsec_aW5ib3VuZC1zZWNyZXQtb2YtdGVzdHM=";
export const OTHER_SECRET = "whsec_YW5vdGhlci1zZWNyZXQtdGhhbi10aGF0";
export const CALLBACK_SECRET = "whsec_Y2FsbGJhY2stc2VjcmV0LW9mLXRlc3Rz";

/** As gateway.yaml has it with a name and a secret alone. */
export function aWebhook(changes: Partial<InboundWebhook> = {}): InboundWebhook {
  return {
    ...{ name: "default", secrets: [new Secret(SECRET)], agent: null, text: "{/text}" },
    ...{ conversation: null, user: null, callback: null },
    ...changes,
  };
}

export function callbackTo(url: string, timeoutMs = 10_000): InboundWebhook["callback"] {
  return { url, secrets: [new Secret(CALLBACK_SECRET)], timeoutMs };
}
