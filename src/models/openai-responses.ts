import type OpenAI from "openai";
import type { PdfView, PictureView } from "../domain/attachment.ts";
import { ModelError } from "../domain/errors.ts";
import type { StopReason, ToolCall } from "../domain/run.ts";
import type { Chunk, Message, Prompt } from "../ports/model.ts";
import { echoFrom, echoOf, isKept } from "./echo.ts";
import { argumentsIn, type Counted, type OpenAiApi } from "./openai-api.ts";
import { spokenText, unseen } from "./prompt-parts.ts";

type Responses = OpenAI.Responses.Response;
type Body = OpenAI.Responses.ResponseCreateParamsStreaming;
type Item = OpenAI.Responses.ResponseInputItem;

/**
 * The Responses API. Nothing is kept on the provider's side (`store: false`): the transcript is ours, and reasoning
 * comes back encrypted, to be given back with the next step.
 */
export const responsesApi: OpenAiApi<Body> = {
  readsPdfs: (model) => SEES.test(model),

  requestFor(prompt, { model, maxTokens, temperature }) {
    const { system } = prompt;
    return {
      model,
      stream: true,
      store: false,
      max_output_tokens: Math.max(OUTPUT_TOKENS_MIN, Math.min(prompt.maxTokens, maxTokens)),
      ...(temperature !== undefined && { temperature }),
      input: prompt.messages.flatMap((message) => itemsOf(message, model)),
      ...(system.trim() !== "" && { instructions: system.toWellFormed() }),
      ...(prompt.tools.length > 0 && { tools: prompt.tools.map(toolFrom) }),
      ...(reasons(model) && { include: ["reasoning.encrypted_content"] }),
    };
  },

  async *stream(client, body, { signal, model, onBegin, heard, usageOf }) {
    const events = await client.responses.create(body, { signal });
    onBegin();
    let last: Responses | null = null;
    let saidBytes = 0;
    for await (const event of events) {
      heard?.();
      if (event.type === "response.output_text.delta") {
        saidBytes += Buffer.byteLength(event.delta);
        yield { kind: "text", text: event.delta };
      } else if (event.type === "error") throw failed(event.code);
      else if (event.type === "response.failed") throw failed(event.response.error?.code ?? null);
      else if (event.type === "response.completed" || event.type === "response.incomplete")
        last = event.response;
    }
    if (last === null) throw cut();
    yield* endOf(last, model, usageOf(countedIn(last), saidBytes));
  },
};

/** Models of OpenAI with eyes. Another, of a server that speaks as it does, may refuse a request with a PDF. */
const SEES = /^(ft:)?(gpt-(4o|4\.|[5-9]|\d\d)|chatgpt-|o1(?!-mini|-preview)|o3(?!-mini)|o[4-9])/;

/** The API refuses less. */
const OUTPUT_TOKENS_MIN = 16;

/** Older models refuse to be asked for encrypted reasoning, which they have not. */
function reasons(model: string): boolean {
  return !/^(ft:)?(gpt-3|gpt-4|chatgpt)/.test(model);
}

function itemsOf(message: Message, model: string): Item[] {
  if (message.role === "user") {
    const text = spokenText(message);
    const pictures = (message.pictures ?? []).map(imageFrom);
    const pdfs = (message.pdfs ?? []).map(fileFrom);
    return [
      { role: "user", content: [...pdfs, ...pictures, { type: "input_text", text: text.toWellFormed() }] },
    ];
  }
  if (message.role === "tool") {
    const text = message.result.toWellFormed();
    const { callId: call_id, pictures = [] } = message;
    const words = { type: "input_text" as const, text };
    // Another server may take no more than text there.
    const isSeen = pictures.length > 0 && SEES.test(model);
    const output = isSeen ? [words, ...pictures.map(imageFrom)] : `${text}${unseen(pictures)}`;
    return [{ type: "function_call_output", call_id, output }];
  }
  const echo = echoFrom<Item>(message.opaque, "openai", model);
  if (echo !== null)
    return echo.filter((item) => item.type !== "function_call" || isKept(item.call_id, message.toolCalls));
  const said: Item[] =
    message.text.trim() === "" ? [] : [{ role: "assistant", content: message.text.toWellFormed() }];
  return [...said, ...message.toolCalls.map(callFrom)];
}

function imageFrom({ mime, base64 }: PictureView): OpenAI.Responses.ResponseInputImage {
  return { type: "input_image", detail: "auto", image_url: `data:${mime};base64,${base64()}` };
}

function fileFrom({ name, base64 }: PdfView): OpenAI.Responses.ResponseInputFile {
  const file_data = `data:application/pdf;base64,${base64()}`;
  return { type: "input_file", filename: name.toWellFormed(), file_data };
}

function callFrom({ id, name, input }: ToolCall): Item {
  return { type: "function_call", call_id: id, name, arguments: JSON.stringify(input ?? {}) };
}

function toolFrom({
  name,
  description,
  inputSchema,
}: Prompt["tools"][number]): OpenAI.Responses.FunctionTool {
  const parameters = { type: "object", ...inputSchema };
  // Strict would refuse schemas with optional fields; arguments are checked where the tool is called.
  return { type: "function", name, description, parameters, strict: false };
}

function* endOf(response: Responses, model: string, usage: ReturnType<Usages>): Generator<Chunk> {
  const calls = response.output.flatMap((item) => (item.type === "function_call" ? [item] : []));
  const stop = stopOf(response, calls.length > 0);
  if (stop === "tools") {
    for (const { call_id: id, name, arguments: json } of calls)
      yield { kind: "tool-call", call: { id, name, input: argumentsIn(json) } };
  }
  const opaque = opaqueOf(response, model);
  yield { kind: "end", stop, usage, ...(opaque !== undefined && { opaque }) };
}
type Usages = Parameters<OpenAiApi<Body>["stream"]>[2]["usageOf"];

function stopOf(response: Responses, hasCalls: boolean): StopReason {
  const why = response.incomplete_details?.reason;
  if (why === "content_filter") return "refusal";
  if (response.status === "incomplete") return "length";
  if (hasCalls) return "tools";
  const isRefused = response.output.some(
    (item) => item.type === "message" && item.content.some(({ type }) => type === "refusal"),
  );
  return isRefused ? "refusal" : "end";
}

function countedIn({ usage }: Responses): Counted | null {
  if (usage === undefined || usage === null) return null;
  const { input_tokens_details: input } = usage;
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: input?.cached_tokens ?? 0,
    cacheWriteTokens: input?.cache_write_tokens ?? 0,
  };
}

/** An answer with reasoning comes back item for item. Undefined for a plain one, which can be rebuilt. */
function opaqueOf({ output }: Responses, model: string): string | undefined {
  const isPlain = output.every(({ type }) => type === "message" || type === "function_call");
  return isPlain ? undefined : echoOf("openai", model, output);
}

/** Of an answer that had begun. */
function failed(code: string | null): ModelError {
  const word = code !== null && /^[\w.-]{1,80}$/.test(code) ? code : "no reason";
  if (code === "rate_limit_exceeded" || code === "server_error" || code === null)
    return new ModelError("MODEL_STREAM_CUT", `OpenAI: the answer broke off (${word})`, { retryable: true });
  if (code === "insufficient_quota")
    return new ModelError("MODEL_BILLING", `OpenAI: ${word}`, { retryable: false });
  return new ModelError("MODEL_REQUEST_REJECTED", `OpenAI: ${word}`, { retryable: false });
}

function cut(): ModelError {
  return new ModelError("MODEL_STREAM_CUT", "OpenAI: the answer ended before it was whole", {
    retryable: true,
  });
}
