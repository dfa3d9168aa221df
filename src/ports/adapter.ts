import { BODY_BYTES_MAX } from "../domain/bounds.ts";
import type { Brand } from "../domain/brand.ts";
import type { Button, ButtonLimits } from "../domain/button.ts";
import type { ChoiceSource, FoundChoice } from "../domain/choice-source.ts";
import type { ContextItem } from "../domain/context.ts";
import type { Person, Platform, ReplyAddress, TriggerEvent } from "../domain/event.ts";
import type { SentFile } from "../domain/made-file.ts";
import type { Named } from "../domain/mention.ts";
import type { Reaction } from "../domain/reaction.ts";
import type { Delivery, Receipt, ReplyPart } from "../domain/reply.ts";
import type { Permit } from "../shared/call.ts";
import type { Aside } from "./desk.ts";
import type { FileReader } from "./files.ts";
import type { InstallationKeeper } from "./installations.ts";
import type { NameReader } from "./names.ts";
import type { Page } from "./pages.ts";
import type { ProbeFinding } from "./probe-finding.ts";
import type { RoleReader } from "./roles.ts";

export type { ProbeFinding } from "./probe-finding.ts";

/** A request as it came, body unread by anyone. */
export interface RawRequest {
  readonly method: string;
  /** Path and query as sent: `/webhooks/test?x=1`. */
  readonly target: string;
  /** By lower-case name; undefined when absent. A header sent twice is joined with `, `. */
  header(name: string): string | undefined;
  readonly body: Buffer;
  readonly receivedAtMs: number;
  /** True when the peer is on this machine's loopback interface and nothing shows that it speaks for another. */
  readonly fromLoopback: boolean;
  /** What it is called in answer and log; absent: it has come by none of our servers. */
  readonly requestId?: string;
}

/** A request before its body is read. */
export type RequestHead = Omit<RawRequest, "body">;

/** Only src/ingress/verify.ts mints one, so nothing unverified can be parsed. */
export type VerifiedRequest = Brand<RawRequest, "Verified">;

/** What is to be offered to somebody who is typing. */
export interface ChoiceQuestion {
  readonly source: ChoiceSource;
  readonly typed: string;
  /** What it would be, were it sent now: who may not send it is offered nothing that has to be looked up. */
  readonly event: TriggerEvent;
  ackWith(found: readonly FoundChoice[]): Ack;
}

/** What the platform gets back at once. */
export interface Ack {
  readonly status: number;
  readonly contentType?: string;
  readonly body?: string;
}

/**
 * - `genuine`: go on
 * - `forged`, `stale`: 401, no detail
 * - `refused`: a handshake with the wrong token: 403
 * - `probe`: an unsigned liveness check that deserves an empty 200 and nothing more
 */
export type Verdict = { readonly kind: "genuine" | "probe" } | TurnedAway;

export interface TurnedAway {
  readonly kind: "forged" | "stale" | "refused";
  /** What was missing or wrong, for the operator: of the adapter's own short list, never text of the request. */
  readonly reason: string;
}

export const GENUINE = { kind: "genuine" } as const;
export const PROBE = { kind: "probe" } as const;

