import {
  type Block,
  type CodeBlock,
  isVisible,
  PLAIN,
  type Span,
  type TextBlock,
  textOf,
} from "./markdown-blocks.ts";

/** How one platform measures and writes messages. */
export interface Dialect<Part> {
  /** What one message may hold, in any number of dimensions; the first is text in UTF-16 units. */
  readonly limits: readonly number[];
  /** At most what the block adds to a message, line breaks before it included; as many numbers as `limits`. */
  measure(block: Block): readonly number[];
  /** Blocks that fit together, as one message. */
  compose(blocks: readonly Block[]): Part;
}

/** Messages for one reply. Beyond that people stop reading, and pacing holds the conversation up for minutes. */
export const PARTS_MAX = 50;
/** Kept free in the last message for the line that says what was left out. */
const NOTICE_CHARS = 100;

/**
 * Packs blocks into messages, in order. A block is cut only if it fits no message of its own: code between lines,
 * text after a line, a sentence, a word, and at worst between graphemes. Always gives at least one part.
 */
export function layout<Part>(blocks: readonly Block[], dialect: Dialect<Part>): readonly Part[] {
  const pages = paginate(blocks.filter(isWorthSaying), dialect);
  const seen = pages.filter((page) => page.some((block) => isVisible(textOf(block)) || hasMarker(block)));
  return (seen.length === 0 ? [[sentence("(empty reply)")]] : seen).map((page) => dialect.compose(page));
}

function isWorthSaying(block: Block): boolean {
  return hasMarker(block) || isVisible(textOf(block));
}

function hasMarker(block: Block): boolean {
  return block.kind === "text" && block.marker !== null;
}

function sentence(text: string): TextBlock {
  return {
    kind: "text",
    quote: 0,
    level: 0,
    marker: null,
    gap: true,
    heading: false,
    spans: [{ ...PLAIN, text }],
  };
}

type Size = readonly number[];

function paginate(blocks: readonly Block[], dialect: Dialect<unknown>): Block[][] {
  const pages: Block[][] = [];
  let page: Block[] = [];
  let used: Size = dialect.limits.map(() => 0);
  const room = () =>
    dialect.limits.map((limit, i) => limit - (used[i] ?? 0) - (i === 0 && isLast() ? NOTICE_CHARS : 0));
  const isLast = () => pages.length === PARTS_MAX - 1;
  const put = (block: Block) => {
    const size = dialect.measure(block);
    page.push(block);
    used = used.map((value, i) => value + (size[i] ?? 0));
  };
  const turn = () => {
    const carried = takeHeadings(page);
    pages.push(page);
    page = [];
    used = dialect.limits.map(() => 0);
    for (const block of carried) put(block);
  };

  for (const [index, block] of blocks.entries()) {
    for (let rest: Block | null = block; rest !== null; ) {
      const size = dialect.measure(rest);
      if (fits(size, room())) {
        put(rest);
        break;
      }
      const keepWhole = fits(size, dialect.limits) || (used[0] ?? 0) * 2 > (dialect.limits[0] ?? 0);
      const cut: Cut = page.length > 0 && keepWhole && !isLast() ? null : cutBlock(rest, room(), dialect);
      if (cut !== null) {
        put(cut.head);
        rest = cut.tail;
      }
      if (rest === null) break;
      if (isLast()) {
        const left = [rest, ...blocks.slice(index + 1)].reduce((sum, each) => sum + textOf(each).length, 0);
        return [
          ...pages,
          [...page, sentence(`… (the reply is too long: ${left} more characters were left out)`)],
        ];
      }
      turn();
    }
  }
  return page.length === 0 ? pages : [...pages, page];
}

/** A heading alone at the foot of a message belongs to the next one. */
function takeHeadings(page: Block[]): Block[] {
  let from = page.length;
  while (from > 0 && isHeading(page[from - 1])) from--;
  return from === 0 ? [] : page.splice(from);
}

function isHeading(block: Block | undefined): boolean {
  return block?.kind === "text" && block.heading;
}

function fits(size: Size, room: Size): boolean {
  return size.every((value, i) => value <= (room[i] ?? 0));
}

type Cut = { readonly head: Block; readonly tail: Block | null } | null;

/** The longest head that fits, broken where a reader would; null when not even one character does. */
function cutBlock(block: Block, room: Size, dialect: Dialect<unknown>): Cut {
  return block.kind === "code" ? cutCode(block, room, dialect) : cutText(block, room, dialect);
}

