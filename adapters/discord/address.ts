import type { ReplyAddress } from "../../src/domain/event.ts";
import { get, getString, parseJsonObject } from "../../src/shared/json.ts";

/** Discord takes edits and follow-ups of an interaction for 15 minutes; a call begun near the end must still land. */
export const TOKEN_LIFE_MS = 15 * 60_000 - 30_000;

/** One interaction. Its token lets anybody answer in the bot's name: it goes into URLs, never into logs or errors. */
export interface DiscordAddress {
  readonly applicationId: string;
  /** The interaction's own id. */
  readonly id: string;
  readonly token: string;
  readonly channelId: string;
  /** Null in a direct message. */
  readonly guildId: string | null;
  /** By this machine's clock; later only the channel is left. */
  readonly expiresAtMs: number;
  /** Beside the edits of the deferred answer; absent where they are not limited. */
  readonly followUpsMax?: number;
  /** The person who alone may see what is said; absent: everyone. */
  readonly onlyFor?: string;
}

export function mintAddress(address: DiscordAddress): ReplyAddress {
  return JSON.stringify({ kind: "interaction", ...address }) as ReplyAddress;
}

/** Undefined for what this adapter did not mint. */
export function readAddress(minted: ReplyAddress): DiscordAddress | undefined {
  const parsed = parseJsonObject(minted);
  if (!parsed.ok || getString(parsed.value, "kind") !== "interaction") return undefined;
  const applicationId = getString(parsed.value, "applicationId");
  const id = getString(parsed.value, "id");
  const token = getString(parsed.value, "token");
  const channelId = getString(parsed.value, "channelId");
  const guildId = getString(parsed.value, "guildId") ?? null;
  const expiresAtMs = get(parsed.value, "expiresAtMs");
  if (applicationId === undefined || id === undefined || token === undefined || channelId === undefined) {
    return undefined;
  }
  if (typeof expiresAtMs !== "number") return undefined;
  const followUpsMax = get(parsed.value, "followUpsMax");
  const limit = typeof followUpsMax === "number" ? { followUpsMax } : {};
  const onlyFor = getString(parsed.value, "onlyFor");
  const visibility = onlyFor === undefined ? {} : { onlyFor };
  return { applicationId, id, token, channelId, guildId, expiresAtMs, ...limit, ...visibility };
}
