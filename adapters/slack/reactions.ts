import type { Inbound } from "../../src/ports/adapter.ts";
import { getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { areHeard, type ReactionsOption, ratingOf } from "../shared/reactions.ts";
import { writeAddress } from "./address.ts";
import type { MessageOptions } from "./message.ts";
import { requiredText, requiredTs, tenantOf, tsToMs } from "./payload.ts";

/** `reaction_added` and `reaction_removed`; null: it means nothing. Throws PayloadError. */
export function readReaction(
  event: JsonObject,
  envelope: JsonObject,
  { selfIn }: Pick<MessageOptions, "selfIn">,
  options: ReactionsOption,
): Inbound | null {
  const type = requiredText(event, "type", "event.");
  const item = getObject(event, "item");
  if (type !== "reaction_added" && type !== "reaction_removed") return null;
  if (!areHeard(options) || getString(item, "type") !== "message") return null;
  const rating = ratingOf(requiredText(event, "reaction", "event."), options);
  const tenant = tenantOf(envelope);
  const user = requiredText(event, "user", "event.");
  if (rating === null || user === selfIn(tenant).userId) return null;
  const channel = requiredText(item, "channel", "event.item.");
  const ts = requiredTs(item, "ts", "event.item.");
  const at = requiredTs(event, "event_ts", "event.");
  return {
    kind: "reaction",
    reason: type,
    ack: { status: 200 },
    reaction: {
      id: `slack:${tenant}:${channel}:${ts}:reaction:${user}:${at}`,
      platform: "slack",
      tenant,
      messageId: ts,
      place: channel,
      // Slack does not say what they are called.
      sender: { id: user, name: user, isBot: false },
      rating,
      isAdded: type === "reaction_added",
      atMs: tsToMs(at),
      replyTo: (thread) =>
        writeAddress({ kind: "message", tenant, channel, threadTs: thread ?? ts, userId: user, ts: at }),
    },
  };
}
