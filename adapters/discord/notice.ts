import type { Delivery } from "../../src/domain/reply.ts";
import type { Embedded } from "./tables.ts";

/** Of one message. Discord counts code points; UTF-16 units are never fewer, so this reading is the strictest. */
export const CONTENT_CHARS_MAX = 2_000;

export const REPEAT_NOTICE = "-# This may be a repeat: the first delivery was not confirmed.";

/** The text with the notice above it; undefined when one message has no room for both. */
export function withNotice(content: string): string | undefined {
  return within(`${REPEAT_NOTICE}\n${content}`);
}

/** The text with a line below it; undefined when one message has no room for both. */
export function withLine(content: string, line: string): string | undefined {
  return content.endsWith(line) ? content : within(`${content}\n\n${line}`);
}

function within(content: string): string | undefined {
  return content.length <= CONTENT_CHARS_MAX ? content : undefined;
}

/** One message, or two when the notice has no room in it. */
export function textsOf(content: string, delivery: Pick<Delivery, "mayRepeat">): readonly string[] {
  if (!delivery.mayRepeat) return [content];
  const marked = withNotice(content);
  return marked === undefined ? [REPEAT_NOTICE, content] : [marked];
}

/** The same for a message with embeds, above which there always is room for it; what grows has none. */
export function embeddedOf(
  embedded: Embedded | null,
  { mayRepeat, isGrowing }: Pick<Delivery, "mayRepeat" | "isGrowing">,
): Embedded | null {
  if (embedded === null || isGrowing === true) return null;
  const marked = mayRepeat ? withNotice(embedded.content) : undefined;
  return marked === undefined ? embedded : { ...embedded, content: marked };
}
