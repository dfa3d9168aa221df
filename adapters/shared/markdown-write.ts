import {
  type Block,
  type CodeBlock,
  linesOf,
  type Marker,
  type MentionSpan,
  PLAIN,
  type Span,
  sameLook,
  type TextBlock,
} from "./markdown-blocks.ts";

/** How one dialect writes inline text. Every function gives finished, escaped text. */
interface InlineStyle {
  text(text: string): string;
  code(text: string): string;
  link(label: string, href: string): string;
  /** Names somebody for good; null, or absent: with words alone. */
  mention?(mention: MentionSpan): string | null;
  readonly bold: readonly [open: string, close: string];
  readonly italic: readonly [open: string, close: string];
  readonly strike: readonly [open: string, close: string];
  /** True where a marker works only at a word's edge: a zero-width space then stands between it and a letter. */
  readonly markersNeedEdges: boolean;
  /** True where code can have no other look. */
  readonly codeStandsAlone: boolean;
}

export interface LineStyle extends InlineStyle {
  /** Spaces for each level of a list. */
  readonly indent: string;
  /** By level, from the outside. */
  readonly bullets: readonly string[];
  readonly task: readonly [open: string, done: string];
  /** Escapes what would be read as a quote or a list at the start of a line. */
  lineStart(line: string): string;
  codeBlock(block: CodeBlock): string;
}

/** Not shown, has no width, and is no letter: keeps apart what would be read as one. */
export const ZERO_WIDTH_SPACE = "\u200b";

