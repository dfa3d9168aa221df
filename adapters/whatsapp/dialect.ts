import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import { blocksOf } from "../shared/markdown.ts";
import {
  guardFence,
  guardMarkers,
  inlineCode,
  joinBlocks,
  type LineStyle,
  lengthOf,
  ZERO_WIDTH_SPACE,
} from "../shared/markdown-write.ts";
import { ANYWHERE, type Dialect, type Limit, place } from "../shared/split.ts";

/** What WhatsApp counts is not documented; UTF-16 units are the safe bound. */
const TEXT_CHARS_MAX = 4_096;

const style: LineStyle = {
  text: guardMarkers,
  code: inlineCode,
  link: (label, href) => `${guardMarkers(label)} (${href})`,
  bold: ["*", "*"],
  italic: ["_", "_"],
  strike: ["~", "~"],
  markersNeedEdges: true,
  codeStandsAlone: false,
  indent: "  ",
  bullets: ["• ", "◦ ", "▪ "],
  task: ["☐ ", "☑ "],
  lineStart: (line) => line.replace(/^\s*(?=>)/, `$&${ZERO_WIDTH_SPACE}`),
  codeBlock: (block) => `\`\`\`\n${guardFence(block.lines.join("\n"))}\n\`\`\``,
};

/** Markdown to WhatsApp's formatting. Links are written out: it hides none behind a label. */
export function renderWhatsApp(markdown: string, linkHosts?: LinkHosts): readonly string[] {
  return renderWithin(ANYWHERE, markdown, linkHosts);
}

/** The same, in as many messages as the limit has. */
export function renderWithin(
  limit: Limit,
  markdown: string,
  linkHosts: LinkHosts = "any",
): readonly string[] {
  const blocks = blocksOf(markdown, { linkHosts, linkable: () => false, tableColumnsMax: 36 });
  const dialect: Dialect<string> = {
    limits: [TEXT_CHARS_MAX],
    measure: (block) => [lengthOf(block, style)],
    compose: (page) => joinBlocks(page, style),
  };
  return place(blocks, dialect, limit).map(({ part }) => part);
}
