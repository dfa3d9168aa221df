import { get, getArray, getObject, getString, isObject, type JsonObject } from "../../src/shared/json.ts";
import {
  type Block,
  type CodeBlock,
  isVisible,
  PLAIN,
  type Span,
  type TableBlock,
} from "../shared/markdown-blocks.ts";
import { joinBlocks, writeTextLines, ZERO_WIDTH_SPACE } from "../shared/markdown-write.ts";
import { quietStyle, style } from "./style.ts";

/** A message of ours; its content says all of it, also to who sees no embeds and where Discord takes none. */
export interface Message {
  readonly content: string;
  /** In place of the content, where the message has tables. */
  readonly embedded?: Embedded;
}

export interface Embedded {
  /** What stands above the embeds; empty where nothing does. */
  readonly content: string;
  readonly embeds: readonly Embed[];
}

/** Words alone: no address, no picture, nothing that Discord would fetch. */
export interface Embed {
  readonly title?: string;
  readonly description?: string;
  readonly fields?: readonly Field[];
}

interface Field {
  readonly name: string;
  readonly value: string;
  /** Beside others, three in a line. */
  readonly inline?: true;
}

/** Of a message. */
export const EMBEDS_MAX = 10;
/** Of all embeds of a message together. */
export const EMBEDS_CHARS_MAX = 6_000;
const TITLE_CHARS_MAX = 256;
const DESCRIPTION_CHARS_MAX = 4_096;
const FIELDS_MAX = 25;
const NAME_CHARS_MAX = 256;
const VALUE_CHARS_MAX = 1_024;
/** So many rows are looked at one by one; more are compared, down a column. */
const CARDS_MAX = 10;
/** What an embed shows of a line of code on a phone. */
const CODE_COLUMNS_MAX = 40;
/** As wide as a third of an embed: a line of a field with neighbours. */
const INLINE_CHARS_MAX = 20;

/** What Discord counts: code points, which are never more than UTF-16 units. */
export function charsOf({ title = "", description = "", fields = [] }: Embed): number {
  return fields.reduce(
    (sum, { name, value }) => sum + name.length + value.length,
    title.length + description.length,
  );
}

/** `text` says all of the page. */
export function messageOf(page: readonly Block[], text: string): Message {
  const embeds = page.flatMap((block) => (block.kind === "table" ? (embedOf(block) ?? []) : []));
  const above = page.filter(({ kind }) => kind !== "table");
  // An address that would get a preview: the message with embeds cannot do without them.
  if (embeds.length === 0 || hasOpenAddress(above)) return { content: text };
  return { content: text, embedded: { content: joinBlocks(above, quietStyle), embeds } };
}

/** The same of a part that was stored; null: it has no embeds. */
export function readEmbedded(part: JsonObject): Embedded | null {
  const embedded = getObject(part, "embedded");
  const content = get(embedded, "content");
  const embeds = getArray(embedded, "embeds").flatMap(readEmbed);
  return typeof content !== "string" || embeds.length === 0 ? null : { content, embeds };
}

/** Whether a message as Discord has it is the one with these; also without them, where none were taken. */
export function isEmbedded(message: unknown, { content, embeds }: Embedded): boolean {
  const there = getArray(message, "embeds").flatMap(readEmbed);
  return there.length === 0 ? content !== "" : wordsOf(there) === wordsOf(embeds);
}

/** As far as Discord leaves them as they are. */
function wordsOf(embeds: readonly Embed[]): string {
  const words = embeds.flatMap(({ title, description, fields = [] }) => [
    ...[title, description],
    ...fields.flatMap(({ name, value }) => [name, value]),
  ]);
  return words.join(" ").replaceAll(/[\s\u200b]+/g, "");
}

function readEmbed(embed: unknown): readonly Embed[] {
  if (!isObject(embed)) return [];
  const [title, description] = [getString(embed, "title"), getString(embed, "description")];
  const fields = getArray(embed, "fields").flatMap((field): readonly Field[] => {
    const [name, value] = [getString(field, "name"), getString(field, "value")];
    if (name === undefined || value === undefined) return [];
    return [{ name, value, ...(get(field, "inline") === true && { inline: true }) }];
  });
  return [
    {
      ...(title !== undefined && { title }),
      ...(description !== undefined && { description }),
      ...(fields.length > 0 && { fields }),
    },
  ];
}

