import { conversationKey, isForOneAlone, personOf, userKey } from "./conversation.ts";
import type { TriggerEvent } from "./event.ts";

export const MEMORY_SCOPES = ["thread", "user", "channel"] as const;
/**
 * What an agent remembers together:
 * - `thread`: one conversation
 * - `channel`: all threads of a channel, whoever speaks
 * - `user`: all that one person says to it, wherever that is in their workspace
 */
export type MemoryScope = (typeof MEMORY_SCOPES)[number];

export interface Remembering {
  readonly scope: MemoryScope;
  /** Of `user`: what somebody says in direct messages and what they say where others read are one memory. */
  readonly sharesDirect?: true;
}

type Said = Pick<
  TriggerEvent,
  "platform" | "tenant" | "place" | "conversation" | "isDirect" | "sender" | "person"
>;

/**
 * The key of the memory that an event belongs to. What was said in private is never in one with what others read, unless
 * the configuration says so.
 */
export function memoryOf(event: Said, by: Remembering | undefined): string {
  const isPrivate = isForOneAlone(event);
  switch (by?.scope) {
    case "user":
      return userKey(event, personOf(event), by.sharesDirect ? "all" : isPrivate ? "private" : "open");
    case "channel":
      // Of direct messages the place may be our own number, which many people write to.
      return isPrivate ? event.conversation : channelKey(event);
    default:
      return event.conversation;
  }
}

/** All that "forget" means, said there: what the agent would be shown, and of a person also what they said elsewhere. */
export function memoriesToForget(event: Said, by: Remembering | undefined): readonly string[] {
  if (by?.scope === "user")
    return (["private", "open", "all"] as const).map((half) => userKey(event, personOf(event), half));
  if (by?.scope === "channel" && !event.isDirect)
    return [...new Set([event.conversation, channelKey(event)])];
  return [event.conversation];
}

/** Wherever turns of this event may be, whatever agent has answered it. */
export function memoriesOf(event: Said): readonly string[] {
  const wider = [
    ...memoriesToForget(event, { scope: "user" }),
    ...memoriesToForget(event, { scope: "channel" }),
  ];
  return [...new Set([event.conversation, ...wider])];
}

function channelKey({ platform, tenant, place }: Said): string {
  return conversationKey({ platform, tenant, place });
}
