import type { Button } from "../../src/domain/button.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import type { Named } from "../../src/domain/mention.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import { get, getArray, isObject, type JsonObject, parseJsonObject } from "../../src/shared/json.ts";
import { answerFile, beginningAlone, type ReplyFile, readFile } from "../shared/answer-file.ts";
import { belowLast, buttonsIn, fitting } from "../shared/buttons.ts";
import { ANYWHERE } from "../shared/split.ts";
import { readAddress } from "./address.ts";
import { BUTTON_LIMITS, SECTION_CHARS_MAX } from "./buttons.ts";
import { renderCode, renderMessages, renderStreamed, renderWithin } from "./dialect.ts";
import { limitOf } from "./limit.ts";
import type { StreamText } from "./stream-text.ts";
import { type Message, sectionBlock } from "./tables.ts";

/** Said when there is nothing to say: Slack refuses a message without text. */
const EMPTY = "_(no text)_";
const REPEAT_NOTE = "_(This may be a repeat: the connection was lost while answering.)_";

interface Part extends Message {
  /** Of a file, what is said with it. */
  readonly text: string;
  /** How many characters of the reply come after this part; absent where nothing limits them. */
  readonly charsAfter?: number;
  readonly file?: ReplyFile;
  /** Of the last part. */
  readonly buttons?: readonly Button[];
  /** Of the first part: the whole reply as a stream says it; `true`: the same as `text`. Absent: it is too long for one. */
  readonly markdown?: string | true;
  readonly openFrom?: number;
  /** Others come after the first. */
  readonly hasMore?: true;
}

/** A longer answer is a message with its beginning and a file with the whole. */
const MESSAGES_CHARS_MAX = 12_000;

/** Markdown to messages in Slack's dialect, each within the limit; at least one. */
export function renderReply(
  markdown: string,
  to: ReplyAddress,
  buttons: readonly Button[] = [],
  named: readonly Named[] = [],
  linkHosts: LinkHosts = "any",
): readonly ReplyPart[] {
  const shown = fitting(buttons, BUTTON_LIMITS);
  const charsMax = shown.length > 0 ? SECTION_CHARS_MAX : undefined;
  const parts = partsOf(markdown, to, charsMax, { named, linkHosts }).filter(
    ({ text, file }) => text.trim() !== "" || file !== undefined,
  );
  return belowLast(parts.length > 0 ? parts : [{ text: EMPTY }], shown).map(writePart);
}

/** Whom an answer may name, and to which hosts it may link. */
interface Shown {
  readonly named: readonly Named[];
  readonly linkHosts: LinkHosts;
}

function partsOf(
  markdown: string,
  to: ReplyAddress,
  charsMax: number | undefined,
  shown: Shown,
): readonly Part[] {
  const { named, linkHosts } = shown;
  const address = readAddress(to);
  const limit = limitOf(address);
  // Nothing stands below a file.
  if (limit === null && charsMax === undefined && markdown.length > MESSAGES_CHARS_MAX)
    return [...beginningOf(markdown, shown), { text: "", file: answerFile(markdown, linkHosts) }];
  // A stream has no buttons.
  if (charsMax === undefined && address?.kind === "message" && address.threadTs !== null)
    return streamedParts(markdown, shown);
  if (limit === null) return renderMessages(markdown, charsMax, named, linkHosts);
  return renderWithin(limit, markdown, charsMax, named, linkHosts).map(({ part: text, charsAfter }) => ({
    text,
    charsAfter,
  }));
}

function beginningOf(markdown: string, { named, linkHosts }: Shown): readonly Part[] {
  return renderWithin(beginningAlone(0), markdown, undefined, named, linkHosts).map(({ part: text }) => ({
    text,
  }));
}

/** What a file would have been as messages; of a whole answer those after the one with its beginning. */
export function messagesInstead({ text, snippet, linkHosts }: ReplyFile): readonly string[] {
  if (snippet !== undefined) return renderCode(text);
  return renderWithin({ ...ANYWHERE, keptChars: NOTICE_CHARS }, text, undefined, undefined, linkHosts)
    .slice(1)
    .map(({ part }) => part);
}

/** Of the line that ends the beginning. */
const NOTICE_CHARS = 100;

function streamedParts(markdown: string, { named, linkHosts }: Shown): readonly Part[] {
  const [first = { text: "" }, ...more] = renderMessages(markdown, undefined, named, linkHosts);
  const { text, ...open } = renderStreamed(markdown, linkHosts) ?? { text: null };
  const whole = text === null ? {} : { markdown: text === first.text ? (true as const) : text };
  return [{ ...first, ...whole, ...open, ...(more.length > 0 && { hasMore: true as const }) }, ...more];
}

function writePart({ text, ...more }: Part): ReplyPart {
  return JSON.stringify({ text: text.toWellFormed(), ...more }) as ReplyPart;
}

export interface RenderedPart {
  readonly text: string;
  /** With a table, shown in place of the text. */
  readonly blocks: readonly JsonObject[];
  readonly charsAfter: number;
  readonly file: ReplyFile | null;
  readonly buttons: readonly Button[];
  readonly streamed: StreamText | null;
  readonly hasMore: boolean;
}

/** A part that this adapter rendered; null for anything else. */
export function readPart(part: ReplyPart): RenderedPart | null {
  const parsed = parseJsonObject(part);
  const text = parsed.ok ? get(parsed.value, "text") : undefined;
  if (!parsed.ok || typeof text !== "string") return null;
  const charsAfter = get(parsed.value, "charsAfter");
  const written = get(parsed.value, "markdown");
  const markdown = written === true ? text : typeof written === "string" ? written : null;
  const openFrom = get(parsed.value, "openFrom");
  const open = typeof openFrom === "number" ? { openFrom } : {};
  return {
    text,
    blocks: getArray(parsed.value, "blocks").filter(isObject),
    charsAfter: typeof charsAfter === "number" ? charsAfter : 0,
    file: readFile(parsed.value),
    buttons: buttonsIn(parsed.value),
    streamed: markdown === null ? null : { text: markdown, ...open },
    hasMore: get(parsed.value, "hasMore") === true,
  };
}

export function markedAsRepeat(text: string): string {
  return `${REPEAT_NOTE}\n${text}`;
}

/** Blocks that are shown in place of the text want to say so, too. */
export function blocksAsRepeat(blocks: readonly JsonObject[]): readonly JsonObject[] {
  return blocks.length === 0 ? [] : [sectionBlock(REPEAT_NOTE), ...blocks];
}
