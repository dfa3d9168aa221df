import type { Table } from "mdast";
import { type Allowed, allowedSpans, withAllowedLinks } from "./link-hosts.ts";
import {
  type Align,
  type Block,
  type Marker,
  PLAIN,
  type Span,
  type TableBlock,
  type TextBlock,
} from "./markdown-blocks.ts";
import { type InlineContext, spansOf } from "./markdown-inline.ts";

/** Where blocks of a table stand. */
export type TablePlace = Pick<TextBlock, "quote" | "level" | "gap">;

interface TableContext extends InlineContext {
  readonly tableColumnsMax: number;
  readonly takesTable?: (table: TableBlock) => boolean;
  readonly allowed: Allowed | null;
}

type Rows = readonly (readonly (readonly Span[])[])[];

/** A table in the words of the dialect, or as text. */
export function tableBlocks(table: Table, context: TableContext, place: TablePlace): Block[] {
  const { allowed } = context;
  // Here, for what links become is longer than they are.
  const rows = table.children.map((row) =>
    row.children.map((cell) => allowedSpans(spansOf(cell.children, context), allowed)),
  );
  const [head = [], ...body] = rows;
  const align = table.align ?? [];
  const write = (some: Rows, gap: boolean) =>
    withAllowedLinks(written([head, ...some], align, { ...place, gap }, context.tableColumnsMax), allowed);
  const takes = place.quote === 0 && place.level === 0 ? context.takesTable : undefined;
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  // One in a list or a quote would leave it.
  if (takes === undefined || columns > OWN_COLUMNS_MAX) return [...write(body, place.gap)];
  return ownTables(head, body, place.gap, { align, write, takes });
}

/** No platform's tables have more; a row of thousands is not made of all the others. */
const OWN_COLUMNS_MAX = 100;

interface Own {
  readonly align: readonly Align[];
  readonly write: (body: Rows, gap: boolean) => readonly Block[];
  readonly takes: (table: TableBlock) => boolean;
}

/** One table, or as many as it takes for each to fit, each with the heading; what fits in none is written. */
function ownTables(head: Rows[number], body: Rows, gap: boolean, own: Own): Block[] {
  const table = tableOf([head, ...body], gap, own.align, own.write(body, gap));
  if (body.length > 0 && own.takes(table)) return [table];
  if (body.length <= 1) return [...table.written];
  const half = (body.length + 1) >> 1;
  return [...ownTables(head, body.slice(0, half), gap, own), ...ownTables(head, body.slice(half), true, own)];
}

function tableOf(rows: Rows, gap: boolean, align: readonly Align[], text: readonly Block[]): TableBlock {
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const whole = rows.map((row) => [...row, ...Array.from({ length: columns - row.length }, () => [])]);
  return { kind: "table", gap, rows: whole, align, written: text };
}

/**
 * A table as aligned columns in a code block. One that is too wide for a chat window, or has links (code shows
 * none), becomes a list of records instead.
 */
function written(rows: Rows, align: readonly Align[], place: TablePlace, columnsMax: number): Block[] {
  const [head = [], ...body] = rows;
  const texts = rows.map((row) => row.map(cellText));
  // A row may have more cells than the heading: a bar that nobody escaped. Their words are said all the same.
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  // One row may have thousands of empty cells: then nothing is measured for each row and column.
  if (columns * (1 + GAP) - GAP > columnsMax) return records(head, body, place);
  const widths = Array.from({ length: columns }, (_, column) =>
    texts.reduce((most, row) => Math.max(most, widthOf(row[column] ?? "")), 1),
  );
  const width = widths.reduce((sum, each) => sum + each + GAP, -GAP);
  const hasLinks = rows.some((row) => row.some((cell) => cell.some((span) => span.href !== null)));
  // Also what has little width may be long: a letter under a thousand accents.
  const isLong = texts.some((row) => row.join("").length > 4 * columnsMax);
  if (width > columnsMax || isLong || hasLinks) return records(head, body, place);
  return [aligned(texts, widths, align, place.gap)];
}

