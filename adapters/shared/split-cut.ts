import {
  type Block,
  type CodeBlock,
  lengthOfText,
  PLAIN,
  type Span,
  type TextBlock,
  textOf,
} from "./markdown-blocks.ts";

/** One number for each dimension of a message; the first is text in UTF-16 units. */
export type Size = readonly number[];

/** At most what a block adds to a message. */
export type Measure = (block: Block) => Size;

/** Looked at beyond a cut, to see whether it would split a word or a grapheme. */
const LOOKAHEAD_CHARS = 64;

export interface Cut {
  readonly head: Block;
  readonly tail: Block | null;
}

export function fits(size: Size, room: Size): boolean {
  return size.every((value, i) => value <= (room[i] ?? 0));
}

/** Of a block that is far too long only the length is looked at: writing it again for each message would be quadratic. */
export function sizeWithin(room: Size, block: Block, measure: Measure): Size {
  const length = lengthOfText(block);
  return length > (room[0] ?? 0) ? room.map(() => Number.POSITIVE_INFINITY) : measure(block);
}

/**
 * The longest start of a block that fits, broken where a reader would; null when there is none. `within` allows a cut
 * inside a line of code.
 */
export function cutBlock(block: Block, room: Size, measure: Measure, within: boolean): Cut | null {
  if (block.kind === "text") return cutText(block, room, measure);
  if (block.kind === "table") return null;
  return cutBetweenLines(block, room, measure) ?? (within ? cutLine(block, room, measure) : null);
}

/** The same words with nothing around them, so that some fit into any message. */
export function plainer(block: Block): TextBlock {
  return {
    kind: "text",
    quote: 0,
    level: 0,
    marker: null,
    gap: false,
    heading: false,
    spans: [{ ...PLAIN, text: textOf(block) }],
  };
}

function cutBetweenLines(block: CodeBlock, room: Size, measure: Measure): Cut | null {
  const { lines, head } = block;
  const start = (count: number) => ({ ...block, lines: lines.slice(0, count) });
  const count = largest(Math.min(lines.length, room[0] ?? 0), (n) =>
    fits(sizeWithin(room, start(n), measure), room),
  );
  return count > head.length ? { head: start(count), tail: codeTail(block, lines.slice(count)) } : null;
}

function cutLine(block: CodeBlock, room: Size, measure: Measure): Cut | null {
  const { head } = block;
  const [line = "", ...rest] = block.lines.slice(head.length);
  const start = (chars: number) => ({ ...block, lines: [...head, line.slice(0, chars)] });
  const chars = largest(Math.min(line.length, room[0] ?? 0), (n) => fits(measure(start(n)), room));
  const at = breakBefore(line, chars, anywhere);
  if (at === 0) return null;
  return { head: start(at), tail: codeTail(block, line.length > at ? [line.slice(at), ...rest] : rest) };
}

function codeTail(block: CodeBlock, rest: readonly string[]): CodeBlock | null {
  return rest.length === 0 ? null : { ...block, gap: true, lines: [...block.head, ...rest] };
}

function cutText(block: TextBlock, room: Size, measure: Measure): Cut | null {
  const charsMax = room[0] ?? 0;
  const window = textOf({ ...block, spans: take(block.spans, charsMax + LOOKAHEAD_CHARS) });
  const start = (chars: number): TextBlock => ({ ...block, spans: trimEnd(take(block.spans, chars)) });
  const isFitting = (chars: number) => fits(measure(start(chars)), room);
  let at = breakBefore(
    window,
    largest(Math.min(window.length, charsMax), isFitting),
    openAt(block.spans, window.length),
  );
  // A shorter text may need a longer escape: go on to shorter ones until one does fit.
  while (at > 0 && !isFitting(at)) at = breakBefore(window, at - 1, anywhere);
  if (at === 0) return null;
  const spans = trimStart(drop(block.spans, at));
  const tail: TextBlock = { ...block, marker: null, gap: false, heading: false, spans };
  return { head: start(at), tail: spans.length === 0 ? null : tail };
}