const INERT = /^[\p{L}\p{M}\p{N} ,.;?!'%$]*$/u;

const MARKS = ["bold", "strike", "italic"] as const;

/** One line of text with its looks, outer ones opened first, so that markers always nest. */
function writeInline(spans: readonly Span[], style: InlineStyle): string {
  const [first, ...others] = spans;
  // Most lines are nothing but text, and much of that means nothing to any dialect.
  if (first !== undefined && others.length === 0 && sameLook(first, PLAIN))
    return INERT.test(first.text) ? first.text : style.text(first.text);
  return writeMarks(style.codeStandsAlone ? spans.map(bareCode) : spans, style, 0);
}

function bareCode(span: Span): Span {
  return span.code && span.href === null ? { ...PLAIN, code: true, text: span.text } : span;
}

function writeMarks(spans: readonly Span[], style: InlineStyle, depth: number): string {
  const mark = MARKS[depth];
  const line = createJoiner(style);
  if (mark === undefined) {
    for (const span of spans) line.add(writeLeaf(span, style), span.code);
    return line.text();
  }
  for (const run of runsOf(spans, mark)) {
    const inner = writeMarks(run, style, depth + 1);
    if (run[0]?.[mark] !== true) line.add(inner, false);
    else wrap(inner, style[mark], line);
  }
  return line.text();
}

/** Markers hug the text: a space inside them would keep most platforms from reading them. */
function wrap(inner: string, [open, close]: readonly [string, string], line: Joiner): void {
  const core = inner.trim();
  const start = inner.length - inner.trimStart().length;
  line.add(inner.slice(0, start), false);
  if (core !== "") line.add(open + core + close, true);
  line.add(inner.slice(start + core.length), false);
}

function runsOf(spans: readonly Span[], mark: (typeof MARKS)[number]): Span[][] {
  const runs: Span[][] = [];
  for (const span of spans) {
    const run = runs.at(-1);
    if (run?.[0]?.[mark] === span[mark]) run.push(span);
    else runs.push([span]);
  }
  return runs;
}

function writeLeaf(span: Span, style: InlineStyle): string {
  if (span.href !== null) return style.link(span.text, span.href);
  if (span.mention?.text === span.text) return style.mention?.(span.mention) ?? style.text(span.text);
  return span.code ? style.code(span.text) : style.text(span.text);
}

interface Joiner {
  add(piece: string, marked: boolean): void;
  text(): string;
}

/** Joins pieces; where a marker would touch a letter or another marker, a zero-width space keeps them apart. */
function createJoiner(style: InlineStyle): Joiner {
  const pieces: string[] = [];
  let last = "";
  let lastMarked = false;
  return {
    add(piece, marked) {
      if (piece === "") return;
      const meets = isSticky(last) && isSticky(piece.charAt(0));
      if (style.markersNeedEdges && (marked || lastMarked) && meets) pieces.push(ZERO_WIDTH_SPACE);
      pieces.push(piece);
      last = piece.at(-1) ?? "";
      lastMarked = marked;
    },
    text: () => pieces.join(""),
  };
}

function isSticky(character: string): boolean {
  return /[\p{L}\p{N}\p{Cs}_*~`\\]/u.test(character);
}

/** Nested quotes are shown by a bar: no platform nests its own. */
const QUOTE_BAR = "│ ";

/** A block's lines, without the quote mark of the platform. */
export function writeTextLines(block: TextBlock, style: LineStyle): string[] {
  const bars = QUOTE_BAR.repeat(Math.max(0, block.quote - 1));
  const outer = block.marker === null ? block.level : block.level - 1;
  return linesOf(block.spans).map((line, index) => {
    const written = style.lineStart(writeInline(line, style));
    const lead =
      index === 0 && block.marker !== null
        ? style.indent.repeat(outer) + writeMarker(block.marker, outer, style)
        : style.indent.repeat(block.level);
    return (bars + lead + written).trimEnd();
  });
}

function writeMarker(marker: Marker, level: number, style: LineStyle): string {
  if (marker.kind === "number") return `${marker.number}. `;
  if (marker.kind === "task") return style.task[marker.done ? 1 : 0];
  return style.bullets[Math.min(level, style.bullets.length - 1)] ?? "";
}

/** For dialects whose quote is `> ` before each line. */
function writeBlock(block: Block, style: LineStyle): string {
  if (block.kind === "table") return joinBlocks(block.written, style);
  if (block.kind === "code") return style.codeBlock(block);
  const quote = block.quote > 0 ? "> " : "";
  return writeTextLines(block, style)
    .map((line) => quote + line)
    .join("\n");
}

/** Blocks on lines of their own; a blank line inside a quote stays inside it. */
export function joinBlocks(blocks: readonly Block[], style: LineStyle): string {
  let text = "";
  for (const [index, block] of blocks.entries()) {
    const before = blocks[index - 1];
    if (before !== undefined) {
      const quoted = isQuoted(before) && isQuoted(block) ? "> " : "";
      text += block.gap ? `\n${quoted}\n` : "\n";
    }
    text += writeBlock(block, style);
  }
  return text;
}

function isQuoted(block: Block): boolean {
  return block.kind === "text" && block.quote > 0;
}

/** What {@link joinBlocks} adds for a block at most: itself and the lines before it. */
export function lengthOf(block: Block, style: LineStyle): number {
  return writeBlock(block, style).length + 4;
}

/**
 * Where no escape exists, a zero-width space after a literal marker keeps it from opening anything. Inside a word a
 * marker opens nothing, and inside a URL it must stay.
 */
export function guardMarkers(text: string): string {
  return outsideUrls(text, (prose) =>
    prose.replaceAll(/(?<![\p{L}\p{N}])[*_~](?=\S|$)|`/gu, `$&${ZERO_WIDTH_SPACE}`),
  );
}

/** Applies an escape everywhere but in URLs, which it would break. */
export function outsideUrls(text: string, escapeProse: (prose: string) => string): string {
  return text
    .split(/(https?:\/\/[^\s`<>[\]]+)/i)
    .map((piece, index) => (index % 2 === 1 ? piece : escapeProse(piece)))
    .join("");
}

/** The same text, unable to end a fence: no three backticks stay together. */
export function guardFence(text: string): string {
  return text.replaceAll(/``(?=`)/g, `\`\`${ZERO_WIDTH_SPACE}`);
}

/** Inline code where a backtick cannot be escaped: a letter that looks like one stands for it. */
export function inlineCode(text: string): string {
  const shown = text.replaceAll("`", "ˋ").trim();
  return shown === "" ? text : `\`${shown}\``;
}
