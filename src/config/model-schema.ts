import { z } from "zod";
import { Secret } from "../shared/secret.ts";
import { count, notYet, seconds } from "./schema-parts.ts";

interface Given {
  readonly provider: string;
  readonly model?: string | undefined;
  readonly base_url?: string | undefined;
  readonly api?: string | undefined;
  readonly api_key?: Secret | undefined;
}

/** What only some providers know. */
const OPENAI_ALONE = ["base_url", "api", "api_key"] as const;

function fits(given: Given, context: z.RefinementCtx): void {
  const { provider, model } = given;
  // There is only one demo model.
  if (model === undefined && provider !== "demo")
    context.addIssue({ code: "custom", path: ["model"], message: "expected text" });
  for (const key of OPENAI_ALONE) {
    if (given[key] === undefined || provider === "openai") continue;
    const instead = provider === "anthropic" && key === "base_url" ? "; set ANTHROPIC_BASE_URL" : "";
    const message = `expected ${key} with provider: openai alone, got it with ${provider}${instead}`;
    context.addIssue({ code: "custom", path: [key], message });
  }
}

function named<T extends Given>(spec: T): T & { model: string } {
  return { ...spec, model: spec.model ?? spec.provider };
}

const dollars = z.number().min(0).max(1_000_000);
const rates = z.strictObject({
  input_per_million: dollars,
  output_per_million: dollars,
  cache_read_per_million: dollars
    .optional()
    .describe("As `input_per_million` when absent, so that a cost is never too low."),
  cache_write_per_million: dollars.optional().describe("1.25 times `input_per_million` when absent."),
});
const price = z
  .union([rates, z.literal("free")], {
    error: "expected input_per_million and output_per_million in US dollars, or free",
  })
  .describe(
    "US dollars per million tokens, for a model whose price is not known, or with your own contract; or `free`.",
  );

const PROVIDERS = ["anthropic", "openai", "demo"] as const;
const provider = z.enum(PROVIDERS, { error: notYet(PROVIDERS, ["http", "bedrock"]) });
const modelName = z.string().min(1).max(200);
const of = {
  model: modelName.optional().describe("The provider's name of the model; `demo` needs none."),
  price: price.optional(),
  base_url: z
    .url({ protocol: /^https?$/, error: "expected an http:// or https:// address" })
    .max(2_000)
    .transform((url) => url.replace(/\/+$/, ""))
    .optional()
    .describe(
      "Of `openai`: a server that speaks as OpenAI's does, up to and with `/v1`. Default OPENAI_BASE_URL.",
    ),
  api: z
    .enum(["responses", "chat"])
    .optional()
    .describe(
      "Of `openai`: `responses`, or `chat` for servers that only know chat completions. Default `responses`.",
    ),
  api_key: z
    .string()
    .min(1)
    .max(4_096)
    .transform((key) => new Secret(key))
    .optional()
    .describe("Of `openai`: for this server, as a variable. Default OPENAI_API_KEY."),
};
const fallback = z.strictObject({ provider, ...of });
const MODEL_EXAMPLE = "expected a mapping such as { provider: anthropic, model: claude-sonnet-5 }";

/** The `model` of an agent. */
export const model = z
  .strictObject(
    {
      provider: provider.describe(
        "`anthropic`, `openai` (also servers that are compatible with it), or `demo`, which needs no key and repeats what it is told.",
      ),
      ...of,
      max_tokens: count(1, 1_000_000).default(4_096).describe("Longest single answer of the model."),
      timeout_seconds: seconds(3_600).default(300).describe("Longest single call of the model."),
      fallback: z
        .array(fallback.superRefine(fits).transform(named))
        .max(5)
        .default([])
        .describe("Models asked in this order when the one before cannot answer."),
    },
    { error: ({ code }) => (code === "invalid_type" ? MODEL_EXAMPLE : undefined) },
  )
  .superRefine(fits)
  .transform(named);

/** US dollars per million tokens. */
export type PriceSpec = z.output<typeof price>;
