/**
 * What a reply is between Markdown and a platform: flat blocks of plain data, free of any syntax. They are cut into
 * messages first and written out afterwards, so no cut can fall inside a tag, an escape or a marker.
 */

/** A stretch of text with one look. */
export interface Span {
  readonly text: string;
  readonly bold: boolean;
  readonly italic: boolean;
  readonly strike: boolean;
  readonly code: boolean;
  /** Checked: safe scheme, no character that could end a link. */
  readonly href: string | null;
  /** Names somebody for good, as long as the text is all of it: a cut may leave less. */
  readonly mention?: MentionSpan;
}

export interface MentionSpan {
  readonly kind: "person" | "channel" | "group";
  readonly id: string;
  /** With its @ or #. */
  readonly text: string;
}

export const PLAIN: Span = {
  text: "",
  bold: false,
  italic: false,
  strike: false,
  code: false,
  href: null,
};

export type Marker =
  | { readonly kind: "bullet" }
  | { readonly kind: "number"; readonly number: number }
  | { readonly kind: "task"; readonly done: boolean };

export interface TextBlock {
  readonly kind: "text";
  /** Depth of block quotes around it. */
  readonly quote: number;
  /** Depth of lists around it; a marker stands one level further out. */
  readonly level: number;
  readonly marker: Marker | null;
  /** A blank line before it, unless it opens a message. */
  readonly gap: boolean;
  /** Stays in one message with what follows. */
  readonly heading: boolean;
  /** Line breaks are `\n` in the text. */
  readonly spans: readonly Span[];
}

export interface CodeBlock {
  readonly kind: "code";
  readonly gap: boolean;
  /** Empty, or made of letters, digits and `+#.-_` only. */
  readonly language: string;
  /** Said again at the top of each message when the block is cut: a table's heading. */
  readonly head: readonly string[];
  readonly lines: readonly string[];
}

/** Only where the dialect has tables of its own. It is never cut. */
export interface TableBlock {
  readonly kind: "table";
  readonly gap: boolean;
  /** The heading first; all of one length. */
  readonly rows: readonly (readonly (readonly Span[])[])[];
  readonly align: readonly Align[];
  /** The same as text. */
  readonly written: readonly Block[];
}

export type Align = "left" | "right" | "center" | null;

export type Block = TextBlock | CodeBlock | TableBlock;

export function sameLook(a: Span, b: Span): boolean {
  return (
    a.bold === b.bold &&
    a.italic === b.italic &&
    a.strike === b.strike &&
    a.code === b.code &&
    a.href === b.href &&
    a.mention === b.mention
  );
}

/** Joins neighbours of one look, so that nothing can hide in the seam; drops empty ones. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  let texts: string[] = [];
  let look: Span | null = null;
  const close = () => {
    if (look !== null) merged.push({ ...look, text: texts.join("") });
    texts = [];
  };
  for (const span of spans) {
    if (span.text === "") continue;
    if (look === null || !sameLook(look, span)) {
      close();
      look = span;
    }
    texts.push(span.text);
  }
  close();
  return merged;
}

export function textOf(block: Block): string {
  if (block.kind === "table") return block.written.map(textOf).join("\n");
  return block.kind === "code" ? block.lines.join("\n") : block.spans.map((span) => span.text).join("");
}

/** UTF-16 units of {@link textOf}. */
export function lengthOfText(block: Block): number {
  if (block.kind === "table") return textOf(block).length;
  const texts = block.kind === "code" ? block.lines : block.spans.map((span) => span.text);
  const breaks = block.kind === "code" ? Math.max(0, texts.length - 1) : 0;
  return texts.reduce((sum, text) => sum + text.length, breaks);
}

/** Something a person can see: platforms refuse a message of blanks. */
export function isVisible(text: string): boolean {
  return /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\u2800]/u.test(text);
}

/** The lines of a text block; a link or any other look never runs over a line's end. */
export function linesOf(spans: readonly Span[]): Span[][] {
  const lines: Span[][] = [[]];
  for (const span of spans) {
    for (const [index, text] of span.text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      if (text !== "") lines.at(-1)?.push({ ...span, text });
    }
  }
  return lines;
}
