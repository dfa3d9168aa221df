import type { Button } from "../../src/domain/button.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import type { Named } from "../../src/domain/mention.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import { getString, parseJsonObject } from "../../src/shared/json.ts";
import { answerFile, beginningAlone, type ReplyFile, readFile } from "../shared/answer-file.ts";
import { belowLast, fitting } from "../shared/buttons.ts";
import { ANYWHERE } from "../shared/split.ts";
import { BUTTON_LIMITS } from "./buttons.ts";
import { renderTelegram, renderWithin, type TelegramText } from "./dialect.ts";

/** Of one message after its markup is parsed. Telegram counts code points; UTF-16 units are never fewer. */
const TEXT_CHARS_MAX = 4_096;
export const REPEAT_NOTICE = "This may be a repeat: the first delivery was not confirmed.";

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
  const shown = fitting(buttons, BUTTON_LIMITS);
  // Nothing stands below a file.
  if (shown.length === 0 && markdown.length > MESSAGES_CHARS_MAX) {
    const beginning = renderWithin(beginningAlone(0), markdown, linkHosts);
    const file = { html: UNSENT, plain: UNSENT, file: answerFile(markdown, linkHosts) };
    return [...beginning, file].map((part) => JSON.stringify(part) as ReplyPart);
  }
  const texts = renderTelegram(markdown, linkHosts).map(({ html, plain }) => ({ html, plain }));
  return belowLast(texts, shown).map((part) => JSON.stringify(part) as ReplyPart);
}

/** What a part sends besides words; null: nothing. */
export function fileOf(part: ReplyPart): ReplyFile | null {
  const parsed = parseJsonObject(part);
  return parsed.ok ? readFile(parsed.value) : null;
}

/** What the file of an answer would have been as messages, after the one with its beginning. */
export function messagesInstead({ text, linkHosts }: ReplyFile): readonly TelegramText[] {
  return renderWithin({ ...ANYWHERE, keptChars: NOTICE_CHARS }, text, linkHosts).slice(1);
}

/** Undefined for what this adapter did not render. */
export function textOf(part: ReplyPart): TelegramText | undefined {
  const parsed = parseJsonObject(part);
  if (!parsed.ok) return undefined;
  const html = getString(parsed.value, "html");
  const plain = getString(parsed.value, "plain");
  return html === undefined || plain === undefined ? undefined : { html, plain };
}

/** What to send for a part that may have been said: one message with a notice on top, or two when it has no room. */
export function withNotice(text: TelegramText): readonly TelegramText[] {
  const notice = { html: `<i>${REPEAT_NOTICE}</i>`, plain: REPEAT_NOTICE };
  const marked = { html: `${notice.html}\n\n${text.html}`, plain: `${notice.plain}\n\n${text.plain}` };
  // The plain text spells links out, so it is the longer of the two.
  return marked.plain.length <= TEXT_CHARS_MAX ? [marked] : [notice, text];
}
