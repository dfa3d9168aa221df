import type { CallToolResult } from "@modelcontextprotocol/client";
import { theirWords } from "../../domain/text.ts";
import type { ToolOutput } from "../../ports/tool.ts";

type Block = CallToolResult["content"][number];

/** What a tool gave, as text for the model. It comes from outside: the brackets of our own lines do not stand in it. */
export function outputOf(
  result: Pick<CallToolResult, "content" | "isError" | "structuredContent">,
): ToolOutput {
  const { content, isError = false, structuredContent } = result;
  const parts = content.map(textOf).filter((part) => part !== "");
  const isBare = parts.length === 0 && structuredContent !== undefined;
  const text = isBare ? JSON.stringify(structuredContent) : parts.join("\n");
  return { text: theirWords(text) || "(no output)", isError };
}

function textOf(block: Block): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "image":
    case "audio":
      return `[${block.type} ${short(block.mimeType)}, ${bytesOf(block.data)}, which cannot be shown]`;
    case "resource_link":
      return `[resource ${short(block.name)} at ${short(block.uri)}${ofType(block.mimeType)}]`;
    case "resource":
      return resourceText(block.resource);
    default:
      return "[something that this version does not know]";
  }
}

function resourceText(resource: Extract<Block, { type: "resource" }>["resource"]): string {
  const head = `resource ${short(resource.uri)}${ofType(resource.mimeType)}`;
  if ("text" in resource) return `[${head}]\n${resource.text}`;
  return `[${head}, ${bytesOf(resource.blob)}, which cannot be shown]`;
}

function ofType(mime: string | undefined): string {
  return mime === undefined ? "" : `, ${short(mime)}`;
}

function bytesOf(base64: string): string {
  return `${Math.ceil((base64.length * 3) / 4 / 1000)} kB`;
}

const SHORT_CHARS_MAX = 300;
function short(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, SHORT_CHARS_MAX).toWellFormed();
}
