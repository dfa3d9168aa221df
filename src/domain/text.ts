import { ID_CHARS_MAX, LABEL_CHARS_MAX, TEXT_CHARS_MAX } from "./bounds.ts";

/** Control characters, and those that turn the direction of what follows: both can make a line lie. */
export const UNSAFE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** Something, and all of it can be printed: what goes into keys and logs. */
export const PRINTABLE = /^[^\p{Cc}\p{Cs}]+$/u;

/** Text from outside as the rest of the gateway may see it: well-formed, no NUL, bounded. */
export function cleanText(text: string, charsMax: number = TEXT_CHARS_MAX): string {
  const bounded = text.length > charsMax ? text.slice(0, charsMax) : text;
  // A cut through a surrogate pair would leave half a character.
  const whole =
    bounded.length < text.length && /[\uD800-\uDBFF]$/.test(bounded) ? bounded.slice(0, -1) : bounded;
  return (whole.includes("\0") ? whole.replaceAll("\0", "") : whole).toWellFormed();
}

/** A name from outside. */
export function cleanLabel(text: string): string {
  return cleanText(text, LABEL_CHARS_MAX);
}

/** Null: too long to be one. Half of an id would be that of another. */
export function cleanId(id: string): string | null {
  return id.length > ID_CHARS_MAX ? null : cleanText(id);
}

/** Words from outside, unable to pose to a model as a line of ours, which stands in these brackets (src/agent/voice.ts). */
export function theirWords(text: string): string {
  return /[⟦⟧]/.test(text) ? text.replaceAll("⟦", "[").replaceAll("⟧", "]") : text;
}

/** What somebody wrote, as a name or a reason stands within a line. */
export function onOneLine(text: string): string {
  return cleanLabel(text.replaceAll(/\s+/g, " ").trim());
}
