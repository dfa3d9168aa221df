import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import type { Named } from "../../src/domain/mention.ts";
import { blocksOf } from "../shared/markdown.ts";
import type { Block, MentionSpan, TableBlock } from "../shared/markdown-blocks.ts";
import { says } from "../shared/markdown-links.ts";
import {
  guardFence,
  guardMarkers,
  inlineCode,
  joinBlocks,
  type LineStyle,
  lengthOf,
  ZERO_WIDTH_SPACE,
} from "../shared/markdown-write.ts";
import { type Dialect, type Limit, layout, type Placed, place } from "../shared/split.ts";
import { SECTION_CHARS_MAX } from "./buttons.ts";
import { isSnippet, type Snippet, snippetsOf } from "./snippets.ts";
import { type StreamText, streamText } from "./stream-text.ts";
import { type Message, messageOf, takesTable } from "./tables.ts";

/** Slack advises 4,000 for `text` and may refuse more; what it counts is not documented, so UTF-16 units bound it. */
const TEXT_CHARS_MAX = 3_900;

const style: LineStyle = {
  text: (text) => escapeText(guardMarkers(text)),
  code: (text) => escapeText(inlineCode(text)),
  link: (label, href) =>
    says(label, href) && /^https?:/i.test(href)
      ? `<${escapeText(href)}>`
      : `<${escapeText(href)}|${escapeLabel(label)}>`,
  mention: writeMention,
  bold: ["*", "*"],
  italic: ["_", "_"],
  strike: ["~", "~"],
  markersNeedEdges: true,
  codeStandsAlone: false,
  indent: "    ",
  bullets: ["• ", "◦ ", "▪ "],
  task: ["☐ ", "☑ "],
  lineStart: (line) => (line.trimStart().startsWith("&gt;") ? ZERO_WIDTH_SPACE + line : line),
  codeBlock: (block) => `\`\`\`\n${escapeText(guardFence(block.lines.join("\n")))}\n\`\`\``,
};

const dialectOf = (charsMax: number): Dialect<string> => ({
  limits: [charsMax],
  measure: (block) => [lengthOf(block, style)],
  compose: (page) => joinBlocks(page, style),
});

/** Markdown to Slack's mrkdwn, for `text`. Nothing in it can name a person, a group or a channel but those in `named`. */
export function renderSlack(
  markdown: string,
  charsMax = TEXT_CHARS_MAX,
  named: readonly Named[] = [],
  linkHosts?: LinkHosts,
): readonly string[] {
  return layout(read(markdown, { named, linkHosts }), dialectOf(charsMax));
}

/** The same as messages that may have tables, and with code that is longer than a message as snippets between them. */
export function renderMessages(
  markdown: string,
  charsMax = TEXT_CHARS_MAX,
  named: readonly Named[] = [],
  linkHosts?: LinkHosts,
): readonly (Message | Snippet)[] {
  const written = (blocks: readonly Block[]) => joinBlocks(blocks, style);
  const takes = (table: TableBlock) => takesTable(table, written(table.written), charsMax);
  const blocks = read(markdown, { named, linkHosts, takesTable: takes });
  const sections = (stretch: readonly Block[]) => layout(stretch, dialectOf(SECTION_CHARS_MAX));
  const dialect: Dialect<Message> = {
    // Slack shows one table a message.
    limits: [charsMax, 1],
    measure: (block) => [lengthOf(block, style), block.kind === "table" ? 1 : 0],
    compose: (page) => messageOf(page, written(page), sections),
  };
  // Buttons want words to stand below.
  const takesFiles = charsMax === TEXT_CHARS_MAX;
  const isLong = (block: Block) => takesFiles && isSnippet(block) && lengthOf(block, style) > charsMax;
  return snippetsOf(blocks, isLong, (stretch) => layout(stretch, dialect));
}

/** Code as messages, where it cannot be a snippet. */
export function renderCode(text: string): readonly string[] {
  const code = { kind: "code" as const, gap: true, language: "", head: [], lines: text.split("\n") };
  return layout([code], dialectOf(TEXT_CHARS_MAX));
}

/** As one stream says it, where names stay words; null where that is too long for one. */
export function renderStreamed(markdown: string, linkHosts?: LinkHosts): StreamText | null {
  return streamText(markdown, (text) => read(text, { linkHosts }));
}

/** The same where any message may turn out to be the last that can be said. */
export function renderWithin(
  limit: Limit,
  markdown: string,
  charsMax = TEXT_CHARS_MAX,
  named: readonly Named[] = [],
  linkHosts?: LinkHosts,
): readonly Placed<string>[] {
  return place(read(markdown, { named, linkHosts }), dialectOf(charsMax), limit);
}

interface Reading {
  readonly named?: readonly Named[];
  readonly linkHosts: LinkHosts | undefined;
  readonly takesTable?: (table: TableBlock) => boolean;
}

function read(markdown: string, { linkHosts = "any", ...reading }: Reading): readonly Block[] {
  return blocksOf(markdown, {
    ...reading,
    linkHosts,
    linkable: (href) => escapeText(href).length <= 1_500,
    tableColumnsMax: 80,
  });
}

/** Never a group: it would ring for everybody in it. */
function writeMention({ kind, id }: MentionSpan): string | null {
  if (kind === "person" && /^[UW][A-Z0-9]{1,30}$/.test(id)) return `<@${id}>`;
  return kind === "channel" && /^[CG][A-Z0-9]{1,30}$/.test(id) ? `<#${id}>` : null;
}

function escapeText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/@(?=channel|everyone|here)/gi, `@${ZERO_WIDTH_SPACE}`);
}

/** A bar or a backtick in a label would be read as Slack's own; letters that look like them are not. */
function escapeLabel(label: string): string {
  return escapeText(label.replaceAll("|", "¦").replaceAll("`", "ˋ"));
}
