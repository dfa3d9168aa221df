import { TEXT_CHARS_MAX } from "./bounds.ts";

/** Text from outside as the rest of the gateway may see it: well-formed, no NUL, bounded. */
export function cleanText(text: string): string {
  const bounded = text.length > TEXT_CHARS_MAX ? text.slice(0, TEXT_CHARS_MAX) : text;
  // A cut through a surrogate pair would leave half a character.
  const whole =
    bounded.length < text.length && /[\uD800-\uDBFF]$/.test(bounded) ? bounded.slice(0, -1) : bounded;
  return (whole.includes("\0") ? whole.replaceAll("\0", "") : whole).toWellFormed();
}
