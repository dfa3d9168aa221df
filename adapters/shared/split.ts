import assert from "node:assert/strict";
import { type Block, isVisible, lengthOfText, PLAIN, type TextBlock, textOf } from "./markdown-blocks.ts";
import { type Cut, cutBlock, fits, type Measure, plainer, type Size, sizeWithin } from "./split-cut.ts";

/** How one platform measures and writes messages. */
export interface Dialect<Part> {
  /** What one message may hold, in any number of dimensions; the first is text in UTF-16 units. */
  readonly limits: Size;
  /** At most what the block adds to a message, line breaks before it included; as many numbers as `limits`. */
  readonly measure: Measure;
  /** Blocks that fit together, as one message. */
  readonly compose: (blocks: readonly Block[]) => Part;
}

/** Messages for one reply. Beyond that people stop reading, and pacing would hold the conversation up for minutes. */
export const PARTS_MAX = 50;

/** How much of a reply its place takes, and what the last message says when that is not all. */
export interface Limit {
  readonly messagesMax: number;
  readonly notice: (charsLeftOut: number) => string;
  /** Kept free in each message, the last one included: any of them may turn out to be the last. */
  readonly keptChars: number;
}

/** Where nothing but people's patience limits a reply. */
export const ANYWHERE: Limit = {
  messagesMax: PARTS_MAX,
  notice: (chars) => `… (the reply is too long: ${chars} more characters were left out)`,
  keptChars: 0,
};
/** Kept free in the last message for the line that says what was left out. */
const NOTICE_CHARS = 100;

/** A message, and how many characters of the reply neither it nor one before it says. */
export interface Placed<Part> {
  readonly part: Part;
  readonly charsAfter: number;
}

/** As {@link place}, for a place that takes as many messages as anybody would read. */
export function layout<Part>(blocks: readonly Block[], dialect: Dialect<Part>): readonly Part[] {
  return place(blocks, dialect, ANYWHERE).map(({ part }) => part);
}

/**
 * Packs blocks into messages, in order. A block is cut only if it fits no message of its own: code between lines,
 * text after a line, a sentence, a word, and at worst between graphemes. Always gives at least one part.
 */
export function place<Part>(
  blocks: readonly Block[],
  dialect: Dialect<Part>,
  limit: Limit,
): readonly Placed<Part>[] {
  const pages = new Pages(dialect, limit);
  const said = blocks.filter(isWorthSaying);
  let charsAfter = 0;
  let notice: Block | null = null;
  for (const [index, block] of said.entries()) {
    const left = pages.add(block);
    if (left === null) continue;
    charsAfter = charsOf([...pages.takeHeadings(), left, ...said.slice(index + 1)]);
    notice = sentence(limit.notice(charsAfter));
    pages.note(notice);
    break;
  }
  const placed: Placed<Part>[] = [];
  for (const page of pages.finish().reverse()) {
    placed.push({ part: dialect.compose(page), charsAfter });
    charsAfter += charsOf(page.filter((block) => block !== notice));
  }
  return placed.reverse();
}

function charsOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + lengthOfText(block), 0);
}

/** Messages being filled, one after the other. */
class Pages {
  readonly #done: Block[][] = [];
  readonly #limits: Size;
  readonly #measure: Measure;
  readonly #messagesMax: number;
  readonly #keptAtEnd: number;
  #page: Block[] = [];
  #used: Size;

  constructor({ limits, measure }: Dialect<unknown>, { messagesMax, keptChars }: Limit) {
    this.#limits = limits.map((max, i) => (i === 0 ? max - keptChars : max));
    this.#measure = measure;
    this.#messagesMax = messagesMax;
    this.#keptAtEnd = Math.max(0, NOTICE_CHARS - keptChars);
    this.#used = limits.map(() => 0);
  }

  /** Gives what is left of the block when there is no more room for it; null when it was placed. */
  add(block: Block): Block | null {
    let rest: Block | null = block;
    while (rest !== null) {
      if (this.#fitsHere(rest)) {
        this.#put(rest);
        return null;
      }
      if (!this.#isLast() && this.#isBetterOnNext(rest)) {
        this.#turn();
        continue;
      }
      const cut = this.#cut(rest);
      if (cut !== null) {
        this.#put(cut.head);
        rest = cut.tail;
      }
      if (rest === null) return null;
      if (this.#isLast()) return rest;
      this.#turn();
    }
    return null;
  }

  /** Those at the foot of the page, which say nothing without what comes after them. */
  takeHeadings(): Block[] {
    const lastText = this.#page.findLastIndex((block) => block.kind !== "text" || !block.heading);
    return lastText === -1 ? [] : this.#page.splice(lastText + 1);
  }

  /** A line in the room that was kept free for it. */
  note(line: Block): void {
    this.#page.push(line);
  }

  finish(): Block[][] {
    const pages = [...this.#done, this.#page].filter((page) => page.some(isWorthSaying));
    return pages.length === 0 ? [[sentence("(empty reply)")]] : pages;
  }

  #fitsHere(block: Block): boolean {
    const room = this.#room();
    return fits(sizeWithin(room, block, this.#measure), room);
  }

  #cut(block: Block): Cut | null {
    if (this.#page.length > 0) return cutBlock(block, this.#room(), this.#measure, false);
    const cut =
      cutBlock(block, this.#room(), this.#measure, true) ??
      cutBlock(plainer(block), this.#room(), this.#measure, true);
    assert(cut !== null, "Expected every message to hold at least one character, got a limit below that");
    return cut;
  }

  /** Also the room for a block that is better cut on a page that is still half empty. */
  #isBetterOnNext(block: Block): boolean {
    if (this.#page.length === 0) return false;
    const isHalfFull = (this.#used[0] ?? 0) * 2 > (this.#limits[0] ?? 0);
    return isHalfFull || fits(sizeWithin(this.#limits, block, this.#measure), this.#limits);
  }

  #room(): Size {
    const kept = this.#isLast() ? this.#keptAtEnd : 0;
    return this.#limits.map((limit, i) => limit - (this.#used[i] ?? 0) - (i === 0 ? kept : 0));
  }

  #isLast(): boolean {
    return this.#done.length === this.#messagesMax - 1;
  }

  #put(block: Block): void {
    const size = this.#measure(block);
    this.#page.push(block);
    this.#used = this.#used.map((value, i) => value + (size[i] ?? 0));
  }

  /** A heading alone at the foot of a message belongs to the next one. */
  #turn(): void {
    const headings = this.takeHeadings();
    this.#done.push(this.#page);
    this.#page = [];
    this.#used = this.#limits.map(() => 0);
    for (const heading of headings) this.#put(heading);
  }
}

/** A list's marker is worth saying without text; blanks are not. */
export function isWorthSaying(block: Block): boolean {
  return isVisible(textOf(block)) || (block.kind === "text" && block.marker !== null);
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