/** What a verified request turned out to be, and the answer its platform wants. */
export type Inbound =
  /**
   * `ignored` holds a reason for each other item of the batch. `untoldAck` takes the place of an `ack` that promises
   * a reply, when none will come: all was refused, and the person had been told of it before; `ignoredAck`, where none
   * is for us at all (else `untoldAck` does).
   */
  | {
      readonly kind: "events";
      readonly events: readonly TriggerEvent[];
      readonly ignored: readonly string[];
      readonly ack: Ack;
      readonly untoldAck?: Ack;
      readonly ignoredAck?: Ack;
      /** Whose names came together, beside those of the events. */
      readonly people?: readonly Person[];
      /** Messages by the ids of their events that were taken back: withdrawn before the acknowledgement, and before the events. */
      readonly withdrawn?: readonly string[];
    }
  /** Answered with `ack`; where there is a question, with what it makes of the choices that are found in time. */
  | { readonly kind: "handshake"; readonly ack: Ack; readonly question?: ChoiceQuestion }
  | {
      readonly kind: "ignored";
      readonly reason: string;
      readonly ack: Ack;
      /** Whoever pressed something waits for a sign all the same; `dismiss` gives it. */
      readonly awaited?: ReplyAddress;
      readonly people?: readonly Person[];
      readonly withdrawn?: readonly string[];
      /** Begun with the acknowledgement, which does not wait for it. */
      readonly aside?: Aside;
      /** What it means for what is kept, done before the acknowledgement. Rejects with STORE_*: then it comes again. */
      readonly carryOut?: () => Promise<void>;
    }
  /** `reason`: by which it is ignored where it is to a message of somebody else. */
  | { readonly kind: "reaction"; readonly reaction: Reaction; readonly reason: string; readonly ack: Ack }
  /** 400; `message` says what was expected, what came and where. */
  | { readonly kind: "malformed"; readonly message: string }
  /** 415; `message` says which media types are taken. */
  | { readonly kind: "unsupported"; readonly message: string };

/**
 * What can be found out about a part that may have been said:
 * - its receipt: it was
 * - `absent`: it was looked for, and is not there yet
 * - `repeatable`: another send does no harm, whatever became of the first (it replaces it, or is refused)
 * - `unknown`: nobody can tell
 */
export type Recovery = Receipt | "absent" | "repeatable" | "unknown";

/** Refused calls, as far as the platform shuts out whoever makes too many. */
export interface InvalidRequestsReport {
  /** Within its window. */
  readonly count: number;
  /** From here on hardly any call is made. */
  readonly heldAt: number;
  readonly bannedAt: number;
  readonly isHeld: boolean;
}

