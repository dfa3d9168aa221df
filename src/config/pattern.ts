import { RE2JS } from "re2js";

/** A compiled pattern, searched anywhere in a text. Time goes with the length of the text, whatever both hold. */
export interface Pattern {
  test(text: string): boolean;
}

/** States of the compiled pattern. With the bound on the text that is searched, a search ends within some 50 ms. */
const PROGRAM_SIZE_MAX = 1_000;

/**
 * A pattern that `patternFault` found sound, whatever the case of letters. The engine is RE2's, because JavaScript's
 * backtracks: a stranger's message of 1,000 characters can hold up the process for minutes on a pattern that looks
 * harmless (`\w+\s*\w+\s*\w+\s*!`). It takes JavaScript's notation (`\u00e4`, `(?<name>…)`).
 */
export function compilePattern(pattern: string): Pattern {
  const compiled = compile(pattern);
  return { test: (text) => compiled.test(text) };
}

/** What is wrong with a pattern, or null. It must mean the same to RE2 and to JavaScript, whose notation people know. */
export function patternFault(pattern: string): string | null {
  const escapes = pattern.replaceAll("\\\\", "");
  try {
    new RegExp(pattern, "iu");
    if (/\\(?:[1-9]|k<)/.test(escapes)) return unsupported("a back-reference");
    const size = compile(pattern).programSize();
    return size <= PROGRAM_SIZE_MAX
      ? null
      : `expected a pattern of at most ${PROGRAM_SIZE_MAX} states, got ${size}: use smaller repetitions`;
  } catch (error) {
    if (/\(\?<?[=!]/.test(escapes)) return unsupported("look-ahead or look-behind");
    const reason = error instanceof Error ? error.message : "invalid";
    return `expected a regular expression (${reason.replace(/^.*\/iu: |^error parsing regexp: /s, "")})`;
  }
}

function unsupported(what: string): string {
  return `expected a pattern without ${what} (RE2 syntax, which takes linear time)`;
}

function compile(pattern: string): RE2JS {
  return RE2JS.compile(RE2JS.translateRegExp(pattern), RE2JS.CASE_INSENSITIVE);
}
