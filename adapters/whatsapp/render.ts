import type { ReplyPart } from "../../src/domain/reply.ts";
import { getString, parseJsonObject } from "../../src/shared/json.ts";
import { renderWhatsApp } from "./dialect.ts";

/** Of one message, in UTF-16 units. Meta says "characters"; this reading is the strictest. */
const BODY_CHARS_MAX = 4_096;

const REPEAT_NOTICE = "_This may be a repeat: the first delivery was not confirmed._";
/** WhatsApp refuses an empty body, and silence would look like a fault. */
const NOTHING = "(empty reply)";

export function renderReply(markdown: string): readonly ReplyPart[] {
  const bodies = renderWhatsApp(markdown).filter((body) => body.trim() !== "");
  return (bodies.length > 0 ? bodies : [NOTHING]).map((body) => JSON.stringify({ body }) as ReplyPart);
}

/** The text of a part; undefined for what this adapter did not render. */
export function bodyOf(part: ReplyPart): string | undefined {
  const parsed = parseJsonObject(part);
  return parsed.ok ? getString(parsed.value, "body") : undefined;
}

/** The texts to send for a part that may have been said: one with the notice on top, or two when it has no room. */
export function withNotice(body: string): readonly string[] {
  const marked = `${REPEAT_NOTICE}\n\n${body}`;
  return marked.length <= BODY_CHARS_MAX ? [marked] : [REPEAT_NOTICE, body];
}
