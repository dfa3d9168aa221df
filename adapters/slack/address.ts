import type { ReplyAddress } from "../../src/domain/event.ts";
import type { Place } from "../../src/ports/adapter.ts";
import { getString, parseJsonObject } from "../../src/shared/json.ts";

/** Who sees an answer given through a `response_url`: the person who asked, or everyone in the channel. */
export type Visibility = "ephemeral" | "in_channel";

/** Where a reply goes. A `channel` may also be a user id: Slack then posts to the direct messages with that person. */
export type SlackAddress = MessageAddress | ResponseUrlAddress;

export interface MessageAddress {
  readonly kind: "message";
  /** Whose installation of the app it is said through; an older version did not write that. */
  readonly tenant?: string;
  readonly channel: string;
  /** Null: at the top level of the channel. */
  readonly threadTs: string | null;
  readonly teamId?: string;
  readonly userId?: string;
  /** The message that is answered; a reply is always younger. */
  readonly ts?: string;
}

export interface ResponseUrlAddress {
  readonly kind: "response_url";
  readonly tenant?: string;
  /** A bearer capability: never logged, and checked against the allow-list before each use. */
  readonly url: string;
  readonly expiresAtMs: number;
  readonly channel: string;
  readonly user: string;
  readonly threadTs?: string;
  readonly visibility: Visibility;
}

export function writeAddress(address: SlackAddress): ReplyAddress {
  return JSON.stringify(address) as ReplyAddress;
}

/** A channel, or with a message's `ts` as the thread, beneath that. */
export function placeAddress({ tenant, channel, thread }: Place): ReplyAddress {
  return writeAddress({ kind: "message", tenant, channel, threadTs: thread });
}

/** Null for anything that this adapter did not mint. */
export function readAddress(to: ReplyAddress): SlackAddress | null {
  const parsed = parseJsonObject(to);
  if (!parsed.ok || getString(parsed.value, "channel") === undefined) return null;
  const address = parsed.value as unknown as SlackAddress;
  return address.kind === "message" || address.kind === "response_url" ? address : null;
}

/**
 * Where to post when there is no usable `response_url`: in the place of the question, but an answer
 * meant for one person goes to that person's direct messages rather than before the whole channel.
 */
export function messageTarget(address: SlackAddress): Pick<MessageAddress, "channel" | "threadTs"> {
  if (address.kind === "message") return address;
  return address.visibility === "ephemeral"
    ? { channel: address.user, threadTs: null }
    : { channel: address.channel, threadTs: address.threadTs ?? null };
}
