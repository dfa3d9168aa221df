import { UNSAFE } from "../domain/text.ts";

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;
const ASCII = /^[\x20-\x7e]*$/;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
let graphemes: Intl.Segmenter | undefined;

/** Made when it is needed: it reads tables that most commands never use. */
function segmentsOf(text: string): Intl.Segments {
  graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return graphemes.segment(text);
}

/** Text from outside on one line of a terminal, where it can do nothing but be read. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (char) => SHORT[char] ?? `\\u{${char.codePointAt(0)?.toString(16)}}`);
}

/** Text of many lines, such as JSON, which means the same then: nothing in it that a terminal would obey. */
export function inert(text: string): string {
  return text.replace(UNSAFE, (char) =>
    char === "\n" || char === "\t" ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Text from outside with its lines kept apart, each indented. */
export function paragraph(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => `  ${printable(line)}`.trimEnd())
    .join("\n");
}

/** Columns that a terminal takes for it, near enough. */
export function widthOf(text: string): number {
  // Most texts are; to look for graphemes takes many times as long.
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmentsOf(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** At most so many columns; what was cut off shows as `…`. */
export function clipped(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const { segment } of segmentsOf(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - widthOf(text)));
}

const SPANS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
] as const;

/** `3d`, `5h`, `12m` or `7s` ago. */
export function ageOf(time: string, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(time)) / 1000));
  const span = SPANS.find(([, length]) => seconds >= length);
  return span === undefined ? `${seconds}s` : `${Math.floor(seconds / span[1])}${span[0]}`;
}
