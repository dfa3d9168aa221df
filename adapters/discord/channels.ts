import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Button } from "../../src/domain/button.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Recovery } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Permit } from "../../src/shared/call.ts";
import { isRefused, isRejected } from "../../src/shared/fault.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import type { Upload } from "../shared/outgoing.ts";
import { audienceOf, type DiscordAddress, type MessageAddress } from "./address.ts";
import type { Call, DiscordRest } from "./api.ts";
import { ALONE, type Beside, editBody, messageBody } from "./body.ts";
import { DiscordRefusal } from "./failure.ts";
import { embeddedOf, textsOf, withNotice } from "./notice.ts";
import { type Embedded, isEmbedded } from "./tables.ts";

/** Discord refuses a copy with the same nonce "for a few minutes"; this is the least that can mean. */
const NONCE_LIFE_MS = 2 * 60_000;
const REMEMBERED_MAX = 1_000;
/** What Discord gives at most in one call. */
const LOOKED_AT_MAX = 100;
/** It is shown to lie idle after a day. */
const THREAD_ARCHIVED_MINUTES = 1_440;

export const IN_CHANNEL = "channel.message";
export const IN_THREAD = "thread.message";

/** A part on its way to Discord. */
export interface Post {
  readonly content: string;
  readonly embedded: Embedded | null;
  readonly charsLeft: number | null;
  readonly files: readonly Upload[];
  readonly buttons: readonly Button[];
  readonly mentions: readonly string[];
  readonly delivery: Delivery;
  readonly signal: AbortSignal;
  readonly permit: Permit | undefined;
}

/** What the bot says by itself: beneath a message, in a thread of its own, or where an interaction was. */
export class Channels {
  readonly #rest: DiscordRest;
  readonly #clock: Pick<Clock, "nowMs">;
  /** When a part was first sent, by its id. */
  readonly #begun = new LRUCache<string, number>({ max: REMEMBERED_MAX });
  /** Whether a message has the thread in which it is to be answered; false: it may have none. */
  readonly #threads = new LRUCache<string, boolean>({ max: REMEMBERED_MAX });

  constructor(rest: DiscordRest, clock: Pick<Clock, "nowMs">) {
    this.#rest = rest;
    this.#clock = clock;
  }

  hasBegun(partId: string): boolean {
    return this.#begun.has(partId);
  }

  async post(address: DiscordAddress, post: Post): Promise<Receipt> {
    const { delivery, content, files, buttons, mentions, signal, permit } = post;
    const isInThread = address.kind === "message" && (await this.#hasThread(address, post));
    if (!this.#begun.has(delivery.partId)) this.#begun.set(delivery.partId, this.#clock.nowMs());
    const texts = textsOf(content, delivery);
    const embedded = embeddedOf(post.embedded, delivery);
    const place = isInThread ? address.id : await this.#placeFor(address, post);
    const isReply = address.kind === "message" && !isInThread && delivery.index === 0;
    let messageId: string | null = null;
    for (const [index, text] of texts.entries()) {
      // The text itself always has the part's nonce; a notice of its own needs another.
      const isText = index === texts.length - 1;
      const nonce = nonceFor(isText ? delivery.partId : `${delivery.partId}/notice`);
      const beside = isText ? { files, buttons, mentions, embedded } : ALONE;
      const reference = isReply && index === 0 ? { message_reference: referenceTo(address) } : {};
      const call = messageCall(place, text, beside, { nonce, enforce_nonce: true, ...reference });
      ({ id: messageId } = await this.#rest.message(call, signal, permit));
    }
    return { messageId, via: isInThread ? IN_THREAD : IN_CHANNEL };
  }

  /** The same nonce again is answered with the message that is there. Later it is looked for. */
  async recover(address: DiscordAddress, post: Post): Promise<Recovery> {
    const begunAtMs = this.#begun.get(post.delivery.partId);
    if (begunAtMs !== undefined && this.#clock.nowMs() - begunAtMs < NONCE_LIFE_MS) return "repeatable";
    if (address.kind !== "message") return "unknown";
    try {
      if (address.opensThread !== undefined) {
        const found = await this.#find(address, address.id, post).catch(noChannel);
        if (found !== "absent") return found;
      }
      return await this.#find(address, address.channelId, post);
    } catch (error) {
      // Nobody was asked, or nobody of us is heard: it can be found out later, and is not said twice for now.
      if (isRefused(error)) throw error;
      return "unknown";
    }
  }

  /** What was meant for one person goes to their direct messages, and not before the whole channel. */
  async #placeFor(address: DiscordAddress, { signal, permit }: Post): Promise<string> {
    const onlyFor = audienceOf(address);
    if (onlyFor === undefined || address.guildId === null) return address.channelId;
    const opened = {
      method: "POST",
      route: "/users/@me/channels",
      body: { recipient_id: onlyFor },
      as: "bot",
      what: "direct messages",
      repeatable: true,
    } as const;
    const { id } = await this.#rest.message(opened, signal, permit);
    if (id === null)
      throw new DeliveryError("retry", "Discord direct messages: expected a channel, got none");
    return id;
  }

  /** Until a bot may not open one (in direct messages there are none), or there is one already. */
  async #hasThread(address: MessageAddress, { signal, permit }: Post): Promise<boolean> {
    const { id, channelId, opensThread } = address;
    if (opensThread === undefined) return false;
    const known = this.#threads.get(id);
    if (known !== undefined) return known;
    const has = await this.#rest
      .ask(
        {
          method: "POST",
          route: `${messagesOf(channelId)}/${encodeURIComponent(id)}/threads`,
          body: { name: opensThread, auto_archive_duration: THREAD_ARCHIVED_MINUTES },
          as: "bot",
          what: "opening of a thread",
          repeatable: true,
        },
        signal,
        permit,
      )
      .then(
        () => true,
        (error: unknown) => {
          if (error instanceof DiscordRefusal && error.hasThread) return true;
          if (isRejected(error)) return false;
          throw error;
        },
      );
    this.#threads.set(id, has);
    return has;
  }

  async #find(
    address: MessageAddress,
    place: string,
    { content, embedded, files, delivery, signal }: Post,
  ): Promise<Recovery> {
    const list = await this.#rest.ask(
      {
        method: "GET",
        route: `${messagesOf(place)}?after=${encodeURIComponent(address.id)}&limit=${LOOKED_AT_MAX}`,
        as: "bot",
        what: "reading back of a message",
        repeatable: true,
      },
      signal,
    );
    const later = getArray(list, "items");
    const found = later.find((message) => isOurs(message, { address, content, embedded, files, delivery }));
    if (found !== undefined)
      return {
        messageId: getString(found, "id") ?? null,
        via: place === address.channelId ? IN_CHANNEL : IN_THREAD,
      };
    return later.length < LOOKED_AT_MAX ? "absent" : "unknown";
  }
}

