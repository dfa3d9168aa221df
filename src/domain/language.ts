/** Languages that can be told from a text, by their codes (ISO 639-1). */
export const LANGUAGES = [
  ...["am", "ar", "az", "be", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu"],
  ...["fa", "fi", "fr", "gu", "he", "hi", "hr", "hu", "hy", "is", "it", "ja", "ka", "kn", "ko"],
  ...["ku", "lo", "lt", "lv", "ml", "mr", "ms", "nl", "no", "or", "pa", "pl", "pt", "ro", "ru"],
  ...["sk", "sl", "sq", "sr", "sv", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "yo", "zh"],
] as const;

/** Null: nobody could tell, or not surely. */
export type LanguageOf = (text: string) => string | null;

/** So much of a message is looked at. More makes nothing surer, and each character takes its time. */
const LOOKED_AT_CHARS_MAX = 600;

const CODE = /```[\s\S]*?(?:```|$)|`[^`\n]*`|\d+/g;
/** An address, a path, a mention, a name of code: of no language. */
const NO_WORD = /[:/@#<>_=\\.]./;

/** Scripts in which two letters are a word. */
const DENSE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;
const LETTERS_MIN = 6;
const DENSE_LETTERS_MIN = 2;

/** What of a message shows its language; null: too little. */
export function wordsIn(text: string): string | null {
  const said = text.slice(0, LOOKED_AT_CHARS_MAX).toWellFormed().replaceAll(CODE, " ");
  const words = said
    .split(/\s+/)
    .filter((word) => !NO_WORD.test(word))
    .join(" ");
  const letters = words.match(/\p{L}/gu)?.length ?? 0;
  return letters < (DENSE.test(words) ? DENSE_LETTERS_MIN : LETTERS_MIN) ? null : words;
}