/**
 * | columns | title | for each row |
 * |-|-|-|
 * | one | its heading | an item of a list |
 * | two | both | a field: the first cell names it, the other is its value |
 * | more | the first, and that of any without cells | a field: the first cell names it, a line `heading: cell` for each other |
 * | more of many rows, all narrow | none | a line of code |
 *
 * Null where Discord would not take it, or it would not say all.
 */
export function embedOf({ rows, written }: TableBlock): Embed | null {
  const [head = [], ...body] = rows;
  const said = body.filter((row) => row.some(isSaid));
  const [code] = written;
  if (said.length > (head.length > 2 ? CARDS_MAX : FIELDS_MAX) && code?.kind === "code" && isSlim(code)) {
    const embed = { description: style.codeBlock(code) };
    return isWithinLimits(embed) ? embed : null;
  }
  // A title holds no link.
  if (said.length === 0 || said.length > FIELDS_MAX || head.some((cell) => cell.some(isLink))) return null;
  const isSaidBeside = (at: number) => said.some((row) => isSaid(row[at] ?? []));
  const title = head
    .filter((cell, at) => isSaid(cell) && (at === 0 || head.length === 2 || !isSaidBeside(at)))
    .map(nameOf)
    .join(" · ");
  const titled = title === "" ? {} : { title };
  const embed: Embed =
    head.length === 1
      ? { ...titled, description: said.map(([cell = []]) => `- ${lineOf(cell)}`).join("\n") }
      : { ...titled, fields: besideEachOther(said.map((row) => fieldOf(head, row))) };
  return isWithinLimits(embed) ? embed : null;
}

type Cell = readonly Span[];

function fieldOf(head: readonly Cell[], [first = [], ...cells]: readonly Cell[]): Field {
  const named = (column: number, cell: Cell) => {
    const heading = head[column] ?? [];
    return lineOf(isSaid(heading) ? [...heading.map(plain), PAUSE, ...cell] : cell);
  };
  const lines = cells.flatMap((cell, index) => {
    if (!isSaid(cell)) return [];
    return [cells.length === 1 ? lineOf(cell) : named(index + 1, cell)];
  });
  // A name holds no link.
  const value = [...(first.some(isLink) ? [named(0, first)] : []), ...lines].join("\n");
  return { name: nameOf(first) || ZERO_WIDTH_SPACE, value: value || ZERO_WIDTH_SPACE };
}

function isSlim({ lines }: CodeBlock): boolean {
  return lines.every((line) => line.length <= CODE_COLUMNS_MAX);
}

/** Where all of them are narrow. */
function besideEachOther(fields: readonly Field[]): readonly Field[] {
  const isNarrow = fields.every(({ name, value }) =>
    [name, ...value.split("\n")].every((line) => line.length <= INLINE_CHARS_MAX),
  );
  return isNarrow && fields.length > 1 ? fields.map((field) => ({ ...field, inline: true })) : fields;
}

function isWithinLimits(embed: Embed): boolean {
  const { title = "", description = "", fields = [] } = embed;
  return (
    title.length <= TITLE_CHARS_MAX &&
    description.length <= DESCRIPTION_CHARS_MAX &&
    charsOf(embed) <= EMBEDS_CHARS_MAX &&
    fields.every(({ name, value }) => name.length <= NAME_CHARS_MAX && value.length <= VALUE_CHARS_MAX)
  );
}

/** Written where it is bold by itself, and where Discord reads no links. */
function nameOf(cell: Cell): string {
  return isSaid(cell) ? lineOf(cell.map((span) => ({ ...span, bold: false, href: null }))) : "";
}

function lineOf(cell: Cell): string {
  const spans = cell.map((span) => ({ ...span, text: span.text.replaceAll("\n", " ") }));
  const block = { kind: "text", quote: 0, level: 0, marker: null, gap: false, heading: false } as const;
  return writeTextLines({ ...block, spans }, style)
    .join(" ")
    .trim();
}

const plain = ({ text }: Span): Span => ({ ...PLAIN, text });
const PAUSE: Span = { ...PLAIN, text: ": " };

function isSaid(cell: Cell): boolean {
  return isVisible(cell.map(({ text }) => text).join(""));
}

function isLink({ href }: Span): boolean {
  return href !== null;
}

/** Looked for in what is written: also pieces that look different may make an address together. */
function hasOpenAddress(blocks: readonly Block[]): boolean {
  const prose = blocks.filter(({ kind }) => kind === "text");
  const written = joinBlocks(prose, { ...quietStyle, code: () => "`" });
  return /https?:\/\/[^\s`<>]/i.test(written.replaceAll(/<https?:\/\/[^\s<>]+>/gi, ""));
}
