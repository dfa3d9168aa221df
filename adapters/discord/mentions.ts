import { MENTIONS_MAX, type Mention } from "../../src/domain/mention.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { nameOfUser } from "./people.ts";
import { isSnowflake } from "./snowflake.ts";

type Sign = "@" | "@&" | "#";
export type NameOf = (sign: Sign, id: string) => string | undefined;

/** A mention: of a person, a role or a channel; a picture of the server's own. */
const MENTION = /<(@!?|@&|#|a?:(\w{1,64}):)(\d{1,20})>/g;

/**
 * What a person typed, from what Discord makes of it: `<@31>` to `@Bob`, `<:wave:7>` to `:wave:`. Mentions of the bot are
 * left out, and the space or colon beside them. `nameOf` knows whom the message names; who is not known keeps the id.
 */
export function readableText(content: string, botId: string, nameOf: NameOf): string {
  const marked = content
    .replaceAll("\0", "")
    .replace(MENTION, (_whole, kind: string, picture: string | undefined, id: string) => {
      if (picture !== undefined) return `:${picture}:`;
      const sign = signOf(kind);
      if (sign === "@" && id === botId) return "\0";
      return `${sign === "#" ? "#" : "@"}${nameOf(sign, id) ?? id}`;
    });
  // NUL marks where the bot was named.
  return marked
    .replace(/^(\s*)\0[:,]?\s*/, "$1")
    .replaceAll(/\s?\0/g, "")
    .trim();
}

/** Whom and what a text names that `nameOf` does not know, but for the bot: it has their ids. */
export function namelessIn(content: string, botId: string, nameOf: NameOf): readonly Mention[] {
  const found = new Map<string, Mention>();
  for (const [, kind = "", picture, id = ""] of content.matchAll(MENTION)) {
    const sign = signOf(kind);
    if (picture !== undefined || id === botId || nameOf(sign, id) !== undefined) continue;
    if (found.size >= MENTIONS_MAX) break;
    found.set(sign + id, { kind: KINDS[sign], id, name: null });
  }
  return [...found.values()];
}

const KINDS = { "@": "person", "@&": "group", "#": "channel" } as const;

function signOf(kind: string): Sign {
  return kind === "#" || kind === "@&" ? kind : "@";
}

/** Discord tells with a message whom it names; of channels only with one that comes from another server. */
export function namesIn(message: unknown): NameOf {
  return (sign, id) => {
    if (sign === "@&") return undefined;
    const named = getArray(message, LISTS[sign]).find((one) => get(one, "id") === id);
    return (sign === "@" ? (nickOf(named) ?? nameOfUser(named)) : getString(named, "name"))?.toWellFormed();
  };
}

const LISTS = { "@": "mentions", "#": "mention_channels" } as const;

/** Of those that were chosen for a command, or in a form. */
export function namesChosen(resolved: JsonObject | undefined): NameOf {
  const of = (kind: string, id: string) => getObject(getObject(resolved, kind), id);
  return (sign, id) => {
    const name = sign === "@" ? nameOfUser(of("users", id)) : getString(of(TABLES[sign], id), "name");
    return name?.toWellFormed();
  };
}

const TABLES = { "@&": "roles", "#": "channels" } as const;

/** Whom and what a message names, but for the bot; by id alone where Discord does not tell. */
export function mentionsIn(message: unknown, words: string, ownId: string): readonly Mention[] {
  const nameOf = namesIn(message);
  const listed = (sign: "@" | "#") =>
    getArray(message, LISTS[sign])
      .map((one) => get(one, "id"))
      .filter(isSnowflake)
      .filter((id) => id !== ownId)
      .flatMap((id): readonly Mention[] => {
        const name = nameOf(sign, id);
        return name === undefined ? [] : [{ kind: KINDS[sign], id, name }];
      });
  return [...listed("@"), ...listed("#"), ...namelessIn(words, ownId, nameOf)].slice(0, MENTIONS_MAX);
}

/** What somebody is called in this server. */
export function nickOf(named: unknown): string | undefined {
  return getString(getObject(named, "member"), "nick")?.toWellFormed();
}
