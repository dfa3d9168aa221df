import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Button } from "../../src/domain/button.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { Clock, Random } from "../../src/ports/clock.ts";
import type { Permit } from "../../src/shared/call.ts";
import { isRejected, rejectedLast } from "../../src/shared/fault.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import type { ReplyFile } from "../shared/answer-file.ts";
import { type DiscordAddress, readAddress } from "./address.ts";
import type { DiscordRest } from "./api.ts";
import { componentsFor } from "./buttons.ts";
import { DiscordRefusal } from "./failure.ts";
import type { Interactions } from "./interactions.ts";
import { closingLine } from "./limit.ts";
import { REPEAT_NOTICE, withLine, withNotice } from "./notice.ts";
import { noFileLine, type RenderedPart, readPart } from "./render.ts";

/**
 * Discord may not know an interaction until it has processed our acknowledgement, and now and then forgets one for
 * a moment. Waits between the tries, each varied by a quarter:
 *
 * | try | 1 | 2 | 3 | 4 | then |
 * |-|-|-|-|-|-|
 * | after | 0 | 0.25 s | 0.75 s | 1.75 s | 3.75 s, and last |
 */
const RACE_DELAYS_MS = [250, 500, 1_000, 2_000] as const;

/** Discord refuses a copy with the same nonce "for a few minutes"; this is the least that can mean. */
const NONCE_LIFE_MS = 2 * 60_000;
const REMEMBERED_MAX = 1_000;

/** No previews: Discord would fetch whatever address a model writes. */
const SUPPRESS_EMBEDS = 4;
/** For the one who asked alone; the deferred answer is so already. */
const EPHEMERAL = 64;

export interface ClientOptions {
  readonly rest: DiscordRest;
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
  readonly random: Random;
  readonly interactions: Interactions;
}

/**
 * The first part becomes the deferred answer, the others follow it. Once the interaction no longer takes replies,
 * the bot writes in the channel by itself.
 */
export function createClient(options: ClientOptions): Pick<Adapter, "send" | "recover"> {
  const { clock, interactions } = options;
  /** When a part was first sent to a channel, by its id. */
  const channelSends = new LRUCache<string, number>({ max: REMEMBERED_MAX });

  async function say(sending: Sending): Promise<Receipt> {
    const { address, delivery, signal } = sending;
    if (interactions.isOpen(address)) {
      const isFirst = isForOriginal(delivery) && interactions.hasOriginal(address);
      const receipt = await untilKnown(options, signal, () =>
        isFirst ? editOriginal(options.rest, sending) : followUpOrClose(options.rest, sending),
      );
      if (receipt !== undefined) return receipt;
      interactions.end(address);
    }
    if (!channelSends.has(delivery.partId)) channelSends.set(delivery.partId, clock.nowMs());
    return postInChannel(options.rest, sending).catch((error: unknown) => rejectedLast(error, OVER));
  }

  return {
    async send(delivery, signal, permit) {
      const address = readAddress(delivery.to);
      const part = readPart(delivery.part);
      if (address === undefined || part === undefined) {
        throw new DeliveryError(
          "rejected",
          "Expected a Discord address and part, got those of another adapter",
        );
      }
      const sending = { address, ...part, delivery, signal, permit };
      return await withFile(sending, (content, file) => say({ ...sending, content, file }));
    },

    async recover(delivery) {
      const address = readAddress(delivery.to);
      if (address === undefined) return "unknown";
      const begunAtMs = channelSends.get(delivery.partId);
      // The same nonce again is answered with the message that is there.
      if (begunAtMs !== undefined)
        return clock.nowMs() - begunAtMs < NONCE_LIFE_MS ? "repeatable" : "unknown";
      // An edit made twice leaves one message. A follow-up has neither a nonce nor a way to look it up.
      const isEdit =
        isForOriginal(delivery) && interactions.isOpen(address) && interactions.hasOriginal(address);
      return isEdit ? "repeatable" : "unknown";
    },
  };
}

/** The deferred answer is for what is said first. */
function isForOriginal({ index, follows }: Delivery): boolean {
  return index === 0 && follows !== true;
}

