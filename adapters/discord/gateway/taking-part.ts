import { LRUCache } from "lru-cache";
import { getArray, isObject, parseJsonObject } from "../../../src/shared/json.ts";
import { isSnowflake } from "../snowflake.ts";

/** As many as one note has room for. */
const CHANNELS_MAX = 80;

export interface Visited {
  readonly channelId: string;
  /** Null in private. */
  readonly guildId: string | null;
  /** The last message there of which it is known what became of it. */
  readonly lastId: string;
}

/** The channels in which the bot was last spoken to, so that what is missed can be read back there. */
export class TakingPart {
  readonly #channels = new LRUCache<string, Visited>({ max: CHANNELS_MAX });

  /** `isForUs`: the bot takes part from now on. Of other channels nothing is kept. */
  saw({ channelId, guildId, lastId }: Visited, isForUs: boolean): "new" | "later" | "nothing" {
    const before = this.#channels.get(channelId);
    if (before === undefined && !isForUs) return "nothing";
    if (before !== undefined && !isLater(lastId, before.lastId)) return "nothing";
    this.#channels.set(channelId, { channelId, guildId, lastId });
    return before === undefined ? "new" : "later";
  }

  get all(): readonly Visited[] {
    return [...this.#channels.values()];
  }

  /** Oldest first. */
  write(): string {
    const rows = this.all.toReversed().map(({ channelId, guildId, lastId }) => [channelId, guildId, lastId]);
    return JSON.stringify({ channels: rows.map((row) => row.map(shortened)) });
  }

  /** What is not as it should be is left out. */
  read(note: string | null): void {
    const parsed = parseJsonObject(note ?? "{}");
    if (!parsed.ok || !isObject(parsed.value)) return;
    for (const row of getArray(parsed.value, "channels").slice(0, CHANNELS_MAX)) {
      const [channelId, guildId, lastId] = Array.isArray(row) ? row.map(lengthened) : [];
      if (!isSnowflake(channelId) || !isSnowflake(lastId)) continue;
      this.saw({ channelId, guildId: isSnowflake(guildId) ? guildId : null, lastId }, true);
    }
  }
}

/** Ids grow with time. */
export function isLater(id: string, than: string): boolean {
  return BigInt(id) > BigInt(than);
}

function shortened(id: string | null | undefined): string {
  return id == null ? "" : BigInt(id).toString(36);
}

function lengthened(short: unknown): string | null {
  if (typeof short !== "string" || !/^[0-9a-z]{1,13}$/.test(short)) return null;
  let id = 0n;
  for (const digit of short) id = id * 36n + BigInt(Number.parseInt(digit, 36));
  return String(id);
}
