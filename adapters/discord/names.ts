import { LRUCache } from "lru-cache";
import { type Mention, mentionKey } from "../../src/domain/mention.ts";
import type { NameReader } from "../../src/ports/names.ts";
import { get, getArray, getObject, getString } from "../../src/shared/json.ts";
import type { DirectoryOptions } from "../shared/directory.ts";
import { createNameReader } from "../shared/name-reader.ts";
import { UNSTOPPED } from "../shared/signals.ts";
import type { DiscordRest } from "./api.ts";
import { nameOfUser } from "./people.ts";
import { isSnowflake } from "./snowflake.ts";

/** What a server has is listed no more often, whatever ids are asked for. */
const LISTED_MS = 60_000;
const LISTS_MAX = 500;
const VIEW_CHANNEL = 1n << 10n;
const PRIVATE_THREAD = 12;

export interface NamesOptions extends Pick<DirectoryOptions, "clock" | "kept"> {
  readonly rest: Pick<DiscordRest, "ask">;
}

type Names = ReadonlyMap<string, string>;

/**
 * Names of channels and roles, of which Discord's messages hold ids, and of people whom it does not tell. They are read with the
 * server in which the id was written: none of another server is ever found. A channel that not everyone there may see, with its
 * threads, keeps its id, for whoever wrote it may be one who does not.
 */
export function createNames({ rest, clock, kept }: NamesOptions): NameReader {
  const lists = new LRUCache<string, { readonly names: Names; readonly atMs: number }>({ max: LISTS_MAX });

  const ask = (route: `/${string}`, what: string) =>
    rest.ask({ method: "GET", route, as: "bot", what, repeatable: true }, UNSTOPPED);
  const roles = async (guild: string) =>
    getArray(await ask(`/guilds/${guild}/roles`, "look at the roles of a server"), "items");

  async function listed(guild: string, kind: "channel" | "group"): Promise<Names> {
    if (kind === "group")
      return namesOf(
        kind,
        (await roles(guild)).filter((role) => get(role, "id") !== guild),
      );
    const everyone = (await roles(guild)).find((role) => get(role, "id") === guild);
    const channels = getArray(
      await ask(`/guilds/${guild}/channels`, "look at the channels of a server"),
      "items",
    ).filter((channel) => isSeenByAll(channel, guild, everyone));
    const parents = new Set(channels.map((channel) => get(channel, "id")));
    // Where threads are not told, channels are.
    const active = await ask(`/guilds/${guild}/threads/active`, "look at the threads of a server").catch(
      () => ({}),
    );
    const threads = getArray(active, "threads").filter(
      (thread) => get(thread, "type") !== PRIVATE_THREAD && parents.has(get(thread, "parent_id")),
    );
    return namesOf(kind, [...channels, ...threads]);
  }

  async function named(guild: string, wanted: Mention): Promise<Names> {
    const { kind, id } = wanted;
    if (kind === "person") {
      const member = await ask(`/guilds/${guild}/members/${id}`, "look at a member");
      const name = getString(member, "nick") ?? nameOfUser(getObject(member, "user"));
      return name === undefined ? new Map() : new Map([[mentionKey(wanted), name]]);
    }
    const key = `${guild} ${kind}`;
    const before = lists.get(key);
    if (before !== undefined && clock.nowMs() - before.atMs < LISTED_MS) {
      const name = before.names.get(mentionKey(wanted));
      return name === undefined ? new Map() : new Map([[mentionKey(wanted), name]]);
    }
    const names = await listed(guild, kind);
    lists.set(key, { names, atMs: clock.nowMs() });
    return names;
  }

  const reader = createNameReader({
    ...{ platform: "discord", clock, kept },
    named: async (guild, wanted) =>
      isSnowflake(guild) && isSnowflake(wanted.id) ? await named(guild, wanted) : new Map(),
    isNobody: ({ status }, { kind }) => kind === "person" && status === 404,
  });
  return {
    ...reader,
    forget() {
      lists.clear();
      reader.forget();
    },
  };
}

function namesOf(kind: "channel" | "group", all: readonly unknown[]): Names {
  return new Map(
    all.flatMap((one) => {
      const [id, name] = [getString(one, "id"), getString(one, "name")];
      return id === undefined || !name ? [] : [[mentionKey({ kind, id }), name] as const];
    }),
  );
}

/** The role of everyone has the id of its server. */
function isSeenByAll(channel: unknown, guild: string, everyone: unknown): boolean {
  const own = getArray(channel, "permission_overwrites").find((one) => get(one, "id") === guild);
  if ((bitsOf(get(own, "deny")) & VIEW_CHANNEL) !== 0n) return false;
  return ((bitsOf(get(own, "allow")) | bitsOf(get(everyone, "permissions"))) & VIEW_CHANNEL) !== 0n;
}

/** Discord writes them as text, for they are longer than a number. */
function bitsOf(value: unknown): bigint {
  return typeof value === "string" && /^\d{1,30}$/.test(value) ? BigInt(value) : 0n;
}