/** Tries again while Discord does not know the interaction; undefined when it never will. */
export async function untilKnown<Sent>(
  { clock, random }: Pick<ClientOptions, "clock" | "random">,
  signal: AbortSignal,
  send: () => Promise<Sent>,
): Promise<Sent | undefined> {
  for (const delayMs of [...RACE_DELAYS_MS, null]) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof DiscordRefusal) || error.interactionGone === null) throw error;
      if (error.interactionGone === "certainly" || delayMs === null) return undefined;
      await pause(clock, delayMs * (0.75 + random() / 2), signal);
    }
  }
  return undefined;
}

export async function pause(
  clock: Pick<Clock, "sleep">,
  durationMs: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await clock.sleep(durationMs, signal);
  } catch {
    throw new DeliveryError("retry", "Discord: stopped before sending");
  }
}

/** What a message has beside its words. */
export interface Beside {
  readonly file: ReplyFile | null;
  readonly buttons: readonly Button[];
}
const ALONE: Beside = { file: null, buttons: [] };

interface Sending {
  readonly address: DiscordAddress;
  readonly content: string;
  readonly charsLeft: number | null;
  readonly file: ReplyFile | null;
  readonly buttons: readonly Button[];
  readonly delivery: Delivery;
  readonly signal: AbortSignal;
  readonly permit: Permit | undefined;
}

/**
 * With its file, which what grows has not yet; where Discord takes none (the bot, or the person, may not attach files there),
 * without, and the message says so.
 */
export async function withFile<Sent extends Receipt | "gone">(
  { content, charsLeft, file, delivery }: RenderedPart & { readonly delivery: Delivery },
  say: (content: string, file: ReplyFile | null) => Promise<Sent>,
): Promise<Sent> {
  if (file === null || delivery.isGrowing) return await say(content, null);
  try {
    return await say(content, file);
  } catch (error) {
    if (!isRejected(error)) throw error;
    const line = noFileLine(charsLeft ?? file.text.length);
    const said = await say(withLine(content, line) ?? content, null);
    return (said === "gone" ? said : { ...(said as Receipt), endsReply: error.message }) as Sent;
  }
}

async function editOriginal(
  rest: DiscordRest,
  { address, content, file, buttons, delivery, signal, permit }: Sending,
): Promise<Receipt> {
  // An edit replaces what an earlier one has left, so a text without room for the notice may do without.
  const text = delivery.mayRepeat ? (withNotice(content) ?? content) : content;
  const { id: messageId } = await rest.message(editOf(address, text, { file, buttons }), signal, permit);
  return { messageId, via: ORIGINAL };
}

const OVER = "the interaction is over: it takes replies for 15 minutes";
export const ORIGINAL = "interaction.original";
export const FOLLOW_UP = "interaction.followup";
export const IN_CHANNEL = "channel.message";

function originalOf(address: DiscordAddress, messageId = "@original") {
  return {
    route: `${interactionRoute(address)}/messages/${messageId}` as `/${string}`,
    as: "interaction",
    what: "edit of the deferred answer",
    repeatable: true,
  } as const;
}

export function editOf(address: DiscordAddress, text: string, beside: Beside = ALONE, messageId?: string) {
  const body = editBody(text, beside);
  return { ...originalOf(address, messageId), method: "PATCH", body, file: beside.file } as const;
}

async function followUpOrClose(rest: DiscordRest, sending: Sending): Promise<Receipt> {
  try {
    return await followUp(rest, sending);
  } catch (error) {
    if (!(error instanceof DiscordRefusal && error.isSpent)) throw error;
    return await closeOriginal(rest, sending, error);
  }
}

/**
 * A reply is rendered to fit, but a repetition, or another answer to the same interaction, takes follow-ups too. Edits
 * are not counted: so the first message is made to say that something is missing.
 */
async function closeOriginal(
  rest: DiscordRest,
  { address, charsLeft, signal, permit }: Sending,
  refusal: DiscordRefusal,
): Promise<Receipt> {
  const { content } = await rest.message({ ...originalOf(address), method: "GET" }, signal);
  const line = closingLine(charsLeft, address.followUpsMax);
  const closed = content === null ? undefined : withLine(content, line);
  if (closed === undefined) throw refusal;
  const { id: messageId } = await rest.message(editOf(address, closed), signal, permit);
  return { messageId, via: ORIGINAL, endsReply: refusal.message };
}

