import { LRUCache } from "lru-cache";
import { DeliveryError } from "../../src/domain/errors.ts";
import { type Mention, mentionKey } from "../../src/domain/mention.ts";
import type { NameReader } from "../../src/ports/names.ts";
import { get, getArray, getObject, getString } from "../../src/shared/json.ts";
import { Directory, type DirectoryOptions, type LookedUp } from "../shared/directory.ts";
import { UNSTOPPED } from "../shared/signals.ts";
import type { DiscordRest } from "./api.ts";
import { nameOfUser } from "./people.ts";
import { isSnowflake } from "./snowflake.ts";

/** For which a run waits; names that come later are there for the next. */
const WAIT_MS = 2_000;
/** The bot is not in that server, or may not look: until somebody changes that. Each such answer counts as an invalid request. */
const LACKING_MS = 10 * 60_000;
/** Discord is away, or not well. */
const UNWELL_MS = 30_000;
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

  async function lookUp(tenant: string, wanted: Mention): Promise<LookedUp> {
    if (!isSnowflake(tenant) || !isSnowflake(wanted.id)) return { kind: "nobody" };
    try {
      return { kind: "told", names: await named(tenant, wanted) };
    } catch (error) {
      if (!(error instanceof DeliveryError)) return { kind: "rest", forMs: UNWELL_MS };
      if (wanted.kind === "person" && error.status === 404) return { kind: "nobody" };
      const forMs = error.kind === "rejected" ? LACKING_MS : (error.retryAfterMs ?? UNWELL_MS);
      return { kind: "rest", forMs };
    }
  }

  const directory = new Directory({ platform: "discord", lookUp, clock, kept });
  return {
    waitMs: WAIT_MS,
    read: async (tenant, wanted, signal) => await directory.read(tenant, wanted, signal),
    forget() {
      lists.clear();
      directory.forget();
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
