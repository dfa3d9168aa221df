/** A reply cut into stretches that can be parsed on their own. */
export type Section =
  | { readonly kind: "markdown"; readonly text: string }
  /** A fence in the first column: needs no parser. */
  | { readonly kind: "fence"; readonly info: string; readonly lines: readonly string[] }
  /** Said as it stands, because parsing it could take too long or nest too deeply. */
  | { readonly kind: "literal"; readonly text: string };

/** Parsed at once; keeps what is quadratic in the parser small. */
const SECTION_CHARS_MAX = 16_000;
/** Parsed at once where the text can be cut: extensions of the parser are quadratic in items and tables. */
const SECTION_LINES_MAX = 400;
/** Parsed in all: enough for any model's answer. What follows is said as it stands. */
const PARSED_CHARS_MAX = 64_000;
/** The parser's time goes with lines more than with characters: a list item costs it about 50 µs. */
const PARSED_LINES_MAX = 2_000;
/** Brackets and emphasis marks in one paragraph: the parser's time grows with the square of their number. */
const DELIMITERS_MAX = 1_000;
/** Quotes and lists in each other: the parser's stack grows with their depth. */
const DEPTH_MAX = 24;

/** Not indented and no list item: after a blank line this belongs to nothing before it. */
const BLOCK_START = /^(?!(?:[-*+]|\d{1,9}[.)])(?:\s|$))\S/;

/** One line, one pass, no backtracking: everything here is linear in the text. Expects `\n` line ends only. */
export function sectionsOf(text: string): Section[] {
  const sections: Section[] = [];
  const flush = createFlush(sections);
  let pending: string[] = [];
  let fence: Fence | null = null;
  let inner: Fence | null = null;
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    if (fence !== null) {
      if (!closes(line, fence)) {
        fence.lines.push(line);
        continue;
      }
      sections.push({ kind: "fence", info: fence.info, lines: fence.lines });
      fence = null;
      continue;
    }
    if (inner === null) {
      const opened = openFence(line);
      if (opened !== null && opened.indent === 0) {
        flush(pending);
        pending = [];
        fence = opened;
        continue;
      }
      inner = opened;
    } else if (closes(line.trimStart(), inner)) {
      inner = null;
    }
    pending.push(line);
    // A blank line followed by an unindented one ends every list, quote and paragraph that could go on.
    if (inner === null && line.trim() === "" && BLOCK_START.test(lines[index + 1] ?? "")) {
      flush(pending);
      pending = [];
    }
  }
  flush(pending);
  if (fence !== null) sections.push({ kind: "fence", info: fence.info, lines: fence.lines });
  return sections;
}

interface Fence {
  readonly indent: number;
  readonly mark: string;
  readonly info: string;
  readonly lines: string[];
}

function openFence(line: string): Fence | null {
  const start = line.trimStart();
  const mark = /^(?:`{3,}|~{3,})/.exec(start)?.[0];
  if (mark === undefined) return null;
  const info = start.slice(mark.length).trim();
  if (mark.startsWith("`") && info.includes("`")) return null;
  return { indent: line.length - start.length, mark, info, lines: [] };
}

function closes(line: string, fence: Fence): boolean {
  const found = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
  return found?.startsWith(fence.mark) === true;
}

/** Neighbours that are safe to parse are parsed together: each call of the parser has its price. */
function createFlush(sections: Section[]): (lines: readonly string[]) => void {
  let parsedChars = 0;
  let parsedLines = 0;
  let lastLines = 0;
  const add = (lines: readonly string[]) => {
    const text = lines.join("\n");
    if (text.trim() === "") return;
    parsedChars += text.length + 1;
    parsedLines += lines.length;
    const isMuch = parsedChars > PARSED_CHARS_MAX || parsedLines > PARSED_LINES_MAX;
    if (isMuch || text.length > SECTION_CHARS_MAX || isHazardous(lines)) {
      sections.push({ kind: "literal", text });
      return;
    }
    const last = sections.at(-1);
    lastLines += lines.length;
    if (
      last?.kind === "markdown" &&
      last.text.length + text.length < SECTION_CHARS_MAX &&
      lastLines <= SECTION_LINES_MAX
    ) {
      sections[sections.length - 1] = { kind: "markdown", text: `${last.text}\n${text}` };
      return;
    }
    sections.push({ kind: "markdown", text });
    lastLines = lines.length;
  };
  return (lines) => {
    for (const part of shorten(lines)) add(part);
  };
}

/** What is long is cut before items and headings in the first column, as few times as possible. */
function shorten(lines: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  let partChars = 0;
  let item: string[] = [];
  const place = () => {
    const chars = item.reduce((sum, line) => sum + line.length + 1, 0);
    const isLong = partChars + chars > SECTION_CHARS_MAX;
    if (partChars > 0 && (isLong || (parts.at(-1)?.length ?? 0) + item.length > SECTION_LINES_MAX)) {
      parts.push([]);
      partChars = 0;
    }
    for (const line of item) parts.at(-1)?.push(line);
    partChars += chars;
    item = [];
  };
  for (const line of lines) {
    if (/^(?:[-*+]|\d{1,9}[.)]|#{1,6})[ \t]/.test(line)) place();
    item.push(line);
  }
  place();
  return parts;
}

function isHazardous(lines: readonly string[]): boolean {
  let delimiters = 0;
  for (const line of lines) {
    if (containerDepth(line) > DEPTH_MAX) return true;
    // These lines certainly begin a new stretch of inline text; the count is per stretch.
    if (/^(?:\s*$| {0,3}(?:[-*+] +\S|#{1,6} ))/.test(line)) delimiters = 0;
    for (let i = 0; i < line.length; i++) if (isDelimiter(line.charCodeAt(i))) delimiters++;
    if (delimiters > DELIMITERS_MAX) return true;
  }
  return false;
}

/** At most how deep this line nests: markers at its start, and an indentation that earlier markers may explain. */
function containerDepth(line: string): number {
  let markers = 0;
  let indent = 0;
  for (let i = 0; i < line.length; i++) {
    const c = line[i] ?? "";
    if (c === " ") indent++;
    else if (c === "\t") indent += 4;
    else if (c === ">" || (/[-*+.)]/.test(c) && /^\s?$/.test(line[i + 1] ?? ""))) markers++;
    else if (!/\d/.test(c)) break;
  }
  return markers === 0 ? 0 : markers + indent / 4;
}

function isDelimiter(c: number): boolean {
  // * [ ] _ ` ~ ! < @
  return c === 42 || c === 91 || c === 93 || c === 95 || c === 96 || c === 126 || c === 60;
}
