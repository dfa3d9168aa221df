import { createHash } from "node:crypto";
import { z } from "zod";
import { HOOK_TYPES } from "../domain/hook.ts";
import { Secret } from "../shared/secret.ts";
import { isWebhookSecret } from "../shared/standard-webhooks.ts";
import { agentName, count, httpUrl, seconds } from "./schema-parts.ts";

/** What came may be a secret all the same. */
const A_SECRET = "expected whsec_ and at least 16 bytes in base64, or a list of two, got something else";
const secret = z
  .string({ error: A_SECRET })
  .max(200, { error: A_SECRET })
  .refine(isWebhookSecret, { error: A_SECRET })
  .transform((text) => new Secret(text));

/** One, or two while one is rotated. */
export const webhookSecrets = z.union([secret.transform((one) => [one]), z.array(secret).min(1).max(2)], {
  error: A_SECRET,
});

const hook = z
  .strictObject({
    name: agentName
      .optional()
      .describe(
        "For metrics, log and commands. Default: made of the address; another address is another hook.",
      ),
    url: httpUrl.describe(
      "Where messages are posted; private addresses may be meant, and redirects are not followed.",
    ),
    secret: webhookSecrets.describe(
      "What messages are signed with, as a variable: `whsec_` and a key in base64. A list of two while one is rotated.",
    ),
    events: z
      .array(z.enum(HOOK_TYPES))
      .min(1)
      .default([...HOOK_TYPES])
      .describe("What it is told of. Default: all."),
    include_text: z
      .boolean()
      .default(false)
      .describe("Whether what was asked and answered goes with it, as long as the event is kept."),
    timeout_seconds: seconds(60).default(10).describe("For one call."),
    attempts: count(1, 30)
      .default(16)
      .describe(
        "Calls of a message, at growing intervals (5 s to 4 h), before it is given up: 16 are most of a day.",
      ),
  })
  .transform((given) => ({ ...given, name: given.name ?? nameOf(given.url) }));

/** Standard Webhooks out (docs/hooks.md). */
export const hooksSchema = z
  .array(hook)
  .max(50)
  .superRefine((hooks, context) => {
    for (const [i, { name }] of hooks.entries()) {
      const first = hooks.findIndex((one) => one.name === name);
      if (first === i) continue;
      const message = `expected hooks with names of their own, got one named as hooks[${first}] is; give it a name`;
      context.addIssue({ code: "custom", path: [i], message });
    }
  })
  .default([])
  .describe("Whom to tell what happens: signed webhooks, tried again until they are taken (docs/hooks.md).");

export type HookSpec = z.output<typeof hook>;

/** It names the address without giving it away. */
function nameOf(url: string): string {
  return `hook-${createHash("sha256").update(url).digest("hex").slice(0, 8)}`;
}
