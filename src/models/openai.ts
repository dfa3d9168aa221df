import type OpenAI from "openai";
import type { Usage } from "../domain/run.ts";
import type { Clock } from "../ports/clock.ts";
import type { ChatModel, Prompt } from "../ports/model.ts";
import type { Secret } from "../shared/secret.ts";
import type { ModelGate } from "./account.ts";
import { heardBy } from "./heard.ts";
import type { Counted, OpenAiApi } from "./openai-api.ts";
import { chatApi } from "./openai-chat.ts";
import { responsesApi } from "./openai-responses.ts";
import { ceilingCents, costCents, type Price } from "./price.ts";
import { inputTokensMax, PAGE_TEXT_TOKENS, withoutFiles } from "./prompt-parts.ts";
import { timed } from "./timed.ts";

export interface OpenAiOptions {
  /** Null: the server asks for none. */
  readonly apiKey: Secret | null;
  /** Default: the provider's own address. */
  readonly baseUrl?: string;
  /** `chat` is what most servers know that are compatible with OpenAI's. */
  readonly api: "responses" | "chat";
  readonly model: string;
  /** Upper bound on the answer, reasoning included. */
  readonly maxTokens: number;
  readonly temperature?: number | undefined;
  /** For one call, from the request to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly price: Price;
  readonly clock: Clock;
  readonly gate?: ModelGate;
}

const PROVIDER = { title: "OpenAI", baseUrlVariable: "OPENAI_BASE_URL, or model.base_url" };
/** A picture is cut into tiles that cost by the model: six of 5,667 and 2,833 for all, on the dearest known. */
const PICTURE_TOKENS_MAX = 40_000;

/** OpenAI's models, and servers that speak as theirs do. The SDK is loaded with the first call. */
export function createOpenAiModel(options: OpenAiOptions): ChatModel {
  return options.api === "chat" ? modelOf(chatApi, options) : modelOf(responsesApi, options);
}

function modelOf<Body extends object>(api: OpenAiApi<Body>, options: OpenAiOptions): ChatModel {
  const { model, price, maxTokens } = options;
  let client: Promise<OpenAI> | null = null;
  const tokensMax = (prompt: Prompt) => {
    const { words, pictures, pdfPages } = withoutFiles(prompt);
    const tokens = inputTokensMax(api.requestFor(words, options), prompt.messages.length);
    const pageTokens = pdfPages * (PICTURE_TOKENS_MAX + PAGE_TEXT_TOKENS);
    return tokens + pictures.length * PICTURE_TOKENS_MAX + pageTokens;
  };
  return {
    provider: "openai",
    name: model,
    ...(options.gate && { gate: options.gate }),
    ...(api.readsPdfs(model) && { readsPdfs: true }),
    costCeilingCents(prompt) {
      const outputTokens = Math.min(prompt.maxTokens, maxTokens);
      return ceilingCents(price, { inputTokens: tokensMax(prompt), outputTokens });
    },
    async *generate(prompt, signal, heard) {
      signal.throwIfAborted();
      client ??= createClient(options);
      const ready = await client;
      const body = api.requestFor(prompt, options);
      const usageOf = (counted: Counted | null, saidBytes: number): Usage => {
        const sure = counted ?? uncounted(tokensMax(prompt), saidBytes);
        return { ...sure, costCents: costCents(price, sure) };
      };
      yield* timed({ provider: PROVIDER, ...options }, signal, (until, onBegin) =>
        api.stream(ready, body, { signal: until, model, onBegin, heard, usageOf }),
      );
    },
  };
}

/** Of a server that does not say what it used: no token is shorter than a byte. */
function uncounted(inputTokens: number, saidBytes: number): Counted {
  return { inputTokens, outputTokens: saidBytes, cacheReadTokens: 0, cacheWriteTokens: 0 };
}

async function createClient({ apiKey, baseUrl, timeoutMs, gate }: OpenAiOptions): Promise<OpenAI> {
  const { OpenAI: Client } = await import("openai");
  return new Client({
    apiKey: () => Promise.resolve(apiKey?.reveal() ?? "none"),
    // Else taken from the environment, which belongs to the configuration alone.
    organization: null,
    project: null,
    webhookSecret: null,
    adminAPIKey: null,
    ...(baseUrl !== undefined && { baseURL: baseUrl }),
    ...(apiKey === null && { defaultHeaders: { authorization: null } }),
    // Retries belong to the run, which knows its time and its budget.
    maxRetries: 0,
    timeout: timeoutMs,
    ...(gate && { fetch: heardBy(gate) }),
    // Its log lines may hold prompts; a redirect would carry them, and the key, elsewhere.
    logLevel: "off",
    fetchOptions: { redirect: "manual" },
  });
}
