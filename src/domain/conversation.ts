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

/** The thread of what is answered to one person alone, in a place where others are: remembered for that person alone. */
export function privateThread(userId: string): string {
  return `cmd:${userId}`;
}

/** Whether nobody but the sender reads what is said and answered there. */
export function isForOneAlone({
  isDirect,
  conversation,
  sender,
}: Pick<TriggerEvent, "isDirect" | "conversation" | "sender">): boolean {
  return isDirect || conversation.endsWith(`:${escapePart(privateThread(sender.id))}`);
}

/**
 * By which id a person is remembered and counted: the same before and after another name of theirs becomes known, and
 * nobody else's, though an id may pass from one to another.
 */
export function personOf({
  sender: { id, alsoKnownAs, rememberedAs },
  person,
  conversation,
}: Pick<TriggerEvent, "sender" | "conversation"> & Partial<Pick<TriggerEvent, "person">>): string {
  if (rememberedAs !== undefined) return rememberedAs;
  // Who has two names has a conversation that is named for them.
  return alsoKnownAs === undefined && person === undefined ? id : lastPartOf(conversation);
}

/** Of what one person says, wherever they say it. No platform is called so, and no lane ends so. */
export function userKey(
  { platform, tenant }: Pick<TriggerEvent, "platform" | "tenant">,
  id: string,
  half: "private" | "open" | "all",
): string {
  return `user:${platform}:${escapePart(tenant)}:${escapePart(id)}:${half}`;
}

function escapePart(part: string): string {
  if (!/[:%!]/.test(part)) return part;
  return part.replaceAll("%", "%25").replaceAll(":", "%3A").replaceAll("!", "%21");
}

/** Of a key that `conversationKey` makes; null: it is none. */
export function partsOfKey(key: string): {
  readonly platform: string;
  readonly tenant: string;
  readonly place: string;
  readonly thread: string | null;
} | null {
  const [platform = "", tenant = "", place = "", thread = null, ...more] = key.split(":").map(unescapePart);
  if (platform === "" || tenant === "" || place === "" || thread === "" || more.length > 0) return null;
  return { platform, tenant, place, thread };
}

function unescapePart(part: string): string {
  return part.replaceAll("%21", "!").replaceAll("%3A", ":").replaceAll("%25", "%");
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
  const [, passing] = known.names;
  const remembered = rememberedIn(known.conversation, person);
  return {
    ...event,
    ...(known.isProvisional && person !== undefined && { person }),
    conversation: known.conversation,
    sender: {
      id,
      ...sender,
      ...(others.length > 0 && { alsoKnownAs: others }),
      ...(passing !== undefined && { passing }),
      ...(others.length === 0 && remembered !== id && { rememberedAs: remembered }),
    },
  };
}

/** The name that the conversation was begun under; where that had been somebody else's before, with what tells them apart. */
function rememberedIn(conversation: string, person: Person | undefined): string {
  const names = [person?.lasting, person?.passing];
  const before = names.find((name) => name != null && conversation.startsWith(`${name.conversation}:`));
  const last = lastPartOf(conversation);
  return before == null ? last : `${before.id}:${last}`;
}

export function lastPartOf(conversation: string): string {
  const part = conversation.slice(conversation.lastIndexOf(":") + 1);
  return part.replaceAll("%21", "!").replaceAll("%3A", ":").replaceAll("%25", "%");
}
