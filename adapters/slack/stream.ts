import { LRUCache } from "lru-cache";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Permit } from "../../src/shared/call.ts";
import { isRejected } from "../../src/shared/fault.ts";
import { getString, type JsonObject } from "../../src/shared/json.ts";
import type { Preview } from "../shared/preview-option.ts";
import { type MessageAddress, readAddress, type SlackAddress } from "./address.ts";
import type { CallSlack } from "./api.ts";
import { blocksFor } from "./buttons.ts";
import { replyMetadata } from "./metadata.ts";
import { blocksAsRepeat, markedAsRepeat, readPart } from "./render.ts";
import { Pace, type Paced, type Stream, Streams } from "./stream-state.ts";
import { settled } from "./stream-text.ts";
import { withTables } from "./tables.ts";

export const START = "chat.startStream";
const APPEND = "chat.appendStream";
const STOP = "chat.stopStream";
const UPDATE = "chat.update";

/** Slack has ended the stream by itself, after some minutes, or because somebody pressed stop. */
const NOT_STREAMING = /: (?:message_not_in_streaming_state|stopped_by_user)$/;
const GONE = /: (?:message_not_found|cant_update_message|edit_window_closed|channel_not_found)$/;
/** The stream that was just stopped, or that another process is about to stop. */
const STILL_STREAMING = /: streaming_state_conflict$/;
/** Refusals that hold everywhere, and not only in one place. */
const NO_STREAMS =
  /: (?:unknown_method|missing_scope|not_allowed_token_type|feature_not_enabled|method_deprecated|HTTP 404)$/;
/** A stream holds 12,000, escapes included. */
export const SHOWN_CHARS_MAX = 11_000;
/** Places in which a stream was refused. */
const PLACES_MAX = 1_000;
/** Until there is something that may be appended. */
const NOTHING_YET_MS = 1_000;

export interface StreamingOptions {
  readonly call: CallSlack;
  readonly clock: Pick<Clock, "nowMs">;
  readonly preview: Preview;
  /** Says a part as a message, whole or not. */
  readonly send: Adapter["send"];
  /** Told of Slack's answer to what was posted. */
  readonly posted: (answer: JsonObject) => void;
}

export type Streaming = Required<Pick<Adapter, "send" | "edit" | "previewInMs">> & {
  readonly isShown: (to: ReplyAddress) => boolean;
};

interface Call {
  readonly signal: AbortSignal;
  readonly permit: Permit | undefined;
}

/**
 * Answers that grow: as streams of Slack's where it takes them, and else as messages that are edited. A stream can only be
 * appended to; where what is to be said does not begin with what it says, or where that is not known, it is stopped and its
 * text set whole.
 */
