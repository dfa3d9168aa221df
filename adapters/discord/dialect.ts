import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import type { Named } from "../../src/domain/mention.ts";
import { blocksOf } from "../shared/markdown.ts";
import type { Block, MentionSpan } from "../shared/markdown-blocks.ts";
import { says } from "../shared/markdown-links.ts";
import {
  guardFence,
  joinBlocks,
  type LineStyle,
  lengthOf,
  outsideUrls,
  ZERO_WIDTH_SPACE,
} from "../shared/markdown-write.ts";
import { type Dialect, type Limit, layout, type Placed, place } from "../shared/split.ts";

/** Discord counts code points, which are never more than UTF-16 units. */
const TEXT_CHARS_MAX = 2_000;

const style: LineStyle = {
  text: (text) => guardMentions(escapeText(text)),
  code: (text) => guardMentions(code(text)),
  link: (label, href) =>
    says(label, href) ? `<${href}>` : `[${guardMentions(escapeLabel(label))}](${href})`,
  mention: writeMention,
  bold: ["**", "**"],
  italic: ["_", "_"],
  strike: ["~~", "~~"],
  markersNeedEdges: true,
  codeStandsAlone: false,
  indent: "  ",
  bullets: ["- "],
  task: ["- ☐ ", "- ☑ "],
  lineStart: (line) =>
    line.replace(/^(\s*)(#{1,3}\s|-#|>|[-+]\s)/, "$1\\$2").replace(/^(\s*\d+)([.)]\s)/, "$1\\$2"),
  codeBlock: (block) =>
    `\`\`\`${block.language}\n${guardMentions(guardFence(block.lines.join("\n")))}\n\`\`\``,
};

const dialect: Dialect<string> = {
  limits: [TEXT_CHARS_MAX],
  measure: (block) => [lengthOf(block, style)],
  compose: (page) => joinBlocks(page, style),
};

/** Markdown to Discord's Markdown. Nothing in it can name a person, a role or a channel but those in `named`. */
export function renderDiscord(
  markdown: string,
  named: readonly Named[] = [],
  linkHosts?: LinkHosts,
): readonly string[] {
  return layout(read(markdown, named, linkHosts), dialect);
}

/** The same where only so much can be said. */
export function renderWithin(
  limit: Limit,
  markdown: string,
  named: readonly Named[] = [],
  linkHosts?: LinkHosts,
): readonly Placed<string>[] {
  return place(read(markdown, named, linkHosts), dialect, limit);
}

/** Whom a message that was written here rings for. All else that looks like a mention is broken. */
export function mentionedIn(content: string): readonly string[] {
  return [...new Set([...content.matchAll(/<@(\d{1,20})>/g)].map(([, id = ""]) => id))];
}

function read(markdown: string, named: readonly Named[], linkHosts: LinkHosts = "any"): readonly Block[] {
  return blocksOf(markdown, {
    named,
    linkHosts,
    linkable: (href) => /^https?:/i.test(href),
    tableColumnsMax: 64,
  });
}

/** Never a role: it would ring for everybody who has it. */
function writeMention({ kind, id }: MentionSpan): string | null {
  if (kind === "group" || !/^\d{1,20}$/.test(id)) return null;
  return kind === "person" ? `<@${id}>` : `<#${id}>`;
}

function escapeText(text: string): string {
  return outsideUrls(text, (prose) => prose.replaceAll(/[\\*_~`|]|\](?=\()/g, "\\$&"));
}

/** Inside a link even a bracket of its own would end the label. */
function escapeLabel(label: string): string {
  return label.replaceAll(/[\\*_~`|[\]]/g, "\\$&");
}

/** A mention is `<`, a sign or a name, an id; a zero-width space inside leaves it readable and dead. */
function guardMentions(text: string): string {
  return text
    .replaceAll(/@(?=everyone|here)/gi, `@${ZERO_WIDTH_SPACE}`)
    .replaceAll(/<(?=[@#]|\/[^\s>]+:\d|a?:\w|id:|t:)/gi, `<${ZERO_WIDTH_SPACE}`);
}

/** Two backticks may hold single ones; longer runs cannot be told from a fence. */
function code(text: string): string {
  const shown = text.replaceAll(/``+/g, (run) => "ˋ".repeat(run.length)).trim();
  if (shown === "") return text;
  return shown.includes("`") ? `\`\` ${shown} \`\`` : `\`${shown}\``;
}
