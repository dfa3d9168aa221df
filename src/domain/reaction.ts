import type { Platform, ReplyAddress, TriggerEvent } from "./event.ts";

/** What somebody makes of a message with an emoji, where the configuration gives that emoji a meaning. */
export interface Reaction {
  /** The same for each delivery of it: the idempotency key of what it decides. */
  readonly id: string;
  readonly platform: Platform;
  readonly tenant: string;
  /** As our receipt of that message has it. */
  readonly messageId: string;
  /** Where the message is, if its id does not tell it from all others of the tenant. */
  readonly place: string | null;
  readonly sender: TriggerEvent["sender"];
  readonly rating: "up" | "down";
  /** False: it was taken back. */
  readonly isAdded: boolean;
  readonly atMs: number;
  /** Where whoever decides something by it is told what was decided. */
  readonly replyTo: (thread: string | null) => ReplyAddress;
}

/** Which message of ours it was that somebody reacts to. Plain data: kept as JSON. */
export interface Saying extends Pick<TriggerEvent, "conversation" | "place" | "thread" | "isDirect"> {
  readonly eventId: string;
  readonly agent: string;
  /** It asks this; absent: it is an answer. */
  readonly approvalId?: string;
}

/** What one person makes of an answer. */
export interface Rating {
  /** As the platform knows them. */
  readonly by: string;
  readonly rating: Reaction["rating"];
  readonly atMs: number;
}

/** For an answer: whoever reacts, as admission sees them. */
export function reactionEvent(
  reaction: Reaction,
  { conversation, place, thread, isDirect }: Saying,
): TriggerEvent {
  const { id, platform, tenant, sender, atMs } = reaction;
  return {
    ...{ id, aliases: [], platform, tenant, place, thread, conversation, isDirect, sender },
    ...{ trigger: "button" as const, command: null, text: "", attachments: [] },
    replyTo: reaction.replyTo(thread),
    occurredAtMs: atMs,
  };
}

/** For a question: the same as a press on its button. */
export function decisionBy(
  reaction: Reaction,
  saying: Saying & { readonly approvalId: string },
): TriggerEvent {
  const verb = reaction.rating === "up" ? "approve" : "deny";
  return { ...reactionEvent(reaction, saying), command: `${verb}:${saying.approvalId}` };
}
