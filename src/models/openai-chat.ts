import type OpenAI from "openai";
import { ModelError } from "../domain/errors.ts";
import type { StopReason, ToolCall } from "../domain/run.ts";
import type { Message, Prompt } from "../ports/model.ts";
import { argumentsIn, type Counted, type OpenAiApi } from "./openai-api.ts";
import { spokenText, unseen } from "./prompt-parts.ts";

type Chat = OpenAI.Chat.Completions.ChatCompletionMessageParam;
type Body = OpenAI.Chat.Completions.ChatCompletionCreateParamsStreaming;
type Finish = OpenAI.Chat.Completions.ChatCompletionChunk.Choice["finish_reason"];
type CallDelta = OpenAI.Chat.Completions.ChatCompletionChunk.Choice.Delta.ToolCall;

/** Ample; a server that says more has lost its way. */
const CALLS_MAX = 128;

/** Chat completions, as most compatible servers speak them (vLLM, Ollama, llama.cpp, LiteLLM). */
export const chatApi: OpenAiApi<Body> = {
  // Most compatible servers refuse a request with one.
  readsPdfs: () => false,

  requestFor(prompt, { model, maxTokens, baseUrl, temperature }) {
    const system: Chat[] =
      prompt.system.trim() === "" ? [] : [{ role: "system", content: prompt.system.toWellFormed() }];
    const most = Math.max(1, Math.min(prompt.maxTokens, maxTokens));
    return {
      model,
      stream: true,
      stream_options: { include_usage: true },
      // OpenAI's newer models refuse the old name, many other servers do not know the new one.
      ...(baseUrl === undefined ? { max_completion_tokens: most } : { max_tokens: most }),
      ...(temperature !== undefined && { temperature }),
      messages: [...system, ...prompt.messages.map(messageFrom)],
      ...(prompt.tools.length > 0 && { tools: prompt.tools.map(toolFrom) }),
    };
  },

  async *stream(client, body, { signal, onBegin, heard, usageOf }) {
    const chunks = await client.chat.completions.create(body, { signal });
    onBegin();
    const calls: Draft[] = [];
    let finish: Finish = null;
    let counted: Counted | null = null;
    let saidBytes = 0;
    for await (const chunk of chunks) {
      heard?.();
      counted = countedIn(chunk.usage) ?? counted;
      const [choice] = chunk.choices ?? [];
      finish = choice?.finish_reason ?? finish;
      const { content, tool_calls: deltas } = choice?.delta ?? {};
      for (const delta of deltas ?? []) saidBytes += take(delta, calls);
      if (typeof content !== "string" || content === "") continue;
      saidBytes += Buffer.byteLength(content);
      yield { kind: "text", text: content };
    }
    if (finish === null)
      throw new ModelError("MODEL_STREAM_CUT", "OpenAI: the answer ended before it was whole", {
        retryable: true,
      });
    const stop = stopOf(finish, calls.length > 0);
    // Of an answer that was cut, the last tool call may be cut too.
    if (stop === "tools") for (const call of calls.map(callOf)) yield { kind: "tool-call", call };
    yield { kind: "end", stop, usage: usageOf(counted, saidBytes) };
  },
};

/** A call of a tool as far as it has come. */
interface Draft {
  id: string;
  name: string;
  json: string;
}

/** Gives the bytes that it brought. Some servers say the index of a call, some give each whole, without one. */
function take({ index, id, function: part }: CallDelta, calls: Draft[]): number {
  const at = Number.isInteger(index) ? index : calls.length;
  if (at < 0 || at >= CALLS_MAX)
    throw new ModelError("MODEL_REQUEST_REJECTED", `OpenAI: more than ${CALLS_MAX} calls of tools at once`, {
      retryable: false,
    });
  while (calls.length <= at) calls.push({ id: "", name: "", json: "" });
  const call = calls[at];
  if (call === undefined) return 0;
  call.id ||= id ?? "";
  call.name ||= part?.name ?? "";
  call.json += part?.arguments ?? "";
  return Buffer.byteLength(part?.arguments ?? "");
}

function callOf({ id, name, json }: Draft, at: number): ToolCall {
  return { id: id === "" ? `call_${at}` : id, name, input: argumentsIn(json) };
}

function stopOf(finish: NonNullable<Finish>, hasCalls: boolean): StopReason {
  if (finish === "length") return "length";
  if (finish === "content_filter") return "refusal";
  // Some servers say `stop` all the same.
  return hasCalls ? "tools" : "end";
}

function countedIn(usage: OpenAI.CompletionUsage | null | undefined): Counted | null {
  if (usage === null || usage === undefined) return null;
  const cacheReadTokens = usage.prompt_tokens_details?.cached_tokens ?? 0;
  return {
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    cacheReadTokens,
    cacheWriteTokens: 0,
  };
}

function messageFrom(message: Message): Chat {
  if (message.role === "tool")
    return {
      role: "tool",
      tool_call_id: message.callId,
      content: `${message.result.toWellFormed()}${unseen(message.pictures)}`,
    };
  if (message.role === "assistant") {
    const content = message.text.trim() === "" ? null : message.text.toWellFormed();
    if (message.toolCalls.length === 0) return { role: "assistant", content: content ?? "(no text)" };
    return { role: "assistant", content, tool_calls: message.toolCalls.map(toolCallFrom) };
  }
  const text = spokenText(message).toWellFormed();
  if (message.pictures === undefined || message.pictures.length === 0) return { role: "user", content: text };
  const pictures = message.pictures.map(({ mime, base64 }) => ({
    type: "image_url" as const,
    image_url: { url: `data:${mime};base64,${base64()}` },
  }));
  return { role: "user", content: [...pictures, { type: "text", text }] };
}

function toolCallFrom({ id, name, input }: ToolCall): OpenAI.Chat.Completions.ChatCompletionMessageToolCall {
  return { id, type: "function", function: { name, arguments: JSON.stringify(input ?? {}) } };
}

function toolFrom({
  name,
  description,
  inputSchema,
}: Prompt["tools"][number]): OpenAI.Chat.Completions.ChatCompletionTool {
  return {
    type: "function",
    function: { name, description, parameters: { type: "object", ...inputSchema } },
  };
}
