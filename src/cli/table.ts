import { clipped, padded, printable, widthOf } from "./printable.ts";

const COLUMNS = 100;
const GAP = "  ";
/** Fewer than this tell nothing. */
const STORY_COLUMNS_MIN = 20;

export interface Row {
  /** Short ones, each in a column of its own. */
  readonly cells: readonly string[];
  /** Takes what room is left; a line of its own where there is too little. */
  readonly story: string;
  /** Last, and whole if it can be, to be copied into the next command. */
  readonly id: string;
}

/** A plain table that fits 100 columns. `isWhole`: stories that would be cut off have lines of their own. */
export function table(head: Row, rows: readonly Row[], { isWhole = false } = {}): string {
  const all = [head, ...rows].map(({ cells, story, id }) => ({
    cells: cells.map(printable),
    story: printable(story),
    id: printable(id),
  }));
  const widths = head.cells.map((_, column) => widest(all.map(({ cells }) => cells[column] ?? "")));
  const start = widths.reduce((sum, width) => sum + width + GAP.length, 0);
  const idWidth = widest(all.map(({ id }) => id));
  const room = COLUMNS - start - GAP.length - idWidth;
  const wanted = widest(all.map(({ story }) => story));
  const isBeside = room >= (isWhole ? wanted : STORY_COLUMNS_MIN);
  const storyWidth = Math.min(room, wanted);
  const lines = all.flatMap(({ cells, story, id }, index) => {
    const begin = cells.map((cell, column) => padded(cell, widths[column] ?? 0) + GAP).join("");
    if (isBeside) return [begin + padded(clipped(story, storyWidth), storyWidth) + GAP + id];
    const line = begin + clipped(id, COLUMNS - start);
    return index === 0 || story === "" ? [line] : [line, `${GAP}${clipped(story, COLUMNS - GAP.length)}`];
  });
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, widthOf(text)), 0);
}
