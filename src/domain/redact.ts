import { KnownSecrets, patternOfAll } from "./known-secrets.ts";
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
/** What an upstream says beyond this is not looked at, and not kept. */
const READ_CHARS_MAX = 10_000;

/** Those of the gateway itself: a gateway has about ten. */
const own = new KnownSecrets(1_000);
/** Of those whom it serves, who may be many, and which change by the hour: they must not crowd out its own. */
const others = new KnownSecrets(10_000);

/** From now on this value is taken out; with `isOthers`, until ten thousand of others' are newer. */
export function keepOut(value: string, isOthers = false): void {
  for (const one of [value, ...partsOf(value)])
    if (one.length >= SECRET_CHARS_MIN && isSecret(one)) (isOthers ? others : own).add(one);
}

/** The text with `***` where a secret stood, as it is or encoded. */
export function redacted(text: string): string {
  if (text.length < SECRET_CHARS_MIN) return text;
  const found = [...own.perhapsIn(text), ...others.perhapsIn(text)];
  return found.length === 0 ? text : text.replace(patternOf(found), "***");
}

/** A text may look like a secret again and again, as one does that begins with the same word. */
const patterns = new Map<string, RegExp>();
const PATTERNS_MAX = 100;

function patternOf(values: readonly string[]): RegExp {
  const name = values.join("\0");
  const known = patterns.get(name);
  if (known !== undefined) return known;
  if (patterns.size >= PATTERNS_MAX) patterns.clear();
  const made = patternOfAll(values);
  patterns.set(name, made);
  return made;
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

/** An address without a password opens nothing, and is what an operator wants to read. */
function isSecret(value: string): boolean {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? URL.parse(value) : null;
  return address === null || address.password !== "";
}
