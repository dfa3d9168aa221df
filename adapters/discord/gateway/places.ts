import { LRUCache } from "lru-cache";
import type { Clock } from "../../../src/ports/clock.ts";
import { isRejected } from "../../../src/shared/fault.ts";
import { get, getArray, getString, type JsonObject } from "../../../src/shared/json.ts";
import type { DiscordRest } from "../api.ts";
import { isThreadType } from "../event.ts";
import type { Place } from "../message.ts";
import { isSnowflake } from "../snowflake.ts";

const PLACES_MAX = 20_000;
const TRIES_MAX = 3;
const AGAIN_MS = 500;

type Channel = Pick<Place, "isThread" | "parentId">;

/**
 * Which channels are threads, and on which channel each hangs: messages do not tell, and rules about a channel hold in its
 * threads. Discord lists threads as a session begins; of one that was resumed it is asked.
 */
export class Places {
  readonly #rest: DiscordRest;
  readonly #clock: Pick<Clock, "sleep">;
  readonly #known = new LRUCache<string, Channel>({ max: PLACES_MAX });

  constructor(rest: DiscordRest, clock: Pick<Clock, "sleep">) {
    this.#rest = rest;
    this.#clock = clock;
  }

  /** GUILD_CREATE and THREAD_LIST_SYNC list threads, the others are one. */
  learn(type: string, data: JsonObject): void {
    if (type === "GUILD_CREATE" || type === "THREAD_LIST_SYNC") {
      for (const thread of getArray(data, "threads").slice(0, PLACES_MAX)) this.#note(thread);
    } else if (type === "THREAD_CREATE" || type === "THREAD_UPDATE") this.#note(data);
  }

  /** Null: it has to be asked for. */
  known(message: JsonObject, guildId: string | null): Place | null {
    if (guildId === null) return { guildId, isThread: false, parentId: null };
    const channelId = getString(message, "channel_id") ?? "";
    const known = this.#known.get(channelId);
    if (known !== undefined) return { guildId, ...known };
    const type = get(message, "channel_type");
    if (typeof type === "number" && !isThreadType(type)) return { guildId, isThread: false, parentId: null };
    return null;
  }

  /** One call a channel. What may not be seen hangs on nothing that anybody knows, and so on no channel of a rule. */
  async find(message: JsonObject, guildId: string, signal: AbortSignal): Promise<Place> {
    const channelId = getString(message, "channel_id") ?? "";
    for (let tries = 0; tries < TRIES_MAX && !signal.aborted; tries++) {
      try {
        const channel = await this.#rest.ask(
          {
            method: "GET",
            route: `/channels/${encodeURIComponent(channelId)}`,
            as: "bot",
            what: "look at a channel",
            repeatable: true,
          },
          signal,
        );
        return { guildId, ...this.#remember(channelId, channel) };
      } catch (error) {
        if (isRejected(error)) {
          this.#remember(channelId, { type: get(message, "channel_type") });
          break;
        }
        await this.#clock.sleep(AGAIN_MS * 2 ** tries, signal).catch(() => {});
      }
    }
    return { guildId, isThread: isThreadType(get(message, "channel_type")), parentId: null };
  }

  #note(thread: unknown): void {
    const id = get(thread, "id");
    if (isSnowflake(id)) this.#remember(id, thread as JsonObject);
  }

  #remember(id: string, channel: JsonObject): Channel {
    const isThread = isThreadType(get(channel, "type"));
    const parent = get(channel, "parent_id");
    const known = { isThread, parentId: isThread && isSnowflake(parent) ? parent : null };
    this.#known.set(id, known);
    return known;
  }
}
