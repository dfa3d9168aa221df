import { createInboundAdapter } from "../../../adapters/in/adapter.ts";
import { textOf } from "../../../adapters/in/render.ts";
import { inboundSampler } from "../../../adapters/in/sample.ts";
import { REASONS } from "../../../adapters/in/verify.ts";
import { adapterContract } from "../../contract/adapter.ts";
import { fakeProgram } from "../../fakes/in.ts";
import { aWebhook, CALLBACK_SECRET, callbackTo, OTHER_SECRET, SECRET } from "./webhook.ts";

const NOW_MS = 1_780_000_000_000;

adapterContract("in", {
  async setUp({ timeoutMs }) {
    const fake = await fakeProgram(CALLBACK_SECRET);
    const webhook = aWebhook({ callback: callbackTo(fake.url, timeoutMs) });
    return {
      fake,
      adapter: createInboundAdapter({ webhooks: () => [webhook], clock: { nowMs: () => NOW_MS } }),
      textOf: (part) => textOf(part) ?? "",
      // As a program may show that it may have shown it before.
      said: () =>
        fake.said.map(({ conversation: place, text, may_repeat }) => ({
          place,
          text: may_repeat ? `${text} (may be a repeat)` : text,
        })),
    };
  },
  sampler: inboundSampler,
  eventKinds: inboundSampler.kinds,
  secret: SECRET,
  otherSecret: OTHER_SECRET,
  authHeaders: ["webhook-id", "webhook-timestamp", "webhook-signature"],
  reasons: Object.values(REASONS),
  signsBody: true,
  textCharsMax: Infinity,
  isProbed: false,
  liveMentions: [],
  rateLimited: (seconds) => ({ status: 429, headers: { "retry-after": String(seconds) }, body: {} }),
  rejected: { status: 403, body: { error: "no" } },
  refused: [{ status: 401, body: { error: "signature" } }],
  credentials: [SECRET, CALLBACK_SECRET],
});
