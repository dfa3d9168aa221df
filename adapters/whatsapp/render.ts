import type { Button } from "../../src/domain/button.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import type { Named } from "../../src/domain/mention.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import { getString, parseJsonObject } from "../../src/shared/json.ts";
import { answerFile, beginningAlone, type ReplyFile, readFile } from "../shared/answer-file.ts";
import { belowLast, fitting } from "../shared/buttons.ts";
import { ANYWHERE } from "../shared/split.ts";
import { limitsFor, BODY_CHARS_MAX as WITH_BUTTONS_CHARS_MAX } from "./buttons.ts";
import { renderWhatsApp, renderWithin } from "./dialect.ts";

/** Of one message, in UTF-16 units. Meta says "characters"; this reading is the strictest. */
const BODY_CHARS_MAX = 4_096;

export const REPEAT_NOTICE = "_This may be a repeat: the first delivery was not confirmed._";
/** WhatsApp refuses an empty body, and silence would look like a fault. */
const NOTHING = "(empty reply)";
/** Stands above buttons where the words before them are too long for a message with any. */
const CHOOSE = "Please choose:";

/** A longer answer is a message with its beginning and a file with the whole. */
const MESSAGES_CHARS_MAX = 20_000;
/** Of the line that ends the beginning. */
const NOTICE_CHARS = 100;
/** For a gateway of a version before this one, which sends the words of any part. */
const UNSENT = "(The file with the whole answer could not be sent.)";

export function renderReply(
  markdown: string,
  _to?: ReplyAddress,
  buttons: readonly Button[] = [],
  _named?: readonly Named[],
  linkHosts: LinkHosts = "any",
): readonly ReplyPart[] {
  // Nothing stands below a file.
  if (buttons.length === 0 && markdown.length > MESSAGES_CHARS_MAX) {
    const beginning = renderWithin(beginningAlone(0), markdown, linkHosts).map((body) => ({ body }));
    const file = { body: UNSENT, file: answerFile(markdown, linkHosts) };
    return [...beginning, file].map((part) => JSON.stringify(part) as ReplyPart);
  }
  const said = renderWhatsApp(markdown, linkHosts).filter((body) => body.trim() !== "");
  const bodies = said.length > 0 ? said : [NOTHING];
  const shown = fitting(buttons, limitsFor(buttons));
  const last = bodies.at(-1) ?? NOTHING;
  if (shown.length > 0 && last.length > WITH_BUTTONS_CHARS_MAX) bodies.push(CHOOSE);
  const parts = bodies.map((body) => ({ body }));
  return belowLast(parts, shown).map((part) => JSON.stringify(part) as ReplyPart);
}

/** What a part sends besides words; null: nothing. */
export function fileOf(part: ReplyPart): ReplyFile | null {
  const parsed = parseJsonObject(part);
  return parsed.ok ? readFile(parsed.value) : null;
}

/** What the file of an answer would have been as messages, after the one with its beginning. */
export function messagesInstead({ text, linkHosts }: ReplyFile): readonly string[] {
  return renderWithin({ ...ANYWHERE, keptChars: NOTICE_CHARS }, text, linkHosts).slice(1);
}

/** The text of a part; undefined for what this adapter did not render. */
export function bodyOf(part: ReplyPart): string | undefined {
  const parsed = parseJsonObject(part);
  return parsed.ok ? getString(parsed.value, "body") : undefined;
}

/** The texts to send for a part that may have been said: one with the notice on top, or two when it has no room. */
export function withNotice(body: string, hasButtons = false): readonly string[] {
  const marked = `${REPEAT_NOTICE}\n\n${body}`;
  return marked.length <= (hasButtons ? WITH_BUTTONS_CHARS_MAX : BODY_CHARS_MAX)
    ? [marked]
    : [REPEAT_NOTICE, body];
}
