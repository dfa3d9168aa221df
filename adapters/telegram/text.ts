import { get, getObject, getString } from "../../src/shared/json.ts";
import { id, integer } from "./payload.ts";

/** Who we are on Telegram. `username` is null until getMe has told. */
export interface Bot {
  readonly id: string;
  readonly username: string | null;
}

export interface ReadText {
  /** `/deploy`, lower-case, without the bot's name; null when the text does not begin with a command. */
  readonly command: string | null;
  readonly isForOtherBot: boolean;
  readonly mentionsBot: boolean;
  /** Without the command and without our own name. */
  readonly text: string;
  /** As it was written. */
  readonly whole: string;
}

/** A stretch of the text. Telegram counts UTF-16 code units, and so do JavaScript's string indices. */
interface Span {
  readonly start: number;
  readonly end: number;
}

interface Entity extends Span {
  readonly type: string;
  readonly userId: string | undefined;
}

const COMMAND = /^\/([a-z0-9_]{1,64})(?:@([a-z0-9_]{1,64}))?$/i;

/** Finds what in a text is addressed to a bot. `list` is the `entities` or `caption_entities` of the message. */
export function readText(text: string, list: unknown, bot: Bot): ReadText {
  const entities = readEntities(list, text.length);
  const first = list === undefined ? firstWord(text) : commandAtStart(entities);
  const command = first && COMMAND.exec(text.slice(first.start, first.end));
  const mentions = entities.filter((entity) => isMentionOf(bot, entity, text));
  const suffix = command?.[2];
  return {
    command: command ? `/${command[1]?.toLowerCase()}` : null,
    isForOtherBot: suffix !== undefined && !isNameOf(bot, suffix),
    mentionsBot: mentions.length > 0,
    text: cut(text, first && command ? [first, ...mentions] : mentions).toWellFormed(),
    whole: text.toWellFormed(),
  };
}

function readEntities(list: unknown, textLength: number): Entity[] {
  if (!Array.isArray(list)) return [];
  const entities: Entity[] = [];
  for (const item of list) {
    const start = integer(item, "offset");
    const length = integer(item, "length");
    const type = getString(item, "type");
    if (start === undefined || length === undefined || type === undefined) continue;
    if (start < 0 || length < 1 || start + length > textLength) continue;
    entities.push({ start, end: start + length, type, userId: id(getObject(item, "user"), "id") });
  }
  return entities.sort((a, b) => a.start - b.start);
}

function commandAtStart(entities: readonly Entity[]): Span | undefined {
  return entities.find((entity) => entity.type === "bot_command" && entity.start === 0);
}

/** Telegram marks every command; a message written by hand for a test may have no entities at all. */
function firstWord(text: string): Span | undefined {
  const word = /^\/\S+/.exec(text)?.[0];
  return word === undefined ? undefined : { start: 0, end: word.length };
}

function isMentionOf(bot: Bot, entity: Entity, text: string): boolean {
  if (entity.type === "text_mention") return entity.userId === bot.id;
  return entity.type === "mention" && isNameOf(bot, text.slice(entity.start + 1, entity.end));
}

/**
 * Until getMe has told our name, any name that ends in `bot`, as every bot's must, is taken for ours:
 * in a group with privacy mode on, Telegram delivers no message for another bot, and a lost one is worse.
 */
function isNameOf(bot: Bot, name: string): boolean {
  return bot.username === null ? /bot$/i.test(name) : name.toLowerCase() === bot.username.toLowerCase();
}

/** The text without the spans (sorted by start), closing the gaps they leave. */
function cut(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text;
  let kept = "";
  let at = 0;
  for (const span of spans) {
    if (span.start < at) continue;
    kept += text.slice(at, span.start);
    at = span.end;
    // "@bot, hello" is "hello", also behind a blank; "ask @bot now" is "ask now".
    if (kept.trim() === "") while (/[\s,:]/.test(text.charAt(at))) at++;
    else if (/\s/.test(kept.slice(-1)) && /\s/.test(text.charAt(at))) at++;
  }
  return (kept + text.slice(at)).trim();
}

/** What the message says, in its text or in the caption of its file. */
export function readMessageText(message: unknown, bot: Bot): ReadText {
  const text = getString(message, "text");
  return text === undefined
    ? readText(getString(message, "caption") ?? "", get(message, "caption_entities"), bot)
    : readText(text, get(message, "entities"), bot);
}
