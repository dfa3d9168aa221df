import { DeliveryError } from "../../src/domain/errors.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { Permit } from "../../src/shared/call.ts";
import { isRejected } from "../../src/shared/fault.ts";
import type { Upload } from "../shared/outgoing.ts";
import { KeyedSlots, Slots } from "../shared/pace.ts";
import type { Preview } from "../shared/preview-option.ts";
import { audienceOf, type DiscordAddress, type InteractionAddress, readAddress } from "./address.ts";
import type { Beside } from "./body.ts";
import { IN_CHANNEL, IN_THREAD, messageEdit, placeOf } from "./channels.ts";
import { DiscordRefusal } from "./failure.ts";
import { embeddedOf, withNotice } from "./notice.ts";
import { readPart } from "./render.ts";
import { type ClientOptions, editOf, FOLLOW_UP, ORIGINAL, pause, untilKnown, withFile } from "./send.ts";

/** No message is edited more often, the whole answer included. */
const EDIT_EVERY_MS = 1_000;
/** A little more, so that none that is late is followed too soon. */
const PREVIEW_EVERY_MS = 1_100;
/** Discord takes five edits in five seconds of a channel: one of them stays for answers that are whole. */
const CHANNEL_EVERY_MS = 1_250;
/** Of the fifty calls that a bot has in a second. */
const BOT_EVERY_MS = 50;

/** Sends with `send`, changes what that has sent, and says when what grows may be changed. */
export function createEditor(
  send: Adapter["send"],
  options: ClientOptions & { readonly preview: Preview },
): Required<Pick<Adapter, "send" | "edit" | "previewInMs">> {
  const { rest, clock, interactions } = options;
  const messages = new KeyedSlots();
  const bot = new Slots(BOT_EVERY_MS);

  /** Null is the deferred answer, else one that followed it. `undefined`: the interaction takes no edits any more. */
  const editOfInteraction = (
    address: InteractionAddress,
    followUpId: string | null,
    { text, with: more, signal, permit }: Edit,
  ) =>
    untilKnown(options, signal, async () => {
      const what = followUpId === null ? undefined : encodeURIComponent(followUpId);
      try {
        const { id } = await rest.message(editOf(address, text, more, what), signal, permit);
        return followUpId === null
          ? { messageId: id, via: ORIGINAL }
          : { messageId: followUpId, via: FOLLOW_UP };
      } catch (error) {
        if (!(error instanceof DiscordRefusal && error.isMessageGone)) throw error;
        if (followUpId === null) interactions.lostOriginal(address);
        return "gone" as const;
      }
    });

  /** As the bot: also what an interaction has said that is over, where the bot is in that place. */
  async function editAsBot(
    address: DiscordAddress,
    receipt: Receipt & { readonly messageId: string },
    { text, with: more, signal, permit }: Edit,
  ) {
    const { messageId, via } = receipt;
    try {
      await rest.message(messageEdit(placeOf(address, receipt), messageId, text, more), signal, permit);
      return { messageId, via: via === IN_THREAD ? via : IN_CHANNEL };
    } catch (error) {
      // Deleted, not ours to change, or there is no bot: what is said instead will tell.
      if (isRejected(error)) return "gone" as const;
      throw error;
    }
  }

  return {
    async send(delivery, signal, permit) {
      try {
        return await send(delivery, signal, permit);
      } finally {
        rested(delivery);
      }
    },

    async edit(receipt, delivery, signal, permit) {
      const address = readAddress(delivery.to);
      const part = readPart(delivery.part);
      if (address === undefined || part === undefined)
        throw new DeliveryError(
          "rejected",
          "Expected a Discord address and part, got those of another adapter",
        );
      const key = keyOf(delivery.to, address);
      const marked = (content: string) => (delivery.mayRepeat ? (withNotice(content) ?? content) : content);
      const change = async (content: string, files: readonly Upload[]) => {
        const { buttons, mentions } = part;
        const embedded = embeddedOf(part.embedded, delivery);
        const edit = { text: marked(content), with: { files, buttons, mentions, embedded }, signal, permit };
        const { messageId, via } = receipt;
        const isOriginal = via === ORIGINAL;
        if (messageId === null && !isOriginal) return "gone" as const;
        if ((isOriginal || via === FOLLOW_UP) && interactions.isOpen(address)) {
          const edited = await editOfInteraction(address, isOriginal ? null : messageId, edit);
          if (edited !== undefined) return edited;
          interactions.end(address);
        }
        if (messageId === null) return "gone" as const;
        // The bot cannot change what one person alone sees.
        if (audienceOf(address) !== undefined) return "gone" as const;
        return await editAsBot(address, { ...receipt, messageId }, edit);
      };
      const restMs = delivery.isGrowing ? 0 : messages.restMs(key, clock.nowMs());
      if (restMs > 0) await pause(clock, restMs, signal);
      try {
        return await withFile({ ...part, delivery }, change);
      } finally {
        rested(delivery);
      }
    },

    previewInMs(to) {
      const address = readAddress(to);
      if (address === undefined || options.preview === "off") return null;
      if (options.preview === "direct" && address.guildId !== null) return null;
      const nowMs = clock.nowMs();
      const key = keyOf(to, address);
      if (interactions.isOpen(address)) return messages.take(key, PREVIEW_EVERY_MS, nowMs);
      if (audienceOf(address) !== undefined) return null;
      const inMs = bot.take(nowMs);
      return inMs + messages.take(key, CHANNEL_EVERY_MS, nowMs + inMs);
    },
  };

  function rested({ to, isGrowing }: Delivery): void {
    const address = readAddress(to);
    if (isGrowing && address !== undefined) messages.rest(keyOf(to, address), clock.nowMs() + EDIT_EVERY_MS);
  }

  /** What is said for an interaction has a limit of its own; what the bot says, one for each channel. */
  function keyOf(to: ReplyAddress, address: DiscordAddress): string {
    return interactions.isOpen(address) ? to : address.channelId;
  }
}

interface Edit {
  readonly text: string;
  readonly with: Beside;
  readonly signal: AbortSignal;
  readonly permit: Permit | undefined;
}
