import { isRejected } from "../../src/shared/fault.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import type { Block, Span, TableBlock } from "../shared/markdown-blocks.ts";
import { ZERO_WIDTH_SPACE } from "../shared/markdown-write.ts";

/** A message of ours; its text says all of it, also for notifications and for whoever has it read out. */
export interface Message {
  readonly text: string;
  /** What is shown in place of the text, where that has a table. */
  readonly blocks?: readonly JsonObject[];
}

const ROWS_MAX = 100;
const COLUMNS_MAX = 20;
/** For the line that says what was left out. */
const KEPT_CHARS = 110;

/** A table whose text fits a message fits Slack's 10,000 characters of cells as well. */
export function takesTable({ rows }: TableBlock, written: string, charsMax: number): boolean {
  return (
    rows.length <= ROWS_MAX &&
    (rows[0]?.length ?? 0) <= COLUMNS_MAX &&
    written.length + KEPT_CHARS <= charsMax
  );
}

/** `sections` writes what stands around the table, each within a section. */
export function messageOf(
  page: readonly Block[],
  text: string,
  sections: (stretch: readonly Block[]) => readonly string[],
): Message {
  const at = page.findIndex(({ kind }) => kind === "table");
  const table = page[at];
  if (table?.kind !== "table") return { text };
  const around = (stretch: readonly Block[]) =>
    stretch.length === 0 ? [] : sections(stretch).map(sectionBlock);
  return { text, blocks: [...around(page.slice(0, at)), tableBlock(table), ...around(page.slice(at + 1))] };
}

/** Slack folds long sections up, but for those that say otherwise. */
export function sectionBlock(text: string): JsonObject {
  return { type: "section", text: { type: "mrkdwn", text }, expand: true };
}

function tableBlock({ rows, align }: TableBlock): JsonObject {
  const columns = rows[0]?.map((_, column) => {
    const side = align[column] ?? null;
    return { is_wrapped: true, ...(side !== null && { align: side }) };
  });
  return {
    type: "table",
    column_settings: columns ?? [],
    rows: rows.map((row) => row.map((cell) => cellOf(cell))),
  };
}

/** Slack reads no Markdown in a cell: all looks are its own. */
function cellOf(cell: readonly Span[]): JsonObject {
  const spans = cell.map((span) => ({ ...span, text: inert(span.text) })).filter(({ text }) => text !== "");
  // No cell may be empty.
  if (spans.every(isPlain))
    return {
      type: "raw_text",
      text:
        spans
          .map(({ text }) => text)
          .join("")
          .trim() || " ",
    };
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements: spans.map(elementOf) }] };
}

function elementOf({ text, href, bold, italic, strike, code }: Span): JsonObject {
  const looks = Object.entries({ bold, italic, strike, code }).filter(([, isOn]) => isOn);
  const style = looks.length === 0 ? {} : { style: Object.fromEntries(looks) };
  return href === null ? { type: "text", text, ...style } : { type: "link", url: href, text, ...style };
}

function isPlain({ href, bold, italic, strike, code }: Span): boolean {
  return href === null && !bold && !italic && !strike && !code;
}

/** Nothing in a cell is read as a mention today; should that change, nobody is named all the same. */
function inert(text: string): string {
  return text
    .replaceAll("\n", " ")
    .replaceAll(/@(?=channel|everyone|here)/gi, `@${ZERO_WIDTH_SPACE}`)
    .replaceAll(/<(?=[@#!])/g, `<${ZERO_WIDTH_SPACE}`);
}

const REFUSED = /: (?:invalid_blocks|invalid_attachments|invalid_blocks_format|msg_blocks_too_long)$/;

/** Where Slack takes no table the text is said alone: it says the same. */
export async function withTables<T>(
  blocks: readonly JsonObject[],
  ask: (blocks: readonly JsonObject[]) => Promise<T>,
): Promise<T> {
  try {
    return await ask(blocks);
  } catch (error) {
    if (blocks.length === 0 || !isRejected(error) || !REFUSED.test(error.message)) throw error;
    return await ask([]);
  }
}
