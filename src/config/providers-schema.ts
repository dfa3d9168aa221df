import { z } from "zod";
import { count } from "./schema-parts.ts";

const CALLS_MAX = 10_000;

const providerOf = (what: string) =>
  z
    .strictObject({
      concurrent_calls: z
        .union([z.literal("off"), count(1, CALLS_MAX)], {
          error: `expected a number of calls from 1 to ${CALLS_MAX}, or \`off\``,
        })
        .default("off")
        .describe(
          "With one key, and by one process; more wait in line, and go back to the queue after a minute. Or `off`.",
        ),
    })
    .prefault({})
    .describe(`Calls of ${what} at the same time.`);

export const providersSchema = z
  .strictObject({
    anthropic: providerOf("Claude"),
    bedrock: providerOf("models on Amazon Bedrock"),
    openai: providerOf("OpenAI's models, or of a server that is compatible"),
  })
  .prefault({})
  .describe(
    "Whatever is set, no call is made while the provider's own headers say that nothing is left, until the limit is reset.",
  );
