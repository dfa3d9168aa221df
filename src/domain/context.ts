import { type Attachment, boundedFiles } from "./attachment.ts";
import { CONTEXT_CHARS_MAX, CONTEXT_ITEMS_MAX, FILES_MAX } from "./bounds.ts";
import type { Mention } from "./mention.ts";
import { cleanId, cleanLabel, cleanText } from "./text.ts";

/**
 * What a message refers to:
 * - `thread`: said earlier in its thread
 * - `quoted`: what it replies to, or the part of it that was chosen
 * - `forwarded`: passed on from elsewhere
 * - `embedded`: shown with it: a card, a link's preview, a notice of a service
 * - `product`: an item of a shop
 * - `target`: the message that a command is for
 * - `pressed`: the message that holds what was pressed
 * - `note`: the gateway's own word about the rest; never anything from outside
 */
export type ContextKind =
  | "thread"
  | "quoted"
  | "forwarded"
  | "embedded"
  | "product"
  | "target"
  | "pressed"
  | "note";

export interface ContextAuthor {
  readonly id: string | null;
  readonly name: string;
  /** Said by this bot itself. */
  readonly isSelf?: boolean;
}

/** Words that are not those of the one who asks now. Plain data: stored as JSON with its event. */
export interface ContextItem {
  readonly kind: ContextKind;
  /** Null: nobody knows, or it is nobody's word (a product). */
  readonly author: ContextAuthor | null;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly atMs: number | null;
  /** Whom and what the text names, where the platform tells. */
  readonly mentions?: readonly Mention[];
}

/** An item with the parts that it has. */
export function contextItem(
  kind: ContextKind,
  text: string,
  parts: Partial<Pick<ContextItem, "author" | "attachments" | "atMs" | "mentions">> = {},
): ContextItem {
  return { kind, author: null, text, attachments: [], atMs: null, ...parts };
}

/** Of context from outside, as much as an event may carry: cleaned, and bounded in items, files and characters. */
export function boundedContext(items: readonly ContextItem[]): readonly ContextItem[] {
  let left = CONTEXT_CHARS_MAX;
  let filesLeft = FILES_MAX;
  const kept: ContextItem[] = [];
  for (const item of items.slice(0, CONTEXT_ITEMS_MAX)) {
    const text = cleanText(item.text.length > left ? item.text.slice(0, left) : item.text);
    const attachments = boundedFiles(item.attachments, filesLeft);
    if (text.trim() === "" && attachments.length === 0) continue;
    left -= text.length;
    filesLeft -= attachments.length;
    kept.push({ ...item, author: item.author && boundedAuthor(item.author), text, attachments });
  }
  return kept;
}

/** Of an item whose words its reader has bounded: the labels and files. */
export function boundedSource(item: ContextItem): ContextItem {
  const attachments = boundedFiles(item.attachments, FILES_MAX);
  return { ...item, author: item.author && boundedAuthor(item.author), attachments };
}

function boundedAuthor({ id, name, ...rest }: ContextAuthor): ContextAuthor {
  return { ...rest, id: id === null ? null : cleanId(id), name: cleanLabel(name) };
}
