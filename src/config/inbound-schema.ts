import { z } from "zod";
import { webhookSecrets } from "./hooks-schema.ts";
import { agentName, httpUrl, seconds } from "./schema-parts.ts";

/** `{/build/id}`, `{}`, and words around them; nothing in braces that is neither. */
const template = z
  .string()
  .min(1)
  .max(2_000)
  .refine((text) => !/\{(?!(?:\/[^{}]*)?\})/.test(text), {
    error: "expected JSON pointers in braces, such as {/build/id}, or {} for the whole body",
  });

const callback = z.strictObject({
  url: httpUrl.describe(
    "Where answers are posted, and nowhere else; private addresses may be meant, and redirects are not followed.",
  ),
  secret: webhookSecrets.describe(
    "What answers are signed with, as a variable; another than what comes is signed with.",
  ),
  timeout_seconds: seconds(60).default(10).describe("For one call."),
});

const webhook = z
  .strictObject({
    name: agentName.describe("The last part of its path: /webhooks/in/NAME."),
    secret: webhookSecrets.describe(
      "What it is signed with, as a variable: `whsec_` and a key in base64. A list of two while one is rotated.",
    ),
    agent: agentName
      .optional()
      .describe("Who answers. Absent: as the routes have it (`match: { platform: in, tenant: NAME }`)."),
    text: template
      .default("{/text}")
      .describe(
        "What is asked: words, with JSON pointers in braces for what is in the body. Default: {/text}.",
      ),
    conversation: template
      .optional()
      .describe("What belongs together, made as `text` is. Absent, or nothing: each message stands alone."),
    user: template
      .optional()
      .describe("Who asks, made as `text` is. Absent, or nothing: the name of the webhook."),
    callback: callback.optional().describe("Where answers go. Absent: nowhere; the admin API has them."),
  })
  .superRefine(({ secret, callback: to }, context) => {
    const values = (secrets: typeof secret) => secrets.flatMap((one) => one.live());
    const theirs = new Set(values(secret));
    // Or whoever reads an answer could post it here as a message of its own.
    if (to === undefined || !values(to.secret).some((value) => theirs.has(value))) return;
    const message = "expected another secret than what comes is signed with, got the same";
    context.addIssue({ code: "custom", path: ["callback", "secret"], message });
  });

/** Signed webhooks of programs (docs/inbound.md). */
export const inboundSchema = z
  .array(webhook)
  .max(100)
  .superRefine((webhooks, context) => {
    for (const [i, { name }] of webhooks.entries()) {
      const first = webhooks.findIndex((one) => one.name === name);
      if (first === i) continue;
      const message = `expected webhooks with names of their own, got one named as inbound[${first}] is`;
      context.addIssue({ code: "custom", path: [i, "name"], message });
    }
  })
  .default([])
  .describe("What programs ask agents by signed webhook, POST /webhooks/in/NAME (docs/inbound.md).");

export type InboundSpec = z.output<typeof webhook>;