/** One chat platform: bytes in, events out; replies in, receipts out. */
export interface Adapter {
  readonly platform: Platform;
  /** Null: nobody may post here, for want of a secret to know the platform by; it says what it has to say by `socket`. */
  readonly webhook: WebhookSpec | null;
  /** Where the platform is heard over connections of our own, instead of webhooks or beside them. */
  readonly socket?: Socket;
  /** Its own reasons to ignore something, of which metrics tell each apart. */
  readonly ignored?: IgnoredWords;
  /** Pure but for the secret: looks at the raw bytes and headers only. Never throws on any input. */
  verify(request: RawRequest): Verdict;
  /**
   * What the headers alone tell, so that the body of a stranger is not read; null: read it, and let `verify` decide,
   * which looks at all of this again. Pure. Never throws on any input.
   */
  screen(head: RequestHead): TurnedAway | null;
  /** Changes nothing; what it has learnt of itself and of earlier messages it may use. Never throws on any input. */
  parse(request: VerifiedRequest): Inbound;
  /** Told of each event, as `parse` gave it, once it is stored, for what is remembered in memory alone. Never throws. */
  accepted?(event: TriggerEvent): void;
  /**
   * Pure. Markdown to messages in this platform's dialect, each within its limit; at least one. Buttons stand below the last,
   * as many as the platform takes. Only those in `named` are named for good, where the text has their names.
   */
  render(
    markdown: string,
    to: ReplyAddress,
    buttons?: readonly Button[],
    named?: readonly Named[],
  ): readonly ReplyPart[];
  /** What of them it takes below a message; absent: none. */
  readonly buttons?: ButtonLimits;
  /** What emojis on its messages are for; absent: none is heard of. */
  readonly reactions?: { readonly feedback: boolean; readonly approvals: boolean };
  /** Answers may name whom they were shown, among others; absent: nobody. */
  readonly mentions?: true;
  /** The module whose `renderReply` does what `render` does, told to which hosts it may link, so that a thread can do it. Absent: it takes no work. */
  readonly renderer?: string;
  /** Where to speak when nobody has asked; null: it is no place there. Absent: nobody may speak first. */
  addressOf?(place: Place): ReplyAddress | null;
  /** Names what has to be well for that to be said, where one platform is many; absent: the platform itself. */
  destinationOf?(to: ReplyAddress): string;
  /** Sends one part. Throws DeliveryError, or what the permit throws when it is asked: then nothing was said. */
  send(delivery: Delivery, signal: AbortSignal, permit?: Permit): Promise<Receipt>;
  /**
   * Changes a message that was sent for this part; the same words again are no harm. `gone`: it is not there any more, or
   * cannot be changed. Throws as `send` does.
   */
  edit?(
    receipt: Receipt,
    delivery: Delivery,
    signal: AbortSignal,
    permit?: Permit,
  ): Promise<Receipt | "gone">;
  /** The same place as `render` is told of it while an answer grows; absent: as it is. Pure. */
  growingAt?(to: ReplyAddress): ReplyAddress;
  /**
   * In how long an answer that grows may be shown there (`isFirst`), or changed, which then takes that moment: whoever
   * shares a limit gets one after the other. Null or absent: it is not shown.
   */
  previewInMs?(to: ReplyAddress, isFirst: boolean): number | null;
  /** So much of an answer its first part shows while it grows, also where it has several; absent: what one message holds. */
  readonly shownCharsMax?: number;
  /** An earlier send of this part may have landed. */
  recover(delivery: Delivery, signal: AbortSignal): Promise<Recovery>;
  /** Ends the waiting of somebody whose press comes to nothing, where an acknowledgement does not. Never throws. */
  dismiss?(to: ReplyAddress): Promise<void>;
  /** Told of each message that was answered with an earlier one, once that is said; for who waits for it here. Never throws. */
  merged?(event: TriggerEvent, into: TriggerEvent): void;
  /** Shows that the bot is working, until aborted. Never throws. */
  typing?(to: ReplyAddress, signal: AbortSignal): Promise<void>;
  /**
   * Whether what an event is answered with can be said with the credentials that we have: false for the event of an
   * installation that is not ours; null while nobody knows yet. Absent: there is nothing to tell apart. A promise only where
   * the store has to be asked, once for each installation in a while: an acknowledgement waits for it. It never rejects.
   */
  serves?(event: TriggerEvent): boolean | null | Promise<boolean | null>;
  /** Learns what it has to know of itself, in the background, from the start of the process on. Never throws. */
  start?(signal: AbortSignal): Promise<void>;
  /** For people's browsers, such as the way to install an app. */
  readonly pages?: readonly Page[];
  /** Where workspaces install the app themselves: what operators see of that. */
  readonly installations?: InstallationKeeper;
  /** Asks the platform's API, within seconds, whether it answers and takes our credentials. Changes nothing. Never throws. */
  probe?(signal: AbortSignal): Promise<readonly ProbeFinding[]>;
  /** Of a platform that shuts out whoever makes too many calls that it refuses. */
  invalidRequests?(): InvalidRequestsReport;
  /** Where the platform keeps what was said before the bot came into a thread. */
  readonly thread?: ThreadReader;
  /** Where its messages name people by id alone: how those are called; absent: they carry names, or ids stay. */
  readonly names?: NameReader;
  /** Where its messages do not tell which roles people have, but the platform does; absent: it is as they tell. */
  readonly roles?: RoleReader;
  /** Where it keeps the files of its messages; absent: they are named to the model, and not read. */
  readonly files?: FileReader;
  /** How files go out with an answer; absent: none do. */
  readonly outgoing?: OutgoingFiles;
  /**
   * Of a platform for developers: its webhook tells what became of a message, and waits for the reply when asked to. Null
   * when aborted first, or when too many wait already.
   */
  waitForReply?(eventId: string, signal: AbortSignal): Promise<string | null>;
}