function cutCode(block: CodeBlock, room: Size, dialect: Dialect<unknown>): Cut {
  const { lines, head } = block;
  const withLines = (count: number) => ({ ...block, lines: lines.slice(0, count) });
  const count = largest(Math.min(lines.length, room[0] ?? 0), (n) =>
    fits(dialect.measure(withLines(n)), room),
  );
  const tail = (rest: readonly string[]) => ({ ...block, gap: true, lines: [...head, ...rest] });
  if (count > head.length) return { head: withLines(count), tail: tail(lines.slice(count)) };

  const [line = "", ...rest] = lines.slice(head.length);
  const withStart = (chars: number) => ({ ...block, lines: [...head, line.slice(0, chars)] });
  const chars = largest(Math.min(line.length, room[0] ?? 0), (n) =>
    fits(dialect.measure(withStart(n)), room),
  );
  const at = breakBefore(line, chars, () => true);
  if (at === 0) return null;
  const rests = line.length > at ? [line.slice(at), ...rest] : rest;
  return { head: withStart(at), tail: rests.length === 0 ? null : tail(rests) };
}

function cutText(block: TextBlock, room: Size, dialect: Dialect<unknown>): Cut {
  const window = textOf({ ...block, spans: take(block.spans, room[0] ?? 0) });
  const start = (chars: number): TextBlock => ({ ...block, spans: trimEnd(take(block.spans, chars)) });
  const fitting = (chars: number) => fits(dialect.measure(start(chars)), room);
  let at = breakBefore(window, largest(window.length, fitting), openAt(block.spans, window.length));
  // A shorter text may need a longer escape: go on to shorter ones until it does fit.
  while (at > 0 && !fitting(at)) at = breakBefore(window, at - 1, () => true);
  if (at === 0) return null;
  const rest = trimStart(drop(block.spans, at));
  const tail = { ...block, marker: null, gap: false, heading: false, spans: rest };
  return { head: start(at), tail: rest.length === 0 ? null : tail };
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

const LINE = /\n/g;
const SENTENCE = /[.!?…:;]["'”’»)\]]*\s|[。！？；]/g;
const WORD = /\s/g;

/**
 * Where to cut at or before `end`: after a line or a sentence in the second half, else after a word, else between
 * graphemes. `isOpen` says where a cut would not split a link or a code span. 0 only when `end` is.
 */
function breakBefore(text: string, end: number, isOpen: (at: number) => boolean): number {
  if (end <= 0) return 0;
  const window = text.slice(0, end);
  if (end === text.length || /\s/.test(text.charAt(end))) {
    if (isOpen(end)) return end;
  }
  for (const [pattern, from] of [
    [LINE, end / 2],
    [SENTENCE, end / 2],
    [WORD, 0],
  ] as const) {
    const found = lastMatchEnd(window, pattern, (at) => at > from && isOpen(at));
    if (found > 0) return found;
  }
  return lastMatchEnd(window, WORD, () => true) || graphemeBefore(text, end);
}

function lastMatchEnd(text: string, pattern: RegExp, accept: (at: number) => boolean): number {
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    const at = match.index + match[0].length;
    if (accept(at)) last = at;
  }
  return last;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The last grapheme boundary at or before `end`; inside a grapheme that is longer than a message, between code points. */
function graphemeBefore(text: string, end: number): number {
  const window = text.slice(0, end + 64);
  if (end >= window.length) return end;
  const at = segmenter.segment(window).containing(end)?.index ?? end;
  if (at > 0) return at;
  return isLowSurrogate(text.charCodeAt(end)) ? end - 1 : end;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** Tells for each offset whether no link and no code span covers it. */
function openAt(spans: readonly Span[], length: number): (at: number) => boolean {
  const closed = new Set<number>();
  let offset = 0;
  for (const span of spans) {
    if (offset > length) break;
    if (span.href !== null || span.code)
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
  const last = spans.at(-1);
  if (last === undefined) return [];
  const text = last.text.trimEnd();
  return text === "" ? trimEnd(spans.slice(0, -1)) : [...spans.slice(0, -1), { ...last, text }];
}

function trimStart(spans: readonly Span[]): Span[] {
  const index = spans.findIndex((span) => span.text.trim() !== "");
  const [first, ...rest] = index === -1 ? [] : spans.slice(index);
  return first === undefined ? [] : [{ ...first, text: first.text.trimStart() }, ...rest];
}
