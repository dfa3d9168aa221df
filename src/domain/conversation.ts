import type { Person, Platform, TriggerEvent } from "./event.ts";

/**
 * The key that orders runs and scopes memory: platform, tenant, place, thread.
 * Each part is escaped, so that no id from outside can pose as another conversation, or end like one of its lanes
 * (`…!control`, `…!notice`).
 */
export function conversationKey(parts: {
  platform: Platform;
  tenant: string;
  place: string;
  thread?: string | null;
}): string {
  const key = `${parts.platform}:${escapePart(parts.tenant)}:${escapePart(parts.place)}`;
  return parts.thread == null ? key : `${key}:${escapePart(parts.thread)}`;
}

function escapePart(part: string): string {
  if (!/[:%!]/.test(part)) return part;
  return part.replaceAll("%", "%25").replaceAll(":", "%3A").replaceAll("!", "%21");
}

/** What is known of a person: their conversation, and the ids of all their names, the lasting one first. */
export interface KnownPerson {
  readonly conversation: string;
  readonly names: readonly string[];
  /** The store could not be asked: it may know them otherwise. */
  readonly isProvisional?: true;
}

/** By the conversations of their names; the id that made each is its last part. */
export function asKnown(conversation: string, ...names: readonly (string | null)[]): KnownPerson {
  return { conversation, names: names.filter((name) => name !== null).map(lastPartOf) };
}

/** Of whom nothing else is known than what has come. */
export function asFirstKnown({ lasting, passing }: Person): KnownPerson {
  const names = [lasting, passing].flatMap((name) => (name === null ? [] : [name.conversation]));
  return asKnown(names[0] ?? "", ...names);
}

/** The event in the conversation of its sender. What is provisional can be settled again, and so keeps its names. */
export function withSender({ person, ...event }: TriggerEvent, known: KnownPerson): TriggerEvent {
  const { id, ...sender } = event.sender;
  const others = known.names.filter((name) => name !== id);
  return {
    ...event,
    ...(known.isProvisional && person !== undefined && { person }),
    conversation: known.conversation,
    sender: { id, ...sender, ...(others.length > 0 && { alsoKnownAs: others }) },
  };
}

function lastPartOf(conversation: string): string {
  const part = conversation.slice(conversation.lastIndexOf(":") + 1);
  return part.replaceAll("%21", "!").replaceAll("%3A", ":").replaceAll("%25", "%");
}
