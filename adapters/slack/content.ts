import { CONTEXT_DEPTH_MAX, CONTEXT_ITEMS_MAX } from "../../src/domain/bounds.ts";
import { type ContextAuthor, type ContextItem, contextItem } from "../../src/domain/context.ts";
import { get, getArray, getObject, getString } from "../../src/shared/json.ts";
import { blocksText } from "./blocks.ts";
import { filesOf } from "./files.ts";
import { tsToMs } from "./payload.ts";
import { mentionsIn, readableText } from "./text.ts";

/** What a message says, and what it passes on or shows of others. */
export interface MessageContent {
  /** In Slack's form, mentions and all. */
  readonly raw: string;
  readonly context: readonly ContextItem[];
}

/**
 * Slack's `text` is what notifications show. Apps put the whole into blocks or attachments and leave it empty or
 * short; people's own blocks say the same as their text. So what says more is taken.
 */
export function contentOf(message: unknown, text: string): MessageContent {
  const blocks = getArray(message, "blocks");
  const attachments = getArray(message, "attachments");
  if (blocks.length === 0 && attachments.length === 0) return { raw: text, context: [] };
  const words = fuller(text, blocks.length === 0 ? "" : blocksText(blocks).toWellFormed());
  if (attachments.length === 0) return { raw: words, context: [] };
  const own: string[] = [];
  const context: ContextItem[] = [];
  for (const attachment of attachments.slice(0, CONTEXT_ITEMS_MAX)) {
    if (isShared(attachment)) context.push(...sharedItems(attachment, 1));
    else if (isPreview(attachment)) context.push(...previewItems(attachment));
    else own.push(cardText(attachment));
  }
  return { raw: withOwn(words, own), context };
}

/** The text with what attachments of the message's own add to it. */
function withOwn(words: string, own: readonly string[]): string {
  const said = lettersOf(words);
  const more = own.filter((text) => text.trim() !== "" && !said.includes(lettersOf(text)));
  return [words, ...more].filter((text) => text.trim() !== "").join("\n");
}

function fuller(text: string, blocks: string): string {
  return lettersOf(blocks).length > lettersOf(text).length ? blocks : text;
}

/** For comparing: markup, escapes and white space differ between the two forms of one text. */
function lettersOf(text: string): string {
  return text.replaceAll(/&(?:amp|lt|gt);|[^\p{L}\p{N}]+/gu, "");
}

/** Somebody's message, passed on or linked to. */
function isShared(attachment: unknown): boolean {
  return ["is_share", "is_msg_unfurl", "is_reply_unfurl", "is_thread_root_unfurl"].some(
    (flag) => get(attachment, flag) === true,
  );
}

/** What Slack or another app shows of a link that stands in the text. */
function isPreview(attachment: unknown): boolean {
  return (
    get(attachment, "is_app_unfurl") === true ||
    getString(attachment, "original_url") !== undefined ||
    getString(attachment, "from_url") !== undefined
  );
}

function sharedItems(attachment: unknown, depth: number): ContextItem[] {
  const blocks = getArray(attachment, "message_blocks").flatMap((entry) =>
    getArray(getObject(entry, "message"), "blocks"),
  );
  const words = fuller(
    getString(attachment, "text") ?? "",
    blocksText(blocks.length > 0 ? blocks : getArray(attachment, "blocks")),
  );
  const ts = getString(attachment, "ts") ?? "";
  const raw = words || (getString(attachment, "fallback") ?? "");
  const item = contextItem("forwarded", readable(raw), {
    ...mentioned(raw, NOBODY),
    author: sharerOf(attachment),
    attachments: filesOf(attachment),
    atMs: /^\d{1,12}(\.\d{1,20})?$/.test(ts) ? tsToMs(ts) : null,
  });
  if (depth >= CONTEXT_DEPTH_MAX) return [item];
  const nested = getArray(attachment, "attachments").slice(0, CONTEXT_ITEMS_MAX);
  const deeper = nested.flatMap((inner) =>
    isShared(inner) ? sharedItems(inner, depth + 1) : previewItems(inner),
  );
  return [item, ...deeper].slice(0, CONTEXT_ITEMS_MAX);
}

function sharerOf(attachment: unknown): ContextAuthor | null {
  const id = getString(attachment, "author_id")?.toWellFormed() ?? null;
  const name = getString(attachment, "author_name") ?? getString(attachment, "author_subname") ?? id;
  return name === null ? null : { id, name: name.toWellFormed() };
}

function previewItems(attachment: unknown): ContextItem[] {
  const name = getString(attachment, "service_name") ?? getString(attachment, "author_name");
  const author = name === undefined ? null : { id: null, name: name.toWellFormed() };
  const card = cardText(attachment);
  return [
    contextItem("embedded", readable(card), {
      ...mentioned(card, NOBODY),
      ...{ author, attachments: filesOf(attachment) },
    }),
  ];
}

/** All that a card says, in the order in which Slack shows it. */
function cardText(attachment: unknown): string {
  const text = (key: string) => getString(attachment, key) ?? "";
  const fields = getArray(attachment, "fields")
    .slice(0, CONTEXT_ITEMS_MAX)
    .map((field) =>
      [getString(field, "title"), getString(field, "value")].filter((part) => part !== undefined).join(": "),
    );
  const parts = [
    text("pretext"),
    text("author_name"),
    text("title"),
    text("text"),
    ...fields,
    blocksText(getArray(attachment, "blocks")),
  ].filter((part) => part.trim() !== "");
  return (parts.length > 0 ? parts.join("\n") : text("fallback")).toWellFormed();
}

const NOBODY: ReadonlySet<string> = new Set();

function mentioned(raw: string, botIds: ReadonlySet<string>): Pick<ContextItem, "mentions"> {
  const mentions = mentionsIn(raw, botIds);
  return mentions.length === 0 ? {} : { mentions };
}

function readable(raw: string): string {
  return readableText(raw.toWellFormed(), NOBODY);
}

/** A message as an item of context, and after it what that message passes on in turn. */
export function messageItems(
  kind: ContextItem["kind"],
  message: unknown,
  author: ContextAuthor | null,
  botIds: ReadonlySet<string> = NOBODY,
): ContextItem[] {
  const { raw, context } = contentOf(message, (getString(message, "text") ?? "").toWellFormed());
  const ts = getString(message, "ts") ?? "";
  return [
    contextItem(kind, readableText(raw, botIds), {
      ...mentioned(raw, botIds),
      author,
      attachments: filesOf(message),
      atMs: /^\d{1,12}(\.\d{1,20})?$/.test(ts) ? tsToMs(ts) : null,
    }),
    ...context,
  ];
}
