import type { ReplyPart } from "../../src/domain/reply.ts";
import { getString, parseJsonObject } from "../shared/json.ts";
import { renderDiscord } from "./dialect.ts";

/** Of one message. Discord counts code points; UTF-16 units are never fewer, so this reading is the strictest. */
export const CONTENT_CHARS_MAX = 2_000;

export const REPEAT_NOTICE = "-# This may be a repeat: the first delivery was not confirmed.";
/** Discord refuses an empty message, and would show "thinking" until the interaction ends. */
const NOTHING = "(empty reply)";

export function renderReply(markdown: string): readonly ReplyPart[] {
  const contents = renderDiscord(markdown).filter((content) => content.trim() !== "");
  return (contents.length > 0 ? contents : [NOTHING]).map(
    (content) => JSON.stringify({ content }) as ReplyPart,
  );
}

/** The text of a part; undefined for what this adapter did not render. */
export function contentOf(part: ReplyPart): string | undefined {
  const parsed = parseJsonObject(part);
  return parsed.ok ? getString(parsed.value, "content") : undefined;
}

/** The text with the notice above it; undefined when one message has no room for both. */
export function withNotice(content: string): string | undefined {
  const marked = `${REPEAT_NOTICE}\n${content}`;
  return marked.length <= CONTENT_CHARS_MAX ? marked : undefined;
}
