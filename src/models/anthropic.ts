import type Anthropic from "@anthropic-ai/sdk";
import type { StopReason, ToolCall, Usage } from "../domain/run.ts";
import type { Clock } from "../ports/clock.ts";
import type { ChatModel, Chunk } from "../ports/model.ts";
import type { Secret } from "../shared/secret.ts";
import type { ModelGate } from "./account.ts";
import { opaqueOf, requestFor } from "./anthropic-request.ts";
import { heardBy } from "./heard.ts";
import { ceilingCents, costCents, type Price } from "./price.ts";
import { inputTokensMax, PAGE_TEXT_TOKENS, withoutFiles } from "./prompt-parts.ts";
import type { ProviderName } from "./provider-errors.ts";
import { timed } from "./timed.ts";
import { Citations, searchCents, searchedTokensMax, type WebSearch, withoutFound } from "./web-search.ts";

export interface AnthropicOptions extends ClaudeOptions {
  readonly apiKey: Secret;
  /** Default: the provider's own address. */
  readonly baseUrl?: string;
}

/** Of Claude, wherever it is called. */
export interface ClaudeOptions {
  readonly model: string;
  /** Upper bound on the answer, reasoning included. */
  readonly maxTokens: number;
  /** For one call, from the request to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly price: Price;
  readonly clock: Clock;
  readonly gate?: ModelGate;
  /** Absent: it does not search the web. */
  readonly webSearch?: WebSearch;
}

/** Its image, as dear as the dearest, and its text. */
const PAGE_TOKENS_MAX = 5_000 + PAGE_TEXT_TOKENS;

/** What streams an answer. */
export type ClaudeClient = { readonly messages: Pick<Anthropic["messages"], "stream"> };

export interface ClaudeProvider {
  readonly name: "anthropic" | "bedrock";
  readonly words: ProviderName;
  /** Asked with the first call: a gateway on the demo model never needs the SDK. */
  readonly client: () => Promise<ClaudeClient>;
}

/** What goes for every client: retries belong to the run, which knows its time and its budget. */
export const CLIENT_OPTIONS = {
  maxRetries: 0,
  // Log lines and spans may hold prompts; a redirect would carry them, and the key, elsewhere.
  logLevel: "off",
  openTelemetry: false,
  fetchOptions: { redirect: "manual" },
} as const;

export function createAnthropicModel(options: AnthropicOptions): ChatModel {
  return createClaudeModel(options, {
    name: "anthropic",
    words: { title: "Anthropic", baseUrlVariable: "ANTHROPIC_BASE_URL" },
    client: () => createClient(options),
  });
}

/** Claude through the Messages API. */
export function createClaudeModel(options: ClaudeOptions, provider: ClaudeProvider): ChatModel {
  const { model, price, webSearch } = options;
  let client: Promise<ClaudeClient> | null = null;
  return {
    provider: provider.name,
    name: model,
    readsPdfs: true,
    ...(options.gate && { gate: options.gate }),
    costCeilingCents(prompt) {
      const { words, pictures, pdfPages } = withoutFiles(prompt);
      const { words: body, foundTokens } = withoutFound(requestFor(words, options));
      const pictureTokens = pictures.reduce((sum, { tokensMax }) => sum + tokensMax, 0);
      const fileTokens = pictureTokens + pdfPages * PAGE_TOKENS_MAX;
      const inputTokens = inputTokensMax(body, body.messages.length) + fileTokens + foundTokens;
      const most = { inputTokens, outputTokens: body.max_tokens };
      if (webSearch === undefined || prompt.isForSummary === true) return ceilingCents(price, most);
      const searched = { ...most, inputTokens: searchedTokensMax(webSearch, most) };
      return ceilingCents(price, searched) + searchCents(webSearch, webSearch.usesMax);
    },
    async *generate(prompt, signal, heard) {
      signal.throwIfAborted();
      client ??= provider.client();
      const ready = await client;
      const body = requestFor(prompt, options);
      yield* timed({ provider: provider.words, ...options }, signal, (until, onBegin) =>
        stream(ready, body, options, until, { onBegin, heard }),
      );
    },
  };
}

async function createClient({ apiKey, baseUrl, timeoutMs, gate }: AnthropicOptions): Promise<Anthropic> {
  const { Anthropic: Client } = await import("@anthropic-ai/sdk");
  return new Client({
    apiKey: () => Promise.resolve(apiKey.reveal()),
    ...(baseUrl !== undefined && { baseURL: baseUrl }),
    timeout: timeoutMs,
    ...(gate && { fetch: heardBy(gate) }),
    ...CLIENT_OPTIONS,
  });
}

async function* stream(
  client: ClaudeClient,
  body: Anthropic.MessageStreamParams,
  options: ClaudeOptions,
  signal: AbortSignal,
  { onBegin, heard }: { readonly onBegin: () => void; readonly heard: (() => void) | undefined },
): AsyncGenerator<Chunk> {
  const events = client.messages.stream(body, { signal });
  events.on("connect", onBegin);
  // By an event, and not by the status before it: one that has sent no more than that is silent all the same.
  const citations = new Citations();
  for await (const event of events) {
    heard?.();
    if (event.type === "content_block_delta") {
      if (event.delta.type === "text_delta") yield { kind: "text", text: event.delta.text };
      else if (event.delta.type === "citations_delta") citations.add(event.delta.citation);
    } else if (event.type === "content_block_stop") {
      const text = citations.taken();
      if (text !== "") yield { kind: "text", text };
    }
  }
  // The iterator ends quietly on a failure that nobody was waiting for; this tells.
  yield* endOf(await events.finalMessage(), options);
}

function* endOf(message: Anthropic.Message, options: ClaudeOptions): Generator<Chunk> {
  const stop = stopOf(message.stop_reason);
  // Of an answer that was cut, the last tool call may be cut too.
  if (stop === "tools") for (const call of toolCallsIn(message)) yield { kind: "tool-call", call };
  const opaque = opaqueOf(message.content, options.model);
  yield {
    kind: "end",
    stop,
    usage: usageOf(message.usage, options),
    ...(opaque !== undefined && { opaque }),
  };
}

function toolCallsIn(message: Anthropic.Message): ToolCall[] {
  return message.content.flatMap((block) =>
    block.type === "tool_use" ? [{ id: block.id, name: block.name, input: block.input }] : [],
  );
}

function stopOf(reason: Anthropic.StopReason | null): StopReason {
  switch (reason) {
    case "tool_use":
      return "tools";
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    case "pause_turn":
      return "pause";
    case "refusal":
      return "refusal";
    default:
      return "end";
  }
}

/** The provider counts cached input apart; ours includes it. */
function usageOf(usage: Anthropic.Usage, { price, webSearch }: ClaudeOptions): Usage {
  const cacheReadTokens = usage.cache_read_input_tokens ?? 0;
  const cacheWriteTokens = usage.cache_creation_input_tokens ?? 0;
  const counted = {
    inputTokens: usage.input_tokens + cacheReadTokens + cacheWriteTokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens,
    cacheWriteTokens,
  };
  const searches = usage.server_tool_use?.web_search_requests ?? 0;
  // Not asked for, but whatever stands between may: a proxy that caches by itself.
  const hourTokens = Math.min(usage.cache_creation?.ephemeral_1h_input_tokens ?? 0, cacheWriteTokens);
  return { ...counted, costCents: costCents(price, counted, hourTokens) + searchCents(webSearch, searches) };
}
