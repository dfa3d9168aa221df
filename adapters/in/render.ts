import type { ReplyPart } from "../../src/domain/reply.ts";
import { get, parseJsonObject } from "../../src/shared/json.ts";

/** A program gets the Markdown as it is, whole. */
export function renderReply(markdown: string): readonly ReplyPart[] {
  const text = markdown.trim() === "" ? "(empty reply)" : markdown.toWellFormed();
  return [JSON.stringify({ text }) as ReplyPart];
}

/** Undefined for what this adapter did not render. */
export function textOf(part: ReplyPart): string | undefined {
  const parsed = parseJsonObject(part);
  const text = parsed.ok ? get(parsed.value, "text") : undefined;
  return typeof text === "string" ? text : undefined;
}
