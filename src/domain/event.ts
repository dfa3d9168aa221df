import type { Attachment } from "./attachment.ts";
import type { Brand } from "./brand.ts";
import type { ContextItem } from "./context.ts";
import type { Mention } from "./mention.ts";
import type { Priority } from "./priority.ts";

/** The places a message can come from. `in` is what programs send by signed webhook; `test` is the developer's webhook, served without credentials. */
export const PLATFORMS = ["slack", "discord", "telegram", "whatsapp", "in", "test"] as const;
export type Platform = (typeof PLATFORMS)[number];
/** Always there. */
export const OF_DEVELOPERS: Platform = "test";
/** Its webhooks have names below it. */
export const OF_PROGRAMS: Platform = "in";

/** Where a reply goes. Minted and read by one adapter; opaque to everyone else. */
export type ReplyAddress = Brand<string, "ReplyAddress">;

/**
 * Why this event may concern us:
 * - `mention`: the bot was named, or one of its messages was replied to
 * - `direct`: a direct message
 * - `command`: a slash command, a message or user command, or a bot command
 * - `button`: a button, a list choice or a submitted form
 * - `thread`: no mention, but inside a thread; a trigger only where the bot already takes part
 * - `ambient`: said in a room without naming the bot; a trigger only by policy
 */
export type Trigger = "mention" | "direct" | "command" | "button" | "thread" | "ambient";

export interface Pressed {
  readonly kind: "button" | "choice" | "form";
  /** Null where the platform does not tell. */
  readonly label: string | null;
}

/** What a platform calls a person, and the conversation of somebody who is known by that name alone. */
export interface PersonName {
  readonly id: string;
  readonly conversation: string;
}

/**
 * A person for whom the platform has two names, of which a message carries at least one. `lasting` is theirs for good;
 * `passing` (a phone number) may be hidden, be changed, or pass to somebody else.
 */
export interface Person {
  readonly lasting: PersonName | null;
  readonly passing: PersonName | null;
}

/** A verified, platform-neutral reason to run an agent. Plain data: it is stored as JSON. */
export interface TriggerEvent {
  /** `${platform}:…`: the idempotency key. The same event delivered twice has the same id. */
  readonly id: string;
  /** Further idempotency keys of the same event (Slack: `event_id` beside channel and ts). */
  readonly aliases: readonly string[];
  readonly platform: Platform;
  /** Slack team, Discord guild (or `dm`), Telegram bot id, WhatsApp business account. */
  readonly tenant: string;
  /** Channel, chat or phone number: what access rules and routes call a channel. */
  readonly place: string;
  /** Thread or topic in the place; null where there is none. */
  readonly thread: string | null;
  /** Orders runs and scopes memory. */
  readonly conversation: string;
  readonly isDirect: boolean;
  readonly sender: {
    readonly id: string;
    readonly name: string;
    readonly isBot: boolean;
    /** Further ids of the same person: access rules may name any of them. */
    readonly alsoKnownAs?: readonly string[];
    /** The one of their ids that may pass to somebody else, as a phone number does. */
    readonly passing?: string;
    /** What they are remembered by, where neither their id nor a further one tells; see personOf. */
    readonly rememberedAs?: string;
    /** Roles that they have in that place, where the platform tells. */
    readonly roles?: readonly string[];
  };
  /** Their roles were not known when it was accepted: what goes by them is decided before it is run. */
  readonly rolesDue?: true;
  /** Set where the conversation depends on the names by which the sender is known; gone once that is settled. */
  readonly person?: Person;
  readonly trigger: Trigger;
  /** `/deploy`, a button's id, a modal's id; null for plain text. */
  readonly command: string | null;
  /** The agent that the sender asked for by name; routing decides when absent. */
  readonly agent?: string;
  /** What was said, without the mention of the bot; of a command for a message (`target` in the context), that message. */
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** Set where another delivery of the same message may bring attachments that this one lacks. */
  readonly mayGrow?: true;
  /** Of a button, a choice or a form: what it was, as the person saw it. */
  readonly pressed?: Pressed;
  /** Whom and what the text names, where the platform tells. */
  readonly mentions?: readonly Mention[];
  /** What the message refers to: words of others, in the order in which they are shown. */
  readonly context?: readonly ContextItem[];
  /** Set where a program asks: how its turn counts beside others of its tenant (turnOf). Absent: it is its sender's. */
  readonly priority?: Priority;
  readonly replyTo: ReplyAddress;
  readonly occurredAtMs: number;
  /** The `X-Request-Id` of the webhook that brought it, for the log; absent: none did. */
  readonly requestId?: string;
  /** Where its trace goes on (W3C Trace Context); absent: it has none. */
  readonly traceparent?: string;
}
