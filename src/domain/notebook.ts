import { conversationKey, isForOneAlone, lastPartOf, personOf, userKey } from "./conversation.ts";
import type { TriggerEvent } from "./event.ts";

type Said = Pick<TriggerEvent, "platform" | "tenant" | "place" | "conversation" | "isDirect" | "sender"> &
  Partial<Pick<TriggerEvent, "person">>;

/** Whose notes are read there. What was noted in private is read in private alone. */
export interface OwnersThere {
  /** Of the sender, to write in. */
  readonly person: string;
  /** Null: nobody else is there. */
  readonly channel: string | null;
  /** All that may be shown there. */
  readonly shown: readonly string[];
}

export function ownersThere(event: Said): OwnersThere {
  const half = (name: "private" | "open") => userKey(event, personOf(event), name);
  if (isForOneAlone(event))
    return { person: half("private"), channel: null, shown: [half("private"), half("open")] };
  const channel = conversationKey({ ...event, thread: null });
  return { person: half("open"), channel, shown: [channel, half("open")] };
}

/** An owner by its key. */
export function aboutOf(owner: string): "person" | "channel" {
  return owner.startsWith("user:") ? "person" : "channel";
}

/** As `platform:workspace:id`; null: it is no person. */
export function personOfOwner(owner: string): string | null {
  const [, there, key] = /^user:([^:]+:[^:]+)(:[^:]+):(?:private|open|all)$/.exec(owner) ?? [];
  return there === undefined || key === undefined ? null : `${there}:${lastPartOf(key)}`;
}
