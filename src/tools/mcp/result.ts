import type { CallToolResult } from "@modelcontextprotocol/client";
import type { ToolPicture } from "../../domain/run.ts";
import { theirWords } from "../../domain/text.ts";
import type { FoundFile, ToolOutput } from "../../ports/tool.ts";
import { pictureType } from "../../shared/picture.ts";
import { FILES_MAX, PICTURE_BYTES_MAX, PICTURES_MAX } from "../bounds.ts";

type Block = CallToolResult["content"][number];

interface McpOutput extends ToolOutput {
  readonly files?: readonly FoundFile[];
}

/**
 * What a tool gave, for the model: text, with the pictures that it can be shown. It comes from outside: the brackets of our
 * own lines do not stand in it, and the bytes say what a picture is. With `sendsFiles`, what it made is for people, too.
 */
export function outputOf(
  result: Pick<CallToolResult, "content" | "isError" | "structuredContent">,
  sendsFiles = false,
): McpOutput {
  const { content, isError = false, structuredContent } = result;
  const files = sendsFiles ? content.flatMap(fileOf).slice(0, FILES_MAX) : [];
  const pictures: ToolPicture[] = [];
  const parts = content.map((block) => textOf(block, pictures)).filter((part) => part !== "");
  const isBare = parts.length === 0 && structuredContent !== undefined;
  const text = isBare ? JSON.stringify(structuredContent) : parts.join("\n");
  return {
    text: theirWords(text) || "(no output)",
    isError,
    ...(pictures.length > 0 && { pictures }),
    ...(files.length > 0 && { files }),
  };
}

/** What is said in text alone is for the model. */
function fileOf(block: Block): FoundFile[] {
  if (block.type === "image" || block.type === "audio") {
    const { mimeType: mime, data } = block;
    return [{ name: nameFor(mime), mime, data: Buffer.from(data, "base64") }];
  }
  if (block.type !== "resource") return [];
  const { resource } = block;
  const { uri, mimeType: mime } = resource;
  const data = "text" in resource ? Buffer.from(resource.text) : Buffer.from(resource.blob, "base64");
  return [{ name: nameIn(uri) || nameFor(mime), mime, data }];
}

/** `chart.png` of `file:///tmp/chart.png?v=1`. */
function nameIn(uri: string): string {
  const last =
    short(uri)
      .replace(/[?#].*$/s, "")
      .split("/")
      .at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** `image.svg` of `image/svg+xml`. */
function nameFor(mime = ""): string {
  const [, kind = "file", form = ""] = /^(image|audio|video)\/([a-z0-9]{1,10})(?:\+|;|$)/i.exec(mime) ?? [];
  const stem = kind.toLowerCase();
  return form === "" ? stem : `${stem}.${form.toLowerCase()}`;
}

function textOf(block: Block, pictures: ToolPicture[]): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "image":
    case "audio":
      return bytesText(`${block.type} ${short(block.mimeType)}`, block.data, pictures);
    case "resource_link":
      return `[resource ${short(block.name)} at ${short(block.uri)}${ofType(block.mimeType)}]`;
    case "resource":
      return resourceText(block.resource, pictures);
    default:
      return "[something that this version does not know]";
  }
}

function resourceText(
  resource: Extract<Block, { type: "resource" }>["resource"],
  pictures: ToolPicture[],
): string {
  const head = `resource ${short(resource.uri)}${ofType(resource.mimeType)}`;
  if ("text" in resource) return `[${head}]\n${resource.text}`;
  return bytesText(head, resource.blob, pictures);
}

/** Names it, and adds it to the pictures where it is one that a model can be shown. */
function bytesText(head: string, base64: string, pictures: ToolPicture[]): string {
  const named = `[${head}, ${bytesOf(base64)}`;
  const bytes = Math.floor((base64.length * 3) / 4);
  const mime = pictureType(Buffer.from(base64.slice(0, 64), "base64"));
  if (mime === null) return `${named}, which cannot be shown]`;
  if (bytes > PICTURE_BYTES_MAX) return `${named}, which is too large to be shown]`;
  if (pictures.length >= PICTURES_MAX) return `${named}, one image too many to be shown]`;
  // As it is sent on, it must be what it seems: a provider refuses the whole request for one that it cannot read.
  pictures.push({ mime, base64: Buffer.from(base64, "base64").toString("base64") });
  return `${named}]`;
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
