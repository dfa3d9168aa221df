import type Anthropic from "@anthropic-ai/sdk";
import type { PdfView, PictureView } from "../domain/attachment.ts";
import type { ToolCall } from "../domain/run.ts";
import type { Message, Prompt } from "../ports/model.ts";
import { echoFrom, echoOf, isKept } from "./echo.ts";
import { spokenText } from "./prompt-parts.ts";
import { isSearching, searchTool, type WebSearch } from "./web-search.ts";

const CACHED = { type: "ephemeral" } as const;

type Body = Anthropic.MessageStreamParams;
type Block = Anthropic.ContentBlockParam;

interface Asked {
  readonly model: string;
  readonly maxTokens: number;
  readonly webSearch?: WebSearch | undefined;
}

/**
 * A prompt in the provider's form (Messages API). Two ends are marked for caching: that of the system prompt, as tools and
 * system come first and are the same for every turn of an agent, and that of what was said, which the next call begins with, too.
 * What is too short to be cached is simply not. There are no sampling knobs; the current models take none.
 */
export function requestFor(prompt: Prompt, { model, maxTokens, webSearch }: Asked): Body {
  const tools = [
    ...prompt.tools.map(toolFrom),
    ...(webSearch !== undefined && prompt.isForSummary !== true ? [searchTool(webSearch)] : []),
  ];
  const system = prompt.system.trim() === "" ? null : prompt.system.toWellFormed();
  const messages = messagesFrom(prompt.messages, model);
  return {
    model,
    max_tokens: Math.max(1, Math.min(prompt.maxTokens, maxTokens)),
    // Nothing follows on what is summarized.
    messages: prompt.isForSummary === true ? messages : cachedToTheEnd(messages),
    ...(system !== null && {
      system: [{ type: "text", text: system, cache_control: CACHED }],
    }),
    ...(tools.length > 0 && { tools }),
  };
}

/** Tool results that follow one another go back in one message, as the provider demands. */
function messagesFrom(messages: readonly Message[], model: string): Anthropic.MessageParam[] {
  const out: Anthropic.MessageParam[] = [];
  for (const message of messages) {
    const content = contentOf(message, model);
    if (content.length === 0) continue;
    const role = message.role === "assistant" ? "assistant" : "user";
    const last = out.at(-1);
    const isTold = message.role === "user" && message.isGoOn === true;
    if (isTold && Array.isArray(last?.content) && isSearching(last.content)) continue;
    if (last?.role === role && role === "user" && Array.isArray(last.content)) last.content.push(...content);
    else out.push({ role, content });
  }
  return out;
}

/** What is gone on with, as its provider has paused it, stays as it was. */
function cachedToTheEnd(messages: readonly Anthropic.MessageParam[]): Anthropic.MessageParam[] {
  const last = messages.at(-1);
  if (last?.role !== "user" || typeof last.content === "string") return [...messages];
  const end = last.content.length - 1;
  const content = last.content.map((block, at) => (at === end ? { ...block, cache_control: CACHED } : block));
  return [...messages.slice(0, -1), { role: "user", content: content as Block[] }];
}

function contentOf(message: Message, model: string): Block[] {
  if (message.role === "user") {
    const pictures = (message.pictures ?? []).map(imageBlock);
    const pdfs = (message.pdfs ?? []).map(documentBlock);
    return [...pdfs, ...pictures, textBlock(spokenText(message)) ?? { type: "text", text: "(no text)" }];
  }
  if (message.role === "tool") {
    const text = message.result.toWellFormed();
    const pictures = (message.pictures ?? []).map(imageBlock);
    const content = pictures.length === 0 ? text : [{ type: "text" as const, text }, ...pictures];
    return [{ type: "tool_result", tool_use_id: message.callId, content, is_error: message.isError }];
  }
  const echo = echoFrom<Block>(message.opaque, "anthropic", model);
  if (echo !== null) return echo.filter((block) => isEchoed(block, message.toolCalls));
  const text = textBlock(message.text);
  return [...(text === null ? [] : [text]), ...message.toolCalls.map(toolUseFrom)];
}

/** Beside what it thinks the model may say nothing but a line break, which the provider takes back from nobody. */
function isEchoed(block: Block, toolCalls: readonly ToolCall[]): boolean {
  if (block.type === "text") return textBlock(block.text) !== null;
  return block.type !== "tool_use" || isKept(block.id, toolCalls);
}

function imageBlock({ mime, base64 }: PictureView): Anthropic.ImageBlockParam {
  return { type: "image", source: { type: "base64", media_type: mime, data: base64() } };
}

function documentBlock({ name, base64 }: PdfView): Anthropic.DocumentBlockParam {
  const source = { type: "base64" as const, media_type: "application/pdf" as const, data: base64() };
  return { type: "document", source, title: name.toWellFormed() };
}

/** The provider refuses blocks of nothing but white space. */
function textBlock(text: string): Anthropic.TextBlockParam | null {
  return text.trim() === "" ? null : { type: "text", text: text.toWellFormed() };
}

function toolUseFrom(call: ToolCall): Anthropic.ToolUseBlockParam {
  return { type: "tool_use", id: call.id, name: call.name, input: call.input };
}

function toolFrom(tool: Prompt["tools"][number]): Anthropic.Tool {
  const input_schema = { type: "object" as const, ...tool.inputSchema };
  return { name: tool.name, description: tool.description, input_schema };
}

/**
 * An answer that holds more than text and tool calls (signed reasoning, what was found on the web) must come back as it was, block for block.
 * Undefined for a plain answer, which can be rebuilt.
 */
export function opaqueOf(content: readonly Anthropic.ContentBlock[], model: string): string | undefined {
  const isPlain = content.every(
    (block) => (block.type === "text" && (block.citations ?? []).length === 0) || block.type === "tool_use",
  );
  return isPlain ? undefined : echoOf("anthropic", model, content);
}
