import type { Button } from "../../src/domain/button.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import type { Named } from "../../src/domain/mention.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import { get, getArray, getString, parseJsonObject } from "../../src/shared/json.ts";
import { answerFile, beginningAlone, type ReplyFile, readFile } from "../shared/answer-file.ts";
import { belowLast, buttonsIn, fitting } from "../shared/buttons.ts";
import { readAddress } from "./address.ts";
import { BUTTON_LIMITS } from "./buttons.ts";
import { mentionedIn, renderDiscord, renderEmbedded, renderWithin } from "./dialect.ts";
import { limitOf } from "./limit.ts";
import { REPEAT_NOTICE } from "./notice.ts";
import { type Embedded, type Message, readEmbedded } from "./tables.ts";

/** Discord refuses an empty message, and would show "thinking" until the interaction ends. */
const NOTHING = "(empty reply)";

export function renderReply(
  markdown: string,
  to: ReplyAddress,
  buttons: readonly Button[] = [],
  named: readonly Named[] = [],
  linkHosts: LinkHosts = "any",
): readonly ReplyPart[] {
  const shown = fitting(buttons, BUTTON_LIMITS);
  const parts = partsOf(markdown, to, named, linkHosts).filter(({ content }) => content.trim() !== "");
  const all = parts.length > 0 ? parts : [{ content: NOTHING }];
  return belowLast(all.map(ringing), shown).map((part) => JSON.stringify(part) as ReplyPart);
}

function ringing(part: Part): Part {
  const mentions = mentionedIn(part.content);
  return mentions.length === 0 ? part : { ...part, mentions };
}

interface Part extends Message {
  /** Ids of the people whom it rings for; absent: nobody. */
  readonly mentions?: readonly string[];
  /** How much of the reply is unsaid when this part cannot be: what it holds itself and what comes after it. */
  readonly charsLeft?: number;
  readonly file?: ReplyFile;
}

/** A longer answer is one message with its beginning, and a file with the whole. */
const MESSAGES_CHARS_MAX = 10_000;

function longAnswer(markdown: string, named: readonly Named[], linkHosts: LinkHosts): readonly Part[] {
  const file = answerFile(markdown);
  const placed = renderWithin(
    beginningAlone(`${REPEAT_NOTICE}\n\n\n${noFileLine(file.text.length)}`.length),
    markdown,
    named,
    linkHosts,
  );
  return placed.map(({ part: content, charsAfter }) => ({ content, file, charsLeft: charsAfter }));
}

/** Where a file may not be attached. */
export function noFileLine(chars: number): string {
  return `… (the rest, ${chars} characters, is missing: I may not attach files here)`;
}

function partsOf(
  markdown: string,
  to: ReplyAddress,
  named: readonly Named[],
  linkHosts: LinkHosts,
): readonly Part[] {
  const address = readAddress(to);
  const limit = address === undefined ? null : limitOf(address);
  if (limit === null && markdown.length > MESSAGES_CHARS_MAX) return longAnswer(markdown, named, linkHosts);
  // Where few messages can be said, none is spent on what stands behind a table.
  if (limit === null && address?.embeds === true) return renderEmbedded(markdown, named, linkHosts);
  if (limit === null) return renderDiscord(markdown, named, linkHosts).map((content) => ({ content }));
  const placed = renderWithin(limit, markdown, named, linkHosts);
  return placed.map(({ part: content }, index) => {
    const before = placed[index - 1];
    return before === undefined ? { content } : { content, charsLeft: before.charsAfter };
  });
}

export interface RenderedPart {
  readonly content: string;
  readonly embedded: Embedded | null;
  readonly charsLeft: number | null;
  readonly file: ReplyFile | null;
  readonly buttons: readonly Button[];
  readonly mentions: readonly string[];
}

/** A part that this adapter rendered; undefined for any other. */
export function readPart(part: ReplyPart): RenderedPart | undefined {
  const parsed = parseJsonObject(part);
  if (!parsed.ok) return undefined;
  const content = getString(parsed.value, "content");
  const charsLeft = get(parsed.value, "charsLeft");
  if (content === undefined) return undefined;
  return {
    content,
    embedded: readEmbedded(parsed.value),
    charsLeft: typeof charsLeft === "number" ? charsLeft : null,
    file: readFile(parsed.value),
    buttons: buttonsIn(parsed.value),
    mentions: getArray(parsed.value, "mentions").filter((id) => typeof id === "string"),
  };
}