async function followUp(
  rest: DiscordRest,
  { address, content, file, buttons, delivery, signal, permit }: Sending,
): Promise<Receipt> {
  let messageId: string | null = null;
  const texts = textsOf(content, delivery);
  for (const [index, text] of texts.entries()) {
    const asked = { route: interactionRoute(address), what: "follow-up" };
    const beside = index === texts.length - 1 ? { file, buttons } : ALONE;
    const flags = address.onlyFor && { flags: SUPPRESS_EMBEDS | EPHEMERAL };
    const body = { ...messageBody(text, beside), ...flags };
    ({ id: messageId } = await rest.message(
      { ...asked, method: "POST", body, file: beside.file, as: "interaction", repeatable: false },
      signal,
      permit,
    ));
  }
  return { messageId, via: FOLLOW_UP };
}

async function postInChannel(
  rest: DiscordRest,
  { address, content, file, buttons, delivery, signal, permit }: Sending,
): Promise<Receipt> {
  let messageId: string | null = null;
  const texts = textsOf(content, delivery);
  const channelId = await channelFor(rest, address, signal, permit);
  for (const [index, text] of texts.entries()) {
    // The text itself always has the part's nonce; a notice of its own needs another.
    const isText = index === texts.length - 1;
    const nonce = nonceFor(isText ? delivery.partId : `${delivery.partId}/notice`);
    const beside = isText ? { file, buttons } : ALONE;
    ({ id: messageId } = await rest.message(
      {
        method: "POST",
        route: `/channels/${encodeURIComponent(channelId)}/messages`,
        body: { ...messageBody(text, beside), nonce, enforce_nonce: true },
        file: beside.file,
        as: "bot",
        what: "channel message",
        repeatable: true,
      },
      signal,
      permit,
    ));
  }
  return { messageId, via: IN_CHANNEL };
}

/** What was meant for one person goes to their direct messages, and not before the whole channel. */
async function channelFor(
  rest: DiscordRest,
  { channelId, onlyFor, guildId }: DiscordAddress,
  signal: AbortSignal,
  permit: Permit | undefined,
): Promise<string> {
  if (onlyFor === undefined || guildId === null) return channelId;
  const opened = {
    method: "POST",
    route: "/users/@me/channels",
    body: { recipient_id: onlyFor },
    as: "bot",
    what: "direct messages",
    repeatable: true,
  } as const;
  const { id } = await rest.message(opened, signal, permit);
  if (id === null) throw new DeliveryError("retry", "Discord direct messages: expected a channel, got none");
  return id;
}

/** One message, or two when the notice has no room in it. */
function textsOf(content: string, delivery: Delivery): readonly string[] {
  if (!delivery.mayRepeat) return [content];
  const marked = withNotice(content);
  return marked === undefined ? [REPEAT_NOTICE, content] : [marked];
}

function interactionRoute({ applicationId, token }: DiscordAddress): `/${string}` {
  return `/webhooks/${encodeURIComponent(applicationId)}/${encodeURIComponent(token)}`;
}

/** Mentions are named in every call, edits too: by default a bot's message pings whomever it names. */
function messageBody(content: string, { file, buttons }: Beside): JsonObject {
  // Named, so that an edit that is made twice leaves one file.
  const attachments = file === null ? {} : { attachments: [{ id: 0, filename: file.name }] };
  const components = buttons.length > 0 ? { components: componentsFor(buttons) } : {};
  return {
    content,
    allowed_mentions: { parse: [] },
    flags: SUPPRESS_EMBEDS,
    ...attachments,
    ...components,
  };
}

/** What it does not name stays as it was: buttons that are not there any more are taken away. */
export function editBody(content: string, beside: Beside): JsonObject {
  return { ...messageBody(content, beside), components: componentsFor(beside.buttons) };
}

/** At most 25 characters; the same for the same part, on every machine. */
function nonceFor(partId: string): string {
  return createHash("sha256").update(partId).digest("base64url").slice(0, 25);
}