export function createStreaming(options: StreamingOptions): Streaming {
  const { call, preview } = options;
  const streams = new Streams();
  const pace = new Pace(options.clock);
  const refused = new LRUCache<string, true>({ max: PLACES_MAX });
  const shown = new LRUCache<string, true>({ max: PLACES_MAX });
  let areRefused = false;

  const mayStream = ({ channel, threadTs }: MessageAddress) =>
    threadTs !== null && !areRefused && !refused.has(channel);

  /** A pause that Slack asks for is one of everything of that kind. */
  async function paced<T>(of: Paced, address: SlackAddress, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof DeliveryError && error.status === 429)
        pace.rest(workspaceOf(address), of, error.retryAfterMs ?? 0);
      throw error;
    }
  }

  async function start(
    address: MessageAddress,
    delivery: Delivery,
    { signal, permit }: Call,
  ): Promise<Receipt> {
    const { channel, threadTs, teamId, userId } = address;
    const said = settledIn(delivery);
    if (said === "")
      throw new DeliveryError("retry", `${START}: nothing to show yet`, { retryAfterMs: NOTHING_YET_MS });
    const recipients = { recipient_team_id: teamId, recipient_user_id: userId };
    const args = { channel, thread_ts: threadTs, markdown_text: said, ...recipients };
    const answer = await paced("start", address, () => call(START, args, signal, permit));
    options.posted(answer);
    const messageId = getString(answer, "ts") ?? null;
    if (messageId !== null) streams.begin(channel, messageId, said);
    return { messageId, via: START };
  }

  async function append(
    address: MessageAddress,
    ts: string,
    stream: Stream,
    delivery: Delivery,
    { signal, permit }: Call,
  ): Promise<Receipt | "gone"> {
    const receipt: Receipt = { messageId: ts, via: START };
    const text = settledIn(delivery);
    if (!stream.isSure || !text.startsWith(stream.said) || text === stream.said) return receipt;
    const args = { channel: address.channel, ts, markdown_text: text.slice(stream.said.length) };
    try {
      await paced("append", address, () => call(APPEND, args, signal, permit));
      stream.said = text;
      return receipt;
    } catch (error) {
      if (says(error, GONE)) return "gone";
      if (says(error, NOT_STREAMING)) {
        stream.isOver = true;
        return receipt;
      }
      if (!isUnsaid(error)) stream.isSure = false;
      throw error;
    }
  }

  /** Once: whatever becomes of it, what was to be said with it is in doubt after that. */
  async function stop(
    { channel }: MessageAddress,
    ts: string,
    stream: Stream,
    rest: string,
    delivery: Delivery,
    { signal, permit }: Call,
  ): Promise<"stopped" | "over" | "gone"> {
    const args = { channel, ts, ...(rest !== "" && { markdown_text: rest }) };
    try {
      await call(STOP, { ...args, metadata: replyMetadata(delivery.partId) }, signal, permit);
      stream.isOver = true;
      return "stopped";
    } catch (error) {
      if (says(error, GONE)) return "gone";
      if (!isUnsaid(error)) stream.isSure = false;
      if (!says(error, NOT_STREAMING)) throw error;
      stream.isOver = true;
      return "over";
    }
  }

  async function update(
    address: SlackAddress,
    { messageId: ts, via }: Receipt,
    delivery: Delivery,
    { signal, permit }: Call,
  ): Promise<Receipt | "gone"> {
    const { text, blocks, buttons } = markedPart(delivery);
    const metadata = via === START ? { metadata: replyMetadata(delivery.partId) } : {};
    try {
      await withTables(blocks, (tables) => {
        // Blocks that are not named stay, those of a stream too; it has no mark before.
        const shown = { text, blocks: blocksFor(text, buttons, tables) };
        const args = { channel: address.channel, ts, ...shown, ...metadata };
        return paced("update", address, () => call(UPDATE, args, signal, permit));
      });
      return { messageId: ts, via: UPDATE };
    } catch (error) {
      if (says(error, GONE)) return "gone";
      if (says(error, STILL_STREAMING))
        throw new DeliveryError("retry", `${UPDATE}: the stream is not over yet`);
      throw error;
    }
  }

  /** The whole answer takes the place of what the stream says. */
  async function finish(address: MessageAddress, ts: string, delivery: Delivery, by: Call) {
    const stream = streams.of(address.channel, ts);
    const whole = delivery.mayRepeat ? null : (readPart(delivery.part)?.streamed?.text ?? null);
    const fits = whole !== null && stream.isSure && !stream.isOver && whole.startsWith(stream.said);
    if (!stream.isOver) {
      const rest = fits ? whole.slice(stream.said.length) : "";
      const ended = await stop(address, ts, stream, rest, delivery, by);
      if (ended === "gone") return ended;
      if (ended === "stopped" && fits) return { messageId: ts, via: STOP, saysAll: true as const };
    }
    return await update(address, { messageId: ts, via: START }, delivery, by);
  }

  const growing = async <T>(to: ReplyAddress, change: () => Promise<T>): Promise<T> => {
    shown.set(to, true);
    try {
      return await change();
    } finally {
      pace.changed(to);
    }
  };

  return {
    async send(delivery, signal, permit) {
      const plain = () => options.send(delivery, signal, permit);
      const address = readAddress(delivery.to);
      if (!delivery.isGrowing) return await plain();
      return await growing(delivery.to, async () => {
        if (address?.kind !== "message" || !mayStream(address)) return await plain();
        try {
          return await start(address, delivery, { signal, permit });
        } catch (error) {
          // Certainly not said: it is shown in a message that is edited, here and from now on.
          if (!isRejected(error)) throw error;
          if (says(error, NO_STREAMS)) areRefused = true;
          else refused.set(address.channel, true);
          return await plain();
        }
      });
    },

    async edit(receipt, delivery, signal, permit) {
      const address = readAddress(delivery.to);
      if (address === null || readPart(delivery.part) === null)
        throw new DeliveryError(
          "rejected",
          "Expected an address and a part of the Slack adapter, got others",
        );
      const { messageId, via } = receipt;
      if (messageId === null) return "gone";
      const by = { signal, permit };
      const isStream = via === START && address.kind === "message";
      if (!delivery.isGrowing)
        return isStream
          ? await finish(address, messageId, delivery, by)
          : await update(address, receipt, delivery, by);
      return await growing(delivery.to, async () => {
        const stream = isStream ? streams.of(address.channel, messageId) : null;
        if (isStream && stream !== null && !stream.isOver)
          return await append(address, messageId, stream, delivery, by);
        // Of an answer with more than one message the first holds no mark that it goes on.
        if (readPart(delivery.part)?.hasMore) return receipt;
        const edited = await update(address, receipt, delivery, by);
        return edited === "gone" ? edited : receipt;
      });
    },

    previewInMs(to, isFirst) {
      const address = readAddress(to);
      if (address?.kind !== "message" || preview === "off" || !isPlace(address.channel)) return null;
      if (preview === "direct" && !address.channel.startsWith("D")) return null;
      const streaming = mayStream(address);
      const of = isFirst ? (streaming ? "start" : "post") : streaming ? "append" : "update";
      return pace.take(workspaceOf(address), of, to);
    },

    isShown: (to) => shown.has(to),
  };
}

function workspaceOf(address: SlackAddress): string {
  return (address.kind === "message" ? address.teamId : undefined) ?? "";
}

/** What is posted to a person ends up in a channel whose name nobody told, so it cannot be edited. */
function isPlace(channel: string): boolean {
  return /^[CDG]/.test(channel);
}

function settledIn({ part }: Delivery): string {
  const streamed = readPart(part)?.streamed ?? null;
  return streamed === null ? "" : settled(streamed);
}

/** As it is to be said. */
function markedPart({ part, mayRepeat }: Delivery) {
  const { text, blocks, buttons } = readPart(part) ?? { text: "", blocks: [], buttons: [] };
  return mayRepeat
    ? { text: markedAsRepeat(text), blocks: blocksAsRepeat(blocks), buttons }
    : { text, blocks, buttons };
}

function says(error: unknown, words: RegExp): boolean {
  return error instanceof DeliveryError && words.test(error.message);
}

/** Certainly not applied. */
function isUnsaid(error: unknown): boolean {
  return error instanceof DeliveryError && error.kind !== "unknown";
}
