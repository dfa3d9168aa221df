import { DeliveryError } from "../../src/domain/errors.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { Clock, Random } from "../../src/ports/clock.ts";
import { isRejected, rejectedLast } from "../../src/shared/fault.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { filesIn, type Upload, uploadOf, uploadsOf } from "../shared/outgoing.ts";
import { type DiscordAddress, type InteractionAddress, readAddress } from "./address.ts";
import type { Call, DiscordRest } from "./api.ts";
import { ALONE, type Beside, EPHEMERAL, editBody, messageBody } from "./body.ts";
import type { Channels, Post } from "./channels.ts";
import { DiscordRefusal } from "./failure.ts";
import type { Interactions } from "./interactions.ts";
import { closingLine } from "./limit.ts";
import { embeddedOf, textsOf, withLine, withNotice } from "./notice.ts";
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

export interface ClientOptions {
  readonly rest: DiscordRest;
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
  readonly random: Random;
  readonly interactions: Interactions;
  readonly channels: Channels;
}

/**
 * The first part becomes the deferred answer, the others follow it. Once the interaction no longer takes replies,
 * the bot writes in the channel by itself.
 */
export function createClient(options: ClientOptions): Pick<Adapter, "send" | "recover"> {
  const { interactions, channels } = options;

  async function say(address: DiscordAddress, post: Post): Promise<Receipt> {
    if (address.kind === "message") return await channels.post(address, post);
    if (interactions.isOpen(address)) {
      const sending = { address, ...post };
      const isFirst = isForOriginal(post.delivery) && interactions.hasOriginal(address);
      const receipt = await untilKnown(options, post.signal, () =>
        isFirst ? editOriginal(options.rest, sending) : followUpOrClose(options.rest, sending),
      );
      if (receipt !== undefined) return receipt;
      interactions.end(address);
    }
    return channels.post(address, post).catch((error: unknown) => rejectedLast(error, OVER));
  }

  return {
    async send(delivery, signal, permit) {
      const address = readAddress(delivery.to);
      if (address !== undefined && filesIn(delivery.part).length > 0)
        return await say(address, {
          ...NO_WORDS,
          files: await uploadsOf(delivery),
          delivery,
          signal,
          permit,
        });
      const part = readPart(delivery.part);
      if (address === undefined || part === undefined) {
        throw new DeliveryError(
          "rejected",
          "Expected a Discord address and part, got those of another adapter",
        );
      }
      const post = { ...part, delivery, signal, permit };
      return await withFile(post, (content, files) => say(address, { ...post, content, files }));
    },

    async recover(delivery, signal) {
      const address = readAddress(delivery.to);
      const part = filesIn(delivery.part).length > 0 ? NO_WORDS : readPart(delivery.part);
      if (address === undefined || part === undefined) return "unknown";
      if (address.kind === "message" || channels.hasBegun(delivery.partId))
        return await channels.recover(address, {
          ...part,
          // By their names alone they are found.
          files: filesIn(delivery.part).map((file) => ({ ...file, data: Buffer.alloc(0) })),
          delivery,
          signal,
          permit: undefined,
        });
      // An edit made twice leaves one message. A follow-up has neither a nonce nor a way to look it up.
      const isEdit =
        isForOriginal(delivery) && interactions.isOpen(address) && interactions.hasOriginal(address);
      return isEdit ? "repeatable" : "unknown";
    },
  };
}

/** Of a message with files alone. */
const NO_WORDS = { content: "", embedded: null, charsLeft: null, buttons: [], mentions: [] } as const;

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

interface Sending extends Post {
  readonly address: InteractionAddress;
}

/**
 * With its file, which what grows has not yet; where Discord takes none (the bot, or the person, may not attach files there),
 * without, and the message says so.
 */
export async function withFile<Sent extends Receipt | "gone">(
  { content, charsLeft, file, delivery }: RenderedPart & Pick<Post, "delivery">,
  say: (content: string, files: readonly Upload[]) => Promise<Sent>,
): Promise<Sent> {
  if (file === null || delivery.isGrowing) return await say(content, []);
  try {
    return await say(content, [uploadOf(file)]);
  } catch (error) {
    if (!isRejected(error)) throw error;
    const line = noFileLine(charsLeft ?? file.text.length);
    const said = await say(withLine(content, line) ?? content, []);
    return (said === "gone" ? said : { ...(said as Receipt), endsReply: error.message }) as Sent;
  }
}

async function editOriginal(
  rest: DiscordRest,
  { address, content, files, buttons, mentions, delivery, signal, permit, ...part }: Sending,
): Promise<Receipt> {
  const embedded = embeddedOf(part.embedded, delivery);
  // An edit replaces what an earlier one has left, so a text without room for the notice may do without.
  const text = delivery.mayRepeat ? (withNotice(content) ?? content) : content;
  const { id: messageId } = await rest.message(
    editOf(address, text, { files, buttons, mentions, embedded }),
    signal,
    permit,
  );
  return { messageId, via: ORIGINAL };
}

const OVER = "the interaction is over: it takes replies for 15 minutes";
export const ORIGINAL = "interaction.original";
export const FOLLOW_UP = "interaction.followup";

function originalOf(address: InteractionAddress, messageId = "@original") {
  return {
    route: `${interactionRoute(address)}/messages/${messageId}` as `/${string}`,
    as: "interaction",
    what: "edit of the deferred answer",
    repeatable: true,
  } as const;
}

export function editOf(
  address: InteractionAddress,
  text: string,
  beside: Beside = ALONE,
  messageId?: string,
): Call {
  const { embedded, files } = beside;
  const edit = (body: JsonObject) =>
    ({ ...originalOf(address, messageId), method: "PATCH", body, files }) as const;
  const call = edit(editBody(text, beside));
  if (embedded === null) return call;
  const asText = edit(editBody(text, { ...beside, embedded: null }));
  return { ...call, instead: { channelId: address.channelId, call: asText, edit: () => asText } };
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
  { address, content, files, buttons, mentions, delivery, signal, permit, ...part }: Sending,
): Promise<Receipt> {
  let messageId: string | null = null;
  const texts = textsOf(content, delivery);
  const embedded = embeddedOf(part.embedded, delivery);
  for (const [index, text] of texts.entries()) {
    const beside = index === texts.length - 1 ? { files, buttons, mentions, embedded } : ALONE;
    ({ id: messageId } = await rest.message(followUpOf(address, text, beside), signal, permit));
  }
  return { messageId, via: FOLLOW_UP };
}

function followUpOf(address: InteractionAddress, text: string, beside: Beside): Call {
  const { embedded, files } = beside;
  const asked = { route: interactionRoute(address), what: "follow-up", method: "POST", files } as const;
  const { flags, ...body } = messageBody(text, beside);
  // The deferred answer is for the one who asked already.
  const seenBy = address.onlyFor === undefined ? flags : Number(flags) | EPHEMERAL;
  const call = { ...asked, body: { ...body, flags: seenBy }, as: "interaction", repeatable: false } as const;
  if (embedded === null) return call;
  const plain = { ...beside, embedded: null };
  const edit = (messageId: string) => editOf(address, text, plain, encodeURIComponent(messageId));
  const { channelId } = address;
  return { ...call, instead: { channelId, call: followUpOf(address, text, plain), edit } };
}

function interactionRoute({ applicationId, token }: InteractionAddress): `/${string}` {
  return `/webhooks/${encodeURIComponent(applicationId)}/${encodeURIComponent(token)}`;
}
