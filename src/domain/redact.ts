import type { ReplyPart } from "./reply.ts";

/**
 * Takes our secrets out of what others said. An upstream, or a proxy before it, may send a key back in an error, an id or
 * an answer; none is a reason to keep it in a log or a database, or to say it in a chat.
 *
 * The secrets are known to the whole process, by what makes a Secret: a list that was handed around would be short of
 * those made later (the key of the test webhook), and of those that somebody forgot to hand over.
 */

/** What is shorter is a word that people use, and would tear holes into their texts. */
const SECRET_CHARS_MIN = 8;
/** Of a value in two parts with a colon between (an id and a key), the key alone opens as much. */
const PART_CHARS_MIN = 20;
/** Ample: a gateway has about ten. The oldest goes first. */
const KNOWN_MAX = 1_000;
/** What an upstream says beyond this is not looked at, and not kept. */
const READ_CHARS_MAX = 10_000;

const known = new Set<string>();
let forms: RegExp | null = null;

/** From now on this value is taken out. */
export function keepOut(value: string): void {
  for (const one of [value, ...partsOf(value)]) {
    if (one.length < SECRET_CHARS_MIN || known.has(one)) continue;
    known.add(one);
    forms = null;
    const [oldest] = known;
    if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest);
  }
}

/** The text with `***` where a secret stood, as it is or encoded. */
export function redacted(text: string): string {
  if (known.size === 0 || text.length < SECRET_CHARS_MIN) return text;
  forms ??= formsOf(known);
  return text.replace(forms, "***");
}

/** Also of what only a dialect puts together: marks that stood between its letters. */
export function redactedPart(part: ReplyPart): ReplyPart {
  return redacted(part) as ReplyPart;
}

/** Also in whatever a JSON value holds, names of fields too. */
export function redactedJson<T>(value: T): T {
  const text = JSON.stringify(value);
  if (text === undefined || redacted(text) === text) return value;
  return JSON.parse(text, (_name, part: unknown) => {
    if (typeof part === "string") return redacted(part);
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [redacted(name), inner]));
  }) as T;
}

/** What somebody else said, for an operator: without our secrets, then cut, so that no half of one is left. */
export function quoted(text: string, charsMax: number): string {
  return redacted(text.slice(0, READ_CHARS_MAX)).slice(0, charsMax).toWellFormed();
}

/** The password of an address; the key after an id. */
function partsOf(value: string): string[] {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? URL.parse(value) : null;
  if (address !== null) return [address.password, decoded(address.password)];
  const [, key = ""] = /^[^:\s]+:([^:\s]+)$/.exec(value) ?? [];
  return key.length < PART_CHARS_MIN ? [] : [key];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The longest first: one may be a part of another. */
function formsOf(values: ReadonlySet<string>): RegExp {
  const all = new Set([...values].filter(isSecret).flatMap(encodingsOf));
  const byLength = [...all].sort((a, b) => b.length - a.length);
  return byLength.length === 0 ? /(?!)/ : new RegExp(byLength.map(patternOf).join("|"), "g");
}

/** An address without a password opens nothing, and is what an operator wants to read. */
function isSecret(value: string): boolean {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? URL.parse(value) : null;
  return address === null || address.password !== "";
}

/** In Markdown a backslash before punctuation is not shown. */
function patternOf(form: string): string {
  return Array.from(form)
    .map((c) => (/[!-/:-@[-`{-~]/.test(c) ? `\\\\?${RegExp.escape(c)}` : RegExp.escape(c)))
    .join("");
}

function encodingsOf(value: string): string[] {
  const escaped = encodeURIComponent(value.toWellFormed());
  const json = JSON.stringify(value).slice(1, -1);
  return [value, json, escaped, escaped.replaceAll(/%../g, (byte) => byte.toLowerCase()), ...base64Of(value)];
}

/** As it stands, and inside of something longer, wherever the groups of three bytes begin there; both alphabets. */
function base64Of(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const shifted = [0, 1, 2].map((before) => {
    const text = btoa("\0".repeat(before) + String.fromCharCode(...bytes)).replace(/=+$/, "");
    // What shares a letter with the bytes around it may be any letter.
    const from = [0, 2, 3][before] ?? 0;
    const isWhole = (before + bytes.length) % 3 === 0;
    return text.slice(from, isWhole ? undefined : -1);
  });
  return shifted.flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_")]);
}