/** Blanks between columns. */
const GAP = 3;

function cellText(cell: readonly Span[]): string {
  return cell
    .map((span) => span.text)
    .join("")
    .replaceAll(/\s+/g, " ")
    .trim();
}

function aligned(
  texts: readonly (readonly string[])[],
  widths: readonly number[],
  align: readonly Align[],
  gap: boolean,
): Block {
  const [head = "", ...lines] = texts.map((row) =>
    widths
      .map((width, column) => pad(row[column] ?? "", width, align[column]))
      .join(" ".repeat(GAP))
      .trimEnd(),
  );
  const rule = widths.map((width) => "─".repeat(width)).join(" ".repeat(GAP));
  return { kind: "code", gap, language: "", head: [head, rule], lines: [head, rule, ...lines] };
}

function pad(text: string, width: number, align: Align | undefined): string {
  const room = width - widthOf(text);
  if (align === "right") return " ".repeat(room) + text;
  if (align === "center") return " ".repeat(room >> 1) + text + " ".repeat(room - (room >> 1));
  return text + " ".repeat(room);
}

/** Each row: its first cell in bold, then a line for each further cell; all are named by their column. */
function records(head: Rows[number], body: Rows, place: TablePlace): Block[] {
  const names = head.map(cellText);
  // A table without rows still says its heading.
  if (body.length === 0) return [line(place, null, join(head))];
  if ([head, ...body].every((row) => row.length <= 1)) return items(head, body, place);
  return body.flatMap((row, index) => record(names, row, { ...place, gap: index === 0 ? place.gap : true }));
}

/** Of one column: its heading, and a list. */
function items([head = []]: Rows[number], body: Rows, place: TablePlace): Block[] {
  const bold = head.map((span) => ({ ...span, bold: true }));
  const heading = cellText(head) === "" ? [] : [{ ...line(place, null, bold), heading: true }];
  return [
    ...heading,
    ...body.map(([cell = []], index) => {
      const gap = heading.length === 0 && index === 0 && place.gap;
      return line({ ...place, level: place.level + 1, gap }, { kind: "bullet" }, cell);
    }),
  ];
}

function record(names: readonly string[], row: Rows[number], place: TablePlace): Block[] {
  const [title = [], ...cells] = row;
  if (cells.length === 0) return [line(place, { kind: "bullet" }, title)];
  const bold = named(
    names[0],
    title.map((span) => ({ ...span, bold: true })),
  );
  const lines: Block[] = cellText(title) === "" ? [] : [{ ...line(place, null, bold), heading: true }];
  for (const [at, cell] of cells.entries()) {
    if (cellText(cell) === "") continue;
    const gap = lines.length === 0 && place.gap;
    lines.push(
      line({ ...place, level: place.level + 1, gap }, { kind: "bullet" }, named(names[at + 1], cell)),
    );
  }
  return lines;
}

function named(column: string | undefined, cell: readonly Span[]): readonly Span[] {
  return column === undefined || column === "" ? cell : [{ ...PLAIN, text: `${column}: ` }, ...cell];
}

function line(place: TablePlace, marker: Marker | null, spans: readonly Span[]): TextBlock {
  const level = marker === null ? place.level : Math.max(1, place.level);
  return { kind: "text", ...place, level, marker, heading: false, spans: spans.map(oneLine) };
}

function join(cells: Rows[number]): Span[] {
  return cells.flatMap((cell, index) => (index === 0 ? cell : [{ ...PLAIN, text: " | " }, ...cell]));
}

function oneLine(span: Span): Span {
  return { ...span, text: span.text.replaceAll("\n", " ") };
}

/** Columns in a monospaced font: wide for East Asian letters and emoji, none for what joins or combines. */
function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width +=
      /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(
        segment,
      ) || /^\p{Emoji_Presentation}|\ufe0f/u.test(segment)
        ? 2
        : 1;
  }
  return width;
}
