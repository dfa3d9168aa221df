import { z } from "zod";
import { Secret } from "../shared/secret.ts";
import { isWebhookSecret } from "../shared/standard-webhooks.ts";
import { count, httpUrl, seconds } from "./schema-parts.ts";
import { serverTools } from "./server-tools-schema.ts";

interface Given {
  readonly provider: string;
  readonly model?: string | undefined;
  readonly base_url?: string | undefined;
  readonly api?: string | undefined;
  readonly api_key?: Secret | undefined;
  readonly url?: string | undefined;
  readonly secret?: Secret | undefined;
  readonly price?: unknown;
}

/** What only some providers know. */
const OPENAI_ALONE = ["base_url", "api", "api_key"] as const;
const HTTP_ALONE = ["url", "secret"] as const;

function fits(given: Given, context: z.RefinementCtx): void {
  const { provider, model } = given;
  // There is only one demo model.
  if (model === undefined && provider !== "demo" && provider !== "http")
    context.addIssue({ code: "custom", path: ["model"], message: "expected text" });
  for (const key of OPENAI_ALONE) {
    if (given[key] === undefined || provider === "openai") continue;
    const instead = provider === "anthropic" && key === "base_url" ? "; set ANTHROPIC_BASE_URL" : "";
    const message = `expected ${key} with provider: openai alone, got it with ${provider}${instead}`;
    context.addIssue({ code: "custom", path: [key], message });
  }
}

/** A remote agent has its own model, and says itself what it costs. */
function fitsRemote(given: Given, context: z.RefinementCtx): void {
  const isRemote = given.provider === "http";
  const wrong = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
  for (const key of HTTP_ALONE) {
    if (isRemote && given[key] === undefined) wrong(key, `expected ${key} with provider: http, got none`);
    if (!isRemote && given[key] !== undefined)
      wrong(key, `expected ${key} with provider: http alone, got it with ${given.provider}`);
  }
  if (!isRemote) return;
  for (const key of ["model", "price"] as const)
    if (given[key] !== undefined) wrong(key, `expected no ${key} with provider: http, got one`);
}

function named<T extends Given>(spec: T): T & { model: string } {
  const { model, provider, url } = spec;
  return { ...spec, model: model ?? (url === undefined ? provider : new URL(url).host) };
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

const provider = z.enum(["anthropic", "bedrock", "openai", "http", "demo"]);
const nextProvider = z.enum(["anthropic", "bedrock", "openai", "demo"]);
const modelName = z.string().min(1).max(200);
const of = {
  model: modelName.optional().describe("The provider's name of the model; `demo` needs none."),
  price: price.optional(),
  base_url: httpUrl
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
const remote = {
  url: httpUrl.optional().describe("Of `http`: where the remote agent is asked (docs/remote-agents.md)."),
  secret: z
    .string()
    .max(200)
    .refine(isWebhookSecret, { error: "expected whsec_ and at least 16 bytes in base64" })
    .transform((secret) => new Secret(secret))
    .optional()
    .describe("Of `http`: what requests are signed with, as a variable; `whsec_` and a key in base64."),
};
const fallback = z.strictObject({ provider: nextProvider, ...of });
export const nextModel = fallback.superRefine(fits).transform(named);

/** What somebody meant who wrote a name, as other systems have it, in place of the mapping. */
function mappingFor(given: unknown): string {
  if (given === "demo") return "{ provider: demo }";
  const text = typeof given === "string" && /^[\w.:/-]{1,100}$/.test(given) ? given : "";
  const [, named, rest] = /^(anthropic|bedrock|openai)[:/](.+)$/.exec(text) ?? [];
  if (named !== undefined) return `{ provider: ${named}, model: ${rest} }`;
  if (/^(?:gpt-|o\d)/.test(text)) return `{ provider: openai, model: ${text} }`;
  if (text.startsWith("claude-")) return `{ provider: anthropic, model: ${text} }`;
  return "{ provider: anthropic, model: claude-sonnet-5 }";
}

/** The `model` of an agent. */
export const model = z
  .strictObject(
    {
      provider: provider.describe(
        "`anthropic`, `bedrock` (Claude on Amazon Bedrock), `openai` (also servers that are compatible with it), `http` (an agent of your own, docs/remote-agents.md), or `demo`, which needs no key and repeats what it is told.",
      ),
      ...of,
      ...remote,
      max_tokens: count(1, 1_000_000).default(4_096).describe("Longest single answer of the model."),
      timeout_seconds: seconds(3_600).default(300).describe("Longest single call of the model."),
      temperature: z
        .number()
        .min(0)
        .max(2)
        .optional()
        .describe(
          "Of `openai`: how freely it chooses its words; its reasoning models refuse it. Without effect on the others.",
        ),
      server_tools: serverTools,
      fallback: z
        .array(nextModel)
        .max(5)
        .default([])
        .describe("Models asked in this order when the one before cannot answer."),
      cheaper: nextModel
        .optional()
        .describe(
          "Asked first past `warn_at` (in gateway.yaml) of a budget, of the run or of the day; and last where what is left is too little for the others.",
        ),
    },
    {
      error: ({ code, input }) =>
        code === "invalid_type" ? `expected a mapping such as ${mappingFor(input)}` : undefined,
    },
  )
  .superRefine(fits)
  .superRefine(fitsRemote)
  .superRefine(({ provider, server_tools }, context) => {
    if (server_tools === undefined || provider === "anthropic") return;
    const message = `expected server_tools with provider: anthropic alone, got it with ${provider}`;
    context.addIssue({ code: "custom", path: ["server_tools"], message });
  })
  .superRefine(({ provider, fallback: next, cheaper }, context) => {
    if (provider !== "http") return;
    const wrong = [...(next.length > 0 ? ["fallback"] : []), ...(cheaper === undefined ? [] : ["cheaper"])];
    for (const key of wrong) {
      const message = `expected no ${key} with provider: http, which answers for itself, got one`;
      context.addIssue({ code: "custom", path: [key], message });
    }
  })
  .transform(named);

/** Of a route, or of a command: in place of all that the agent's file has as its `model`. */
export const routeModel = model.superRefine(({ provider }, context) => {
  if (provider !== "http") return;
  const message = "expected another provider: a remote agent is an agent of its own, which a route names";
  context.addIssue({ code: "custom", path: ["provider"], message });
});

/** US dollars per million tokens. */
export type PriceSpec = z.output<typeof price>;