/** Files that go out with an answer. */
export interface OutgoingFiles {
  /** Of one file. */
  readonly bytesMax: number;
  /** Of one message; more of them are further messages. */
  readonly filesMax: number;
  readonly messageBytesMax: number;
  /** Null: it is taken; else why not, after "could not be sent: ". */
  refusal?(file: Pick<SentFile, "mime" | "bytes">): string | null;
  /** Pure. One message, which `send` fills with what `Delivery.readFile` gives. */
  render(files: readonly SentFile[]): ReplyPart;
}

/** A place that the operator names. */
export interface Place {
  readonly tenant: string;
  readonly channel: string;
  readonly thread: string | null;
  /** What is answered there. */
  readonly eventId: string;
}

/** Connections of our own to a platform. Of all processes that share a store, one elected holder keeps them. */
export interface Socket {
  /** After the platform's name and a dot it is a component of /ready. */
  readonly name: string;
  /** What there may be one holder of: an app, a bot. Names its credential without giving it away. */
  readonly account: string;
  /** Why a connection may be replaced, as metrics tell them apart; what is not among these is `other`. */
  readonly reasons: readonly string[];
  /** As of a webhook. */
  readonly ackWithinMs?: number;
  /**
   * Keeps the connections until aborted. Then it takes no more, acknowledges what is durable within LEAVE_MS, leaves and
   * resolves: the next holder connects when it has. What was not acknowledged comes again. Whoever rejects or resolves
   * sooner is called again, after growing pauses.
   */
  listen(mailbox: Mailbox, signal: AbortSignal): Promise<void>;
}

/** What a socket works with, during one term of its holder. */
export interface Mailbox {
  /** The one way in. Null: it is not stored and may not be acknowledged. Never rejects; at most as long as a webhook. */
  take(inbound: Inbound): Promise<Ack | null>;
  /** What the last holder noted under this name; null: nothing. Rejects when the store is away. */
  recall(name: string): Promise<string | null>;
  /** For the next holder; durable when it resolves. False: the hold has ended, and nothing changed. Rejects as `recall`. */
  note(name: string, value: string): Promise<boolean>;
  /** How things stand, for /ready and the log. */
  report(state: SocketState): void;
  /** A connection came up or went: of a shard, or one of several, counted from 0. */
  connected(shard: number, isUp: boolean): void;
  /** A connection is being replaced. */
  reconnects(reason: string): void;
  /** So many messages that had been missed were read back. */
  readBack(messages: number): void;
}

export interface SocketState {
  readonly status: "ok" | "connecting" | "failed";
  /** With the platform's own word: `invalid_auth`. It holds nothing of our credentials. */
  readonly details: string;
}

/** A reason, and what it means, for operators. */
export type IgnoredWords = Readonly<Record<string, string>>;

export interface WebhookSpec {
  /** Below `/webhooks/<platform>`: `""` is that itself. */
  readonly paths: readonly string[];
  readonly methods: readonly ("POST" | "GET")[];
  readonly bytesMax: number;
  /** So long the platform waits, then it delivers again or tells the person that we failed. Absent: it states no such time. */
  readonly ackWithinMs?: number;
}

/** As most platforms have it. */
export const PLAIN_WEBHOOK: WebhookSpec = { paths: [""], methods: ["POST"], bytesMax: BODY_BYTES_MAX };

/** Reads what was said in an event's thread before it. */
export interface ThreadReader {
  /** How long a run may wait for it. */
  readonly waitMs: number;
  /** Items of the kind `thread`, oldest first, bounded. Throws DeliveryError. */
  read(event: TriggerEvent, signal: AbortSignal): Promise<ThreadPast>;
}

export interface ThreadPast {
  readonly items: readonly ContextItem[];
  /** False: the platform did not give all of it in time. What a limit of ours leaves out is not missing. */
  readonly isWhole: boolean;
}

/** An answer in its platform's dialect, as the adapter's own `render` gives it; a promise where that takes long. */
export type Render = (
  adapter: Adapter,
  markdown: string,
  to: ReplyAddress,
  buttons?: readonly Button[],
  named?: readonly Named[],
) => readonly ReplyPart[] | Promise<readonly ReplyPart[]>;
