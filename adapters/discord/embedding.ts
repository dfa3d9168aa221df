import { LRUCache } from "lru-cache";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { DiscordRest } from "./api.ts";
import { DiscordRefusal } from "./failure.ts";

const REMEMBERED_MAX = 1_000;
/** Each try where none are taken costs a call, and Discord counts those that it refuses. */
const REMEMBERED_MS = 60 * 60_000;

/**
 * Where the bot lacks Embed Links, Discord refuses a message of embeds alone, and takes any other, and every edit, without a
 * word and without them. Either way the message becomes the text that says the same, and so do the next ones there.
 */
export function withEmbeds(rest: DiscordRest, clock: Pick<Clock, "nowMs">): DiscordRest {
  /** Until when, by channel. */
  const takesNone = new LRUCache<string, number>({ max: REMEMBERED_MAX });

  return {
    ...rest,
    async message(call, signal, permit) {
      const { instead } = call;
      if (instead === undefined) return await rest.message(call, signal, permit);
      const { channelId } = instead;
      if (clock.nowMs() < (takesNone.get(channelId) ?? 0))
        return await rest.message(instead.call, signal, permit);
      const message = await rest.message(call, signal, permit).catch(unlessAboutEmbeds);
      if (message !== null && (message.embeds !== 0 || message.id === null)) return message;
      const said = await (message?.id
        ? rest.message(instead.edit(message.id), signal, permit).catch(inDoubt)
        : rest.message(instead.call, signal, permit));
      takesNone.set(channelId, clock.nowMs() + REMEMBERED_MS);
      return said;
    },
  };
}

function unlessAboutEmbeds(error: unknown): null {
  if (error instanceof DiscordRefusal && error.isAboutEmbeds) return null;
  throw error;
}

/** A part of it was said: what is sent anew must not stand beside it without a look. */
function inDoubt(error: unknown): never {
  if (!(error instanceof DeliveryError) || error.kind !== "retry") throw error;
  const { message, status, retryAfterMs } = error;
  throw new DeliveryError("unknown", message, { status, retryAfterMs });
}
