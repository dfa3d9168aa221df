import type { MentionSpan } from "../shared/markdown-blocks.ts";
import { says } from "../shared/markdown-links.ts";
import { guardFence, type LineStyle, outsideUrls, ZERO_WIDTH_SPACE } from "../shared/markdown-write.ts";

/** Discord's Markdown. Nothing that is written so can name a person, a role or a channel but by a mention of ours. */
export const style: LineStyle = {
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

/** As Discord finds it in a text, without the marks of the sentence around it; one in angle brackets is quiet already. */
const BARE_URL = /(?<!<)https?:\/\/[^\s`<>[\]]*[^\s`<>[\].,:;"'()!?*_~|\\]/gi;

/**
 * The same where a message gets previews of its links, because it has embeds: none of an address in angle brackets. It is
 * never shorter.
 */
export const quietStyle: LineStyle = {
  ...style,
  text: (text) => style.text(text).replaceAll(BARE_URL, "<$&>"),
  link: (label, href) =>
    says(label, href) ? `<${href}>` : `[${guardMentions(escapeLabel(label))}](<${href}>)`,
};

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
