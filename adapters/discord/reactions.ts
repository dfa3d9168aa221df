import type { Inbound } from "../../src/ports/adapter.ts";
import { get, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { areHeard, type ReactionsOption, ratingOf } from "../shared/reactions.ts";
import { mintAddress } from "./address.ts";
import { NOTHING, type Self, TAKEN } from "./message.ts";
import { nameOfUser, rolesOf } from "./people.ts";
import { isSnowflake } from "./snowflake.ts";

/** MESSAGE_REACTION_ADD and MESSAGE_REACTION_REMOVE; null: it means nothing. */
export function readReaction(
  type: string,
  data: JsonObject,
  {
    self,
    nowMs,
    options,
  }: { readonly self: Self; readonly nowMs: number; readonly options: ReactionsOption },
): Inbound | null {
  const [user, channelId, messageId] = [
    get(data, "user_id"),
    get(data, "channel_id"),
    get(data, "message_id"),
  ];
  const emoji = getObject(data, "emoji");
  const rating = ratingOf(getString(emoji, "name") ?? "", options);
  if (!areHeard(options) || rating === null || user === self.userId) return null;
  if (!isSnowflake(user) || !isSnowflake(channelId) || !isSnowflake(messageId)) return null;
  const guildId = getString(data, "guild_id") ?? null;
  const member = getObject(data, "member");
  const account = getObject(member, "user");
  const roles = rolesOf(member);
  const name = getString(member, "nick") ?? nameOfUser(account) ?? user;
  const isAdded = type === "MESSAGE_REACTION_ADD";
  return {
    kind: "reaction",
    reason: isAdded ? "reaction_added" : "reaction_removed",
    ack: isAdded ? TAKEN : NOTHING,
    reaction: {
      id: `discord:${self.applicationId}:reaction:${messageId}:${user}:${rating}`,
      platform: "discord",
      tenant: guildId ?? "dm",
      messageId,
      // The id is that of one message alone.
      place: null,
      sender: {
        id: user,
        name: name.toWellFormed(),
        isBot: get(account, "bot") === true,
        ...(roles.length > 0 && { roles }),
      },
      rating,
      isAdded,
      atMs: nowMs,
      replyTo: () => mintAddress({ kind: "message", id: messageId, channelId, guildId }),
    },
  };
}
