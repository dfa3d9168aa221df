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
