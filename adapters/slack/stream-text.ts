import type { Block } from "../shared/markdown-blocks.ts";
import { says } from "../shared/markdown-links.ts";
import {
  guardFence,
  inlineCode,
  joinBlocks,
  type LineStyle,
  ZERO_WIDTH_SPACE,
} from "../shared/markdown-write.ts";

/** Of one `markdown_text`; what Slack counts is not documented, so UTF-16 units bound it. */
const STREAM_CHARS_MAX = 12_000;

/** What ends an answer that goes on. */
const GROWING = "…";

/** Streams take Markdown, not mrkdwn. Slack reads its own `<@U1>` and `<!channel>` in either. */
const style: LineStyle = {
  text: (text) => guard(text.replaceAll(/[\\*_~`|[\]]/g, "\\$&")),
  code: (text) => guard(inlineCode(text)),
  link: (label, href) =>
    says(label, href) ? `<${href}>` : `[${guard(label.replaceAll(/[\\*_~`|[\]]/g, "\\$&"))}](${href})`,
  bold: ["**", "**"],
  italic: ["_", "_"],
  strike: ["~~", "~~"],
  markersNeedEdges: true,
  codeStandsAlone: false,
  indent: "  ",
  bullets: ["- "],
  task: ["- ☐ ", "- ☑ "],
  lineStart: (line) =>
    line.replace(/^(\s*)(#{1,6}\s|>|[-+]\s|[-=]{2,}\s*$)/, "$1\\$2").replace(/^(\s*\d+)([.)]\s)/, "$1\\$2"),
  codeBlock: (block) => `\`\`\`${block.language}\n${guard(guardFence(block.lines.join("\n")))}\n\`\`\``,
};

/** An answer as a stream says it. */
export interface StreamText {
  readonly text: string;
  /** From where on it is a table that may have more rows: each can change how all of them are written. */
  readonly openFrom?: number;
}

/** Null: it is longer than a stream. */
export function streamText(
  markdown: string,
  read: (markdown: string) => readonly Block[],
): StreamText | null {
  const text = joinBlocks(read(markdown), style);
  if (text.length > STREAM_CHARS_MAX) return null;
  const before = beforeTable(markdown);
  return before === null ? { text } : { text, openFrom: joinBlocks(read(before), style).length };
}

/** What stands before the table at the end of a text that goes on; null where there is none. */
function beforeTable(markdown: string): string | null {
  if (!markdown.endsWith(GROWING)) return null;
  const before = markdown.slice(0, -GROWING.length).trimEnd();
  const paragraph = /\n[ \t]*\n(?!.*\n[ \t]*\n)/s.exec(before)?.index ?? 0;
  const bar = before.indexOf("|", paragraph);
  return bar === -1 ? null : before.slice(0, before.lastIndexOf("\n", bar) + 1);
}

/** Entities would be read as what they stand for, so no `&` stays before one. */
function guard(text: string): string {
  return text
    .replaceAll(/@(?=channel|everyone|here)/gi, `@${ZERO_WIDTH_SPACE}`)
    .replaceAll(/<(?=[@#!a-z/?])/gi, `<${ZERO_WIDTH_SPACE}`)
    .replaceAll(/&(?=#?\w{1,32};)/g, `&${ZERO_WIDTH_SPACE}`);
}

/**
 * Of the text of an answer that goes on, what will hardly be written another way once there is more of it: what was
 * appended cannot be taken back. Code and tables wait until they have ended, since a fence that is open is none, and so
 * do marks that nothing closes yet.
 */
export function settled({ text, openFrom }: StreamText): string {
  const end = text.lastIndexOf(GROWING);
  if (end === -1) return text;
  if (openFrom !== undefined) return settled({ text: text.slice(0, openFrom) + GROWING });
  const before = text.slice(0, end).trimEnd();
  const closers = text.slice(end + GROWING.length);
  const fence = lastFence(before);
  if (fence !== null && (fence.isOpen || fence.isLast)) return before.slice(0, fence.startsAt).trimEnd();
  const gap = before.lastIndexOf("\n\n");
  const from = Math.max(gap === -1 ? 0 : gap, fence?.endsAt ?? 0);
  const last = before.slice(from);
  return before.slice(0, from + Math.min(openAt(last, closers), last.length)).trimEnd();
}

interface Fence {
  readonly startsAt: number;
  readonly endsAt: number;
  readonly isOpen: boolean;
  /** Nothing stands behind it. */
  readonly isLast: boolean;
}

function lastFence(text: string): Fence | null {
  const marks = [...text.matchAll(/^```.*$/gm)];
  const mark = marks.at(-1);
  if (mark === undefined) return null;
  const isOpen = marks.length % 2 === 1;
  const opener = isOpen ? mark : marks.at(-2);
  const endsAt = mark.index + mark[0].length;
  return { startsAt: opener?.index ?? 0, endsAt, isOpen, isLast: text.slice(endsAt).trim() === "" };
}

/** Where in its last paragraph something begins that may still become a mark or a link. */
function openAt(last: string, closers: string): number {
  const escaped = last.search(/!?\\(?:[*_~](?!\s)|[`[|])/);
  const closer = /(?:\*\*|~~|_|`)\s*$/.exec(closers)?.[0].trim();
  const opener = closer === undefined ? -1 : last.lastIndexOf(closer);
  const found = [escaped, opener].filter((at) => at >= 0);
  return found.length === 0 ? last.length : Math.min(...found);
}
