import { theirWords } from "../domain/text.ts";
import { NAME_CHARS_MAX } from "./bounds.ts";

/*
 * Everything that a model reads of a conversation came from people, and a person may write whatever looks like
 * another speaker or like the gateway. So the gateway's own lines stand in brackets that no text from outside keeps,
 * and a line of others' words begins with who said them, or with a mark where it goes on.
 */

/** A line of the gateway's own. */
export function ourLine(text: string): string {
  return `⟦${text}⟧`;
}

const LINE_BREAK = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;

/** A name and a colon (also a wide one), with or without blanks before. */
const SPEAKER = /^\s*[^\s:：][^:：]{0,79}[:：]/;

/**
 * What one of several people wrote. Where a line looks as if another began to speak (`Bob: …`), all lines after the
 * first are indented: all, so that code and lists keep their shape.
 */
export function amongOthers(words: string): string {
  const [first = "", ...rest] = words.split(LINE_BREAK);
  if (!rest.some((line) => SPEAKER.test(line))) return words;
  return [first, ...rest.map((line) => `  ${line}`)].join("\n");
}

/** Words of another, in a form in which each line shows whose it is: `name: text`, further lines marked. */
export function attributed(name: string, text: string): string {
  return `${name}: ${markedLines(text)}`;
}

/** Every line but the first with a mark that it goes on. */
export function markedLines(text: string): string {
  return theirWords(text).trim().split(LINE_BREAK).join("\n  | ");
}

/** A name is chosen by its bearer: it must not pose as another message. */
export function speaker(name: string): string {
  return oneLine(theirWords(name)).replaceAll(/[:：]/g, " ").trim() || "somebody";
}

/** The bot's own words among those of others; no name can hold these brackets. */
export const OURSELVES = ourLine("you");

/** A label from outside, to stand within a line of ours. */
export function quotedLabel(text: string): string {
  return `"${oneLine(theirWords(text)).replaceAll('"', "'").trim()}"`;
}

export function oneLine(text: string): string {
  return text
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .slice(0, NAME_CHARS_MAX)
    .toWellFormed();
}
