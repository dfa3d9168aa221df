import type { ReplyPart } from "../../src/domain/reply.ts";
import { getString, parseJsonObject } from "../shared/json.ts";
import { renderSlack } from "./dialect.ts";

/** Said when there is nothing to say: Slack refuses a message without text. */
const EMPTY = "_(no text)_";
const REPEAT_NOTE = "_(This may be a repeat: the connection was lost while answering.)_";

/** Markdown to messages in Slack's dialect, each within the limit; at least one. */
export function renderParts(markdown: string): readonly ReplyPart[] {
  const texts = renderSlack(markdown).filter((text) => text.trim() !== "");
  return (texts.length > 0 ? texts : [EMPTY]).map(writePart);
}

function writePart(text: string): ReplyPart {
  return JSON.stringify({ text: text.toWellFormed() }) as ReplyPart;
}

/** The text of a part that this adapter rendered; null for anything else. */
export function readPart(part: ReplyPart): string | null {
  const parsed = parseJsonObject(part);
  return (parsed.ok ? getString(parsed.value, "text") : undefined) ?? null;
}

export function markedAsRepeat(text: string): string {
  return `${REPEAT_NOTE}\n${text}`;
}