function anywhere(): boolean {
  return true;
}

/** The largest n up to `max` that holds, for a test that holds up to some point; 0 when none does. */
function largest(max: number, holds: (n: number) => boolean): number {
  let low = 0;
  let high = Math.max(0, max) + 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Where to cut at or before `end`: after a line or a sentence in the second half, else after a word, else between
 * graphemes. `isOpen` says where a cut would not split a link or a code span. 0 only when `end` is.
 */
function breakBefore(text: string, end: number, isOpen: (at: number) => boolean): number {
  if (end <= 0 || end >= text.length) return end;
  const half = end / 2;
  return (
    lastBreak(end, half, (at) => text[at] === "\n" && isOpen(at)) ||
    lastBreak(end, half, (at) => isSentenceEnd(text, at) && isOpen(at)) ||
    lastBreak(end, 0, (at) => isSpace(text, at) && isOpen(at)) ||
    lastBreak(end, 0, (at) => isSpace(text, at)) ||
    graphemeBefore(text, end)
  );
}

function lastBreak(end: number, after: number, accept: (at: number) => boolean): number {
  for (let at = end; at > after; at--) if (accept(at)) return at;
  return 0;
}

function isSpace(text: string, at: number): boolean {
  return /\s/.test(text.charAt(at));
}

function isSentenceEnd(text: string, at: number): boolean {
  if (/[。！？；]/.test(text.charAt(at - 1))) return true;
  return isSpace(text, at) && /[.!?…:;]["'”’»)\]]{0,3}$/.test(text.slice(Math.max(0, at - 4), at));
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The last grapheme boundary at or before `end`; inside a grapheme that is longer than a message, between code points. */
function graphemeBefore(text: string, end: number): number {
  const window = text.slice(0, end + LOOKAHEAD_CHARS);
  const at = segmenter.segment(window).containing(end)?.index ?? end;
  if (at > 0) return at;
  return isLowSurrogate(text.charCodeAt(end)) ? end - 1 : end;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** Tells for each offset whether no link, no code span and no mention covers it. */
function openAt(spans: readonly Span[], length: number): (at: number) => boolean {
  const closed = new Set<number>();
  let offset = 0;
  for (const span of spans) {
    if (offset > length) break;
    if (span.href !== null || span.code || span.mention !== undefined)
      for (let i = 1; i < span.text.length && offset + i <= length; i++) closed.add(offset + i);
    offset += span.text.length;
  }
  return (at) => !closed.has(at);
}

/** The first `chars` UTF-16 units. */
function take(spans: readonly Span[], chars: number): Span[] {
  const taken: Span[] = [];
  let left = chars;
  for (const span of spans) {
    if (left <= 0) break;
    taken.push(span.text.length <= left ? span : { ...span, text: span.text.slice(0, left) });
    left -= span.text.length;
  }
  return taken;
}

function drop(spans: readonly Span[], chars: number): Span[] {
  let left = chars;
  const index = spans.findIndex((span) => {
    if (span.text.length > left) return true;
    left -= span.text.length;
    return false;
  });
  if (index === -1) return [];
  const [first, ...rest] = spans.slice(index);
  return first === undefined ? [] : [{ ...first, text: first.text.slice(left) }, ...rest];
}

function trimEnd(spans: readonly Span[]): Span[] {
  const index = spans.findLastIndex((span) => span.text.trim() !== "");
  const last = spans[index];
  return last === undefined ? [] : [...spans.slice(0, index), { ...last, text: last.text.trimEnd() }];
}

function trimStart(spans: readonly Span[]): Span[] {
  const index = spans.findIndex((span) => span.text.trim() !== "");
  const [first, ...rest] = index === -1 ? [] : spans.slice(index);
  return first === undefined ? [] : [{ ...first, text: first.text.trimStart() }, ...rest];
}
