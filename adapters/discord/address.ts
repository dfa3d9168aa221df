import type { ReplyAddress } from "../../src/domain/event.ts";
import type { Place } from "../../src/ports/adapter.ts";
import { get, getString, type JsonObject, parseJsonObject } from "../../src/shared/json.ts";
import { isSnowflake } from "./snowflake.ts";

/** Discord takes edits and follow-ups of an interaction for 15 minutes; a call begun near the end must still land. */
export const TOKEN_LIFE_MS = 15 * 60_000 - 30_000;

export type DiscordAddress = InteractionAddress | MessageAddress;

/** One interaction. Its token lets anybody answer in the bot's name: it goes into URLs, never into logs or errors. */
export interface InteractionAddress {
  readonly kind: "interaction";
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
  /** Tables of an answer are embeds there; absent: text. */
  readonly embeds?: true;
}

/** One message that somebody wrote in a channel, a thread or in private. */
export interface MessageAddress {
  readonly kind: "message";
  /** The message's own id; a thread that is opened from it has the same. */
  readonly id: string;
  readonly channelId: string;
  readonly guildId: string | null;
  /** It is answered in a thread of its own; what that is called. Absent: beneath it. */
  readonly opensThread?: string;
  /** As for an interaction. */
  readonly embeds?: true;
}

export function mintAddress(address: DiscordAddress): ReplyAddress {
  return JSON.stringify(address) as ReplyAddress;
}

/**
 * A channel, or a thread, which is one. No message has its id, unless it is the one from which the thread was opened: a
 * reply to what is not there is said as it is.
 */
export function placeAddress({ tenant, channel, thread }: Place, embeds = false): ReplyAddress | null {
  const channelId = thread ?? channel;
  if (!isSnowflake(channelId)) return null;
  return mintAddress({
    kind: "message",
    id: channelId,
    channelId,
    guildId: isSnowflake(tenant) ? tenant : null,
    ...(embeds && { embeds }),
  });
}

/** The same place where all is text: an answer that is not whole yet has no embeds. */
export function textAddress(minted: ReplyAddress): ReplyAddress {
  const address = readAddress(minted);
  if (address?.embeds === undefined) return minted;
  const { embeds: _, ...place } = address;
  return mintAddress(place);
}

/** Undefined for what this adapter did not mint. */
export function readAddress(minted: ReplyAddress): DiscordAddress | undefined {
  const parsed = parseJsonObject(minted);
  if (!parsed.ok) return undefined;
  const kind = getString(parsed.value, "kind");
  const id = getString(parsed.value, "id");
  const channelId = getString(parsed.value, "channelId");
  const guildId = getString(parsed.value, "guildId") ?? null;
  if (id === undefined || channelId === undefined) return undefined;
  if (kind === "interaction") return readInteraction(parsed.value, { id, channelId, guildId });
  if (kind !== "message") return undefined;
  const opensThread = getString(parsed.value, "opensThread");
  const thread = opensThread === undefined ? {} : { opensThread };
  return { kind, id, channelId, guildId, ...thread, ...embedsIn(parsed.value) };
}

function readInteraction(
  value: JsonObject,
  place: Pick<DiscordAddress, "id" | "channelId" | "guildId">,
): InteractionAddress | undefined {
  const applicationId = getString(value, "applicationId");
  const token = getString(value, "token");
  const expiresAtMs = get(value, "expiresAtMs");
  if (applicationId === undefined || token === undefined) return undefined;
  if (typeof expiresAtMs !== "number") return undefined;
  const followUpsMax = get(value, "followUpsMax");
  const limit = typeof followUpsMax === "number" ? { followUpsMax } : {};
  const onlyFor = getString(value, "onlyFor");
  const visibility = onlyFor === undefined ? {} : { onlyFor };
  const beside = { ...limit, ...visibility, ...embedsIn(value) };
  return { kind: "interaction", applicationId, token, ...place, expiresAtMs, ...beside };
}

function embedsIn(value: JsonObject): { readonly embeds?: true } {
  return get(value, "embeds") === true ? { embeds: true } : {};
}

/** The person who alone may see what is said there. */
export function audienceOf(address: DiscordAddress): string | undefined {
  return address.kind === "interaction" ? address.onlyFor : undefined;
}