function messageCall(place: string, text: string, beside: Beside, own: JsonObject): Call {
  const { embedded, files } = beside;
  const route = messagesOf(place);
  const made = { files, as: "bot", what: "channel message", repeatable: true } as const;
  const body = { ...messageBody(text, beside), ...own };
  const call = { ...made, method: "POST", route, body } as const;
  if (embedded === null) return call;
  const plain = { ...beside, embedded: null };
  const edit = (messageId: string) => messageEdit(place, messageId, text, plain);
  return { ...call, instead: { channelId: place, call: messageCall(place, text, plain, own), edit } };
}

/** Of what the bot has said there, or an interaction. */
export function messageEdit(place: string, messageId: string, text: string, beside: Beside): Call {
  const { embedded, files } = beside;
  const route = `${messagesOf(place)}/${encodeURIComponent(messageId)}` as const;
  const made = { files, as: "bot", what: "edit of a message", repeatable: true } as const;
  const call = { ...made, method: "PATCH", route, body: editBody(text, beside) } as const;
  if (embedded === null) return call;
  const asText = messageEdit(place, messageId, text, { ...beside, embedded: null });
  return { ...call, instead: { channelId: place, call: asText, edit: () => asText } };
}

/** Whoever opened no thread has said nothing in it. */
function noChannel(error: unknown): "absent" {
  if (isRejected(error)) return "absent";
  throw error;
}

/** Where a message that was sent with this receipt is. */
export function placeOf(address: DiscordAddress, { via }: Receipt): string {
  return via === IN_THREAD ? address.id : address.channelId;
}

export function messagesOf(channelId: string): `/${string}` {
  return `/channels/${encodeURIComponent(channelId)}/messages`;
}

function referenceTo({ id, channelId }: DiscordAddress): JsonObject {
  return { message_id: id, channel_id: channelId, fail_if_not_exists: false };
}

/** Said by a bot after the message, with this text; the first part as a reply to it, unless in a thread of its own. */
function isOurs(
  message: unknown,
  {
    address,
    content,
    embedded,
    files: [file],
    delivery,
  }: { address: MessageAddress } & Pick<Post, "content" | "embedded" | "files" | "delivery">,
): boolean {
  if (get(getObject(message, "author"), "bot") !== true) return false;
  if (getString(message, "nonce") === nonceFor(delivery.partId)) return true;
  const isReply = getString(getObject(message, "message_reference"), "message_id") === address.id;
  if (delivery.index === 0 && !isReply && getString(message, "channel_id") === address.channelId)
    return false;
  if (file !== undefined)
    return getArray(message, "attachments").some(
      (one) => spelt(getString(one, "filename")) === spelt(file.name),
    );
  // Empty where it has embeds alone.
  const said = getString(message, "content")?.trim() ?? "";
  const isSaid = (text: string) => said === text.trim() || said === withNotice(text)?.trim();
  return isSaid(content) || (embedded !== null && isSaid(embedded.content) && isEmbedded(message, embedded));
}

/** As far as Discord leaves the name of a file as it is. */
function spelt(name = ""): string {
  return name.replaceAll(/[^A-Za-z0-9.]/g, "");
}

/** At most 25 characters; the same for the same part, on every machine. */
function nonceFor(partId: string): string {
  return createHash("sha256").update(partId).digest("base64url").slice(0, 25);
}
