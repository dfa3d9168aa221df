import type { TriggerEvent } from "./event.ts";
import type { Turn } from "./run.ts";

/** A person as their platform knows them. */
export interface PersonRef {
  readonly platform: string;
  readonly tenant: string;
  readonly id: string;
}

/** In the place of what is erased among the words of others. */
export const REMOVED = "[removed]";

/** `platform:tenant:id`; null: it is none. */
export function personIn(text: string): PersonRef | null {
  const [, platform, tenant, id] = /^([^:]+):([^:]+):(.+)$/s.exec(text) ?? [];
  return platform === undefined || tenant === undefined || id === undefined ? null : { platform, tenant, id };
}

/** Everybody whose ids these are is one person. */
export interface Whose extends Pick<PersonRef, "platform" | "tenant"> {
  readonly ids: ReadonlySet<string>;
}

export function isBy(event: TriggerEvent, { platform, tenant, ids }: Whose): boolean {
  const isThere = event.platform === platform && event.tenant === tenant;
  return isThere && namesOf(event).some((one) => ids.has(one));
}

export function namesOf({ sender: { id, alsoKnownAs = [] } }: TriggerEvent): readonly string[] {
  return [id, ...alsoKnownAs];
}

/** Shorter lines are what anybody may say. */
const LINE_CHARS_MIN = 8;
const NAME_CHARS_MIN = 3;

/** What of an event may stand word for word in what the bot has said since. */
export function wordsOf({ sender, text, attachments }: TriggerEvent): readonly string[] {
  const names = attachments.flatMap(({ name }) => name ?? []);
  const lines = [...text.split(/[\r\n]+/), ...names].map((line) => line.trim());
  return [
    ...lines.filter(({ length }) => length >= LINE_CHARS_MIN),
    ...(sender.name.length >= NAME_CHARS_MIN ? [sender.name] : []),
  ];
}

export interface Erasing extends Whose {
  /** What is theirs wherever the bot has repeated it; null: nothing is. */
  readonly words: RegExp | null;
}

/** Any of these, the longest first, as whole words: nobody else loses a part of one. */
export function anyOf(words: ReadonlySet<string>): RegExp | null {
  if (words.size === 0) return null;
  const longestFirst = [...words].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map(wholeWord).join("|"), "gu");
}

function wholeWord(word: string): string {
  const before = /^[\p{L}\p{N}]/u.test(word) ? "(?<![\\p{L}\\p{N}])" : "";
  const after = /[\p{L}\p{N}]$/u.test(word) ? "(?![\\p{L}\\p{N}])" : "";
  return `${before}${word.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}${after}`;
}

/** Somebody else's event: what it says of the person, and what it quotes of them. What its sender wrote stays. */
export function withoutPersonIn(event: TriggerEvent, erasing: Erasing): TriggerEvent {
  const context = event.context?.map((item) => {
    if (item.author?.id != null && erasing.ids.has(item.author.id))
      return { ...item, author: NOBODY, text: REMOVED, attachments: [], mentions: [] };
    return withoutPerson(item, erasing) as typeof item;
  });
  // Of a command for a message, the text is that message's.
  const isTarget =
    event.context?.some(({ kind, author }) => kind === "target" && isOne(author, erasing)) === true;
  const mentions = event.mentions?.map((one) =>
    erasing.ids.has(one.id) ? { ...one, id: REMOVED, name: null } : one,
  );
  return {
    ...event,
    ...(isTarget && { text: REMOVED }),
    ...(context && { context }),
    ...(mentions && { mentions }),
  };
}

const NOBODY = { id: null, name: REMOVED };

function isOne(author: { readonly id: string | null } | null, { ids }: Whose): boolean {
  return author?.id != null && ids.has(author.id);
}

/** Of what they said, or were answered, nothing but that it was; of the bot's own words to others, what is not theirs. */
export function withoutPersonInTurn(turn: Turn, isTheirs: boolean, erasing: Erasing): Turn {
  if (isTheirs)
    return { role: turn.role, name: turn.name === null ? null : REMOVED, text: REMOVED, atMs: turn.atMs };
  // Whoever has a name here has said it themselves.
  return turn.name === null ? { ...turn, text: withoutWords(turn.text, erasing) } : turn;
}

/**
 * Of what was answered together, without one message: what others said stays, and that they were answered; not how, which may
 * repeat the message. Whole where it is not known which message said what.
 */
export function withoutMessage(turns: readonly Turn[], eventId: string): readonly (Turn | null)[] {
  const areOthers = turns.some(({ event }) => event !== undefined && event !== eventId);
  return turns.map((turn) => {
    if (!areOthers || turn.event === eventId) return null;
    return turn.role === "assistant" ? { ...turn, text: REMOVED } : turn;
  });
}

/** Where words stand, and not what the gateway itself goes by, such as the kind of a step. */
const WORDED: ReadonlySet<string> = new Set([
  "text",
  "result",
  "question",
  "reason",
  "cause",
  "why",
  "note",
  "opaque",
]);
/** Of a tool's arguments and of rendered parts, all is words but this. */
const WORDED_WHOLE: ReadonlySet<string> = new Set(["input", "parts"]);
const NO_WORDS: ReadonlySet<string> = new Set(["kind", "type", "id", "style"]);

/** Anything that the gateway has made, such as the steps of a run: people by their ids, words where words stand. */
export function withoutPerson(
  value: unknown,
  erasing: Erasing,
  place: "words" | "whole" | null = null,
): unknown {
  if (typeof value === "string") return place === null ? value : withoutWordsIn(value, erasing, place);
  if (Array.isArray(value)) return value.map((one) => withoutPerson(one, erasing, place));
  if (typeof value !== "object" || value === null) return value;
  const { id, name, author } = value as { id?: unknown; name?: unknown; author?: { id?: unknown } | null };
  if (typeof id === "string" && erasing.ids.has(id) && (typeof name === "string" || name === null))
    return { ...value, id: REMOVED, name: name === null ? null : REMOVED };
  const isQuoted = typeof author?.id === "string" && erasing.ids.has(author.id);
  const entries = Object.entries(value).map(([key, one]) => {
    const isWhole = WORDED_WHOLE.has(key) || (place === "whole" && !NO_WORDS.has(key));
    const there = isWhole ? "whole" : WORDED.has(key) ? "words" : null;
    return [key, withoutPerson(one, erasing, there)];
  });
  return {
    ...(Object.fromEntries(entries) as object),
    ...(isQuoted && { author: NOBODY, text: REMOVED, attachments: [] }),
  };
}

/** A rendered part is JSON of its adapter: what it goes by there stays, too. */
function withoutWordsIn(text: string, erasing: Erasing, place: "words" | "whole"): string {
  const part = place === "whole" && text.startsWith("{") ? parsedOrNull(text) : null;
  return part === null ? withoutWords(text, erasing) : JSON.stringify(withoutPerson(part, erasing, place));
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function withoutWords(text: string, { words }: Erasing): string {
  return words === null ? text : text.replaceAll(words, REMOVED);
}
