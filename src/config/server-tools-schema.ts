import { z } from "zod";
import { count } from "./schema-parts.ts";

const domain = z
  .string()
  .max(255)
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+(?:\/[\w./~*-]*)?$/, {
    error:
      "expected a domain in small letters, without scheme and port, such as example.com or docs.example.com/guide",
  });
const domains = z.array(domain).min(1).max(100);

const webSearch = z
  .strictObject({
    max_uses: count(1, 20)
      .default(3)
      .describe("Searches in one call of the model. Before each call the cost of all of them is held."),
    allowed_domains: domains
      .optional()
      .describe("Only what is found there; subdomains are among it. Absent: anywhere."),
    blocked_domains: domains.optional().describe("Nothing that is found there."),
    price_per_thousand: z
      .number()
      .min(0)
      .max(1_000_000)
      .default(10)
      .describe("US dollars for a thousand searches, beside the tokens of what is found."),
  })
  .superRefine(({ allowed_domains, blocked_domains }, context) => {
    if (allowed_domains === undefined || blocked_domains === undefined) return;
    const message = "expected one of allowed_domains and blocked_domains, got both";
    context.addIssue({ code: "custom", path: ["blocked_domains"], message });
  });

/** Tools that run at the provider, within a call of the model. */
export const serverTools = z
  .strictObject({
    web_search: webSearch.optional().describe("Anthropic's own search of the web; `{}` is enough."),
  })
  .optional()
  .describe("Of `anthropic`: tools that run there. Fallbacks of another provider go without.");
