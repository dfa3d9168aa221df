import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import { type Allowed, allowedBy, brokenAddresses } from "../shared/link-hosts.ts";
import { blocksOf } from "../shared/markdown.ts";
import type { Block, CodeBlock, TextBlock } from "../shared/markdown-blocks.ts";
import { says } from "../shared/markdown-links.ts";
import { type LineStyle, writeTextLines, ZERO_WIDTH_SPACE } from "../shared/markdown-write.ts";
import { ANYWHERE, type Dialect, type Limit, place } from "../shared/split.ts";

/** One message: `html` for `parse_mode: "HTML"`, and the same text bare for when Telegram cannot read it. */
export interface TelegramText {
  readonly html: string;
  readonly plain: string;
}

/** After entity parsing. Telegram counts code points, which are never more than UTF-16 units. */
const TEXT_CHARS_MAX = 4_096;
/** Only about the first hundred take effect. */
const ENTITIES_MAX = 90;
/** Markup included; Telegram cuts far longer source texts, maybe inside a tag. */
const HTML_CHARS_MAX = 20_000;

const html: LineStyle = {
  text: (text) => escapeText(guardMentions(text)),
  code: (text) => `<code>${escapeText(text)}</code>`,
  link: (label, href) => `<a href="${escapeText(href)}">${escapeText(guardMentions(label))}</a>`,
  bold: ["<b>", "</b>"],
  italic: ["<i>", "</i>"],
  strike: ["<s>", "</s>"],
  markersNeedEdges: false,
  codeStandsAlone: true,
  indent: "   ",
  bullets: ["• ", "◦ ", "▪ "],
  task: ["☐ ", "☑ "],
  lineStart: (line) => line,
  codeBlock: htmlCode,
};

/** Without marks code is text to clients, too. */
const plainFor = (allowed: Allowed | null): LineStyle => ({
  ...html,
  text: guardMentions,
  code: (text) => guardMentions(brokenAddresses(text, allowed)),
  link: (label, href) => (says(label, href) ? label : `${guardMentions(label)} (${href})`),
  bold: ["", ""],
  italic: ["", ""],
  strike: ["", ""],
  codeBlock: (block) => guardMentions(brokenAddresses(block.lines.join("\n"), allowed)),
});

/** Markdown to Telegram's HTML. Nothing in it can name a person. */
export function renderTelegram(markdown: string, linkHosts?: LinkHosts): readonly TelegramText[] {
  return renderWithin(ANYWHERE, markdown, linkHosts);
}

/** The same, in as many messages as the limit has. */
export function renderWithin(
  limit: Limit,
  markdown: string,
  linkHosts: LinkHosts = "any",
): readonly TelegramText[] {
  const blocks = blocksOf(markdown, { linkHosts, linkable: () => true, tableColumnsMax: 44 });
  const plain = plainFor(allowedBy(linkHosts));
  const dialect: Dialect<TelegramText> = {
    limits: [TEXT_CHARS_MAX, ENTITIES_MAX, HTML_CHARS_MAX],
    measure: (block) => measure(block, plain),
    compose: (page) => ({ html: compose(page, html, true), plain: compose(page, plain, false) }),
  };
  return place(blocks, dialect, limit).map(({ part }) => part);
}

function measure(block: Block, plain: LineStyle): readonly number[] {
  const markup = write(block, html);
  const quote = block.kind === "text" && block.quote > 0 ? 1 : 0;
  const tags = markup.match(/<[a-z]/g)?.length ?? 0;
  // The fallback spells links out and must fit as well.
  return [write(block, plain).length + 2, tags + quote, markup.length + 30];
}

function write(block: Block, style: LineStyle): string {
  if (block.kind === "table") return block.written.map((one) => write(one, style)).join("\n");
  return block.kind === "code" ? style.codeBlock(block) : writeTextLines(block, style).join("\n");
}

/** Neighbouring quotes become one: Telegram's cannot nest, and two in a row would touch. */
function compose(blocks: readonly Block[], style: LineStyle, tagged: boolean): string {
  let text = "";
  for (const [index, block] of blocks.entries()) {
    const before = blocks[index - 1];
    const opens = isQuoted(block) && !isQuoted(before);
    const closes = isQuoted(before) && !isQuoted(block);
    if (tagged && closes) text += "</blockquote>";
    if (before !== undefined) text += block.gap ? "\n\n" : "\n";
    if (tagged && opens) text += "<blockquote>";
    text += write(block, style);
  }
  return tagged && isQuoted(blocks.at(-1)) ? `${text}</blockquote>` : text;
}

function isQuoted(block: Block | undefined): block is TextBlock {
  return block?.kind === "text" && block.quote > 0;
}

function htmlCode(block: CodeBlock): string {
  const text = escapeText(block.lines.join("\n"));
  return block.language === ""
    ? `<pre>${text}</pre>`
    : `<pre><code class="language-${block.language}">${text}</code></pre>`;
}

function escapeText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Telegram looks for `@name` in the text that is left without tags, so one at the end may go on behind a tag. */
function guardMentions(text: string): string {
  return text.replaceAll(/(?<![\p{L}\p{N}_])@(?=[A-Za-z]|$)/gu, `@${ZERO_WIDTH_SPACE}`);
}
