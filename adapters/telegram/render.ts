import type { Button } from "../../src/domain/button.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import { getString, parseJsonObject } from "../../src/shared/json.ts";
import { belowLast, fitting } from "../shared/buttons.ts";
import { BUTTON_LIMITS } from "./buttons.ts";
import { renderTelegram, type TelegramText } from "./dialect.ts";

/** Of one message after its markup is parsed. Telegram counts code points; UTF-16 units are never fewer. */
const TEXT_CHARS_MAX = 4_096;
const REPEAT_NOTICE = "This may be a repeat: the first delivery was not confirmed.";

export function renderReply(
  markdown: string,
  _to?: ReplyAddress,
  buttons: readonly Button[] = [],
): readonly ReplyPart[] {
  const shown = fitting(buttons, BUTTON_LIMITS);
  const texts = renderTelegram(markdown).map(({ html, plain }) => ({ html, plain }));
  return belowLast(texts, shown).map((part) => JSON.stringify(part) as ReplyPart);
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
