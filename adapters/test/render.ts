import type { ReplyPart } from "../../src/domain/reply.ts";
import { get, parseJsonObject } from "../../src/shared/json.ts";

/** Developers see Markdown as it is written, in one part. */
export function renderReply(text: string): readonly ReplyPart[] {
  return [JSON.stringify({ text }) as ReplyPart];
}

/** May be empty; undefined for what this adapter did not render. */
export function textOf(part: ReplyPart): string | undefined {
  const parsed = parseJsonObject(part);
  const text = parsed.ok ? get(parsed.value, "text") : undefined;
  return typeof text === "string" ? text : undefined;
}
