import type { Button } from "../../src/domain/button.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Adapter, Recovery } from "../../src/ports/adapter.ts";
import type { Permit } from "../../src/shared/call.ts";
import { isRejected, rejectedLast } from "../../src/shared/fault.ts";
import { get, getArray, getObject, getString, isObject, type JsonObject } from "../../src/shared/json.ts";
import type { ReplyFile } from "../shared/answer-file.ts";
import { filesIn, type Upload, uploadOf, uploadsOf } from "../shared/outgoing.ts";
import { UNSTOPPED } from "../shared/signals.ts";
import {
  type MessageAddress,
  messageTarget,
  type ResponseUrlAddress,
  readAddress,
  type SlackAddress,
} from "./address.ts";
import type { CallSlack, WebOptions } from "./api.ts";
import { blocksFor } from "./buttons.ts";
import type { SlackSelf } from "./identity.ts";
import { closed, RESPONSE_URL_USES_MAX } from "./limit.ts";
import { isOwnPost, partOf, replyMetadata } from "./metadata.ts";
import { blocksAsRepeat, markedAsRepeat, messagesInstead, readPart } from "./render.ts";
import { allowedUrl, respond } from "./response-url.ts";
import { START } from "./stream.ts";
import { withTables } from "./tables.ts";
import { upload, uploadAfter } from "./uploads.ts";

const POST = "chat.postMessage";
/** A status clears by itself after two minutes. */
const STATUS_EVERY_MS = 60_000;
/** Refusals of a status that will not pass by themselves. */
const STATUS_NEVER =
  /: (missing_scope|unknown_method|not_allowed_token_type|invalid_auth|feature_not_enabled)$/;
const SET_STATUS = "assistant.threads.setStatus";
const RECOVER_PAGES_MAX = 3;

/** The outgoing half of the adapter; each as in the port. */
export interface SlackClient {
  readonly send: Adapter["send"];
  readonly recover: Adapter["recover"];
  readonly typing: (to: ReplyAddress, signal: AbortSignal) => Promise<void>;
}

export interface ClientDeps {
  readonly call: CallSlack;
  readonly self: SlackSelf;
  /** Told of Slack's answer to what was posted. */
  readonly posted: (answer: JsonObject) => void;
  /** Whether an answer is shown there while it grows. */
  readonly isShown: (to: ReplyAddress) => boolean;
}

export function createClient(options: WebOptions, { call, self, posted, isShown }: ClientDeps): SlackClient {
  let statusAllowed = true;

  const postText = async (address: SlackAddress, text: string, sending: Sending): Promise<Receipt> => {
    const { channel, threadTs } = messageTarget(address);
    const answer = await withTables(sending.blocks, (tables) => {
      const blocks = blocksFor(text, sending.buttons, tables);
      const args = {
        channel,
        text,
        ...(blocks.length > 0 && { blocks }),
        ...(threadTs !== null && { thread_ts: threadTs }),
        unfurl_links: false,
        unfurl_media: false,
        metadata: replyMetadata(sending.delivery.partId),
      };
      return call(POST, args, sending.signal, sending.permit);
    });
    posted(answer);
    return { messageId: getString(answer, "ts") ?? null, via: POST };
  };

  /**
   * An answer through a `response_url` that is not at its end, by which use of the URL this would be:
   *
   * | use | more to say | first | when that is refused |
   * |-|-|-|-|
   * | 1 to 4 | | `response_url` | `chat.postMessage` |
   * | 5 | no | `response_url` | `chat.postMessage` |
   * | 5 or later | yes | `chat.postMessage` | `response_url`, saying what is left out |
   * | later: uses are counted when begun, so perhaps too many | no | `chat.postMessage` | `response_url` |
   */
  async function answer(url: URL, address: ResponseUrlAddress, sending: Sending): Promise<Receipt> {
    const { delivery, text, charsAfter, signal, permit } = sending;
    const say = async (what: string) =>
      (await respond(
        url,
        address,
        { text: what, blocks: blocksFor(what, sending.buttons) },
        { ...options, signal, permit },
      )) === "said";
    const usesLeft = RESPONSE_URL_USES_MAX - delivery.sendsBefore;
    if (usesLeft > 1 || (usesLeft === 1 && charsAfter === 0))
      return (await say(text)) ? THROUGH_URL : await postText(address, text, sending).catch(refuseForGood);
    try {
      return await postText(address, text, sending);
    } catch (error) {
      if (!isRejected(error)) throw error;
      if (!(await say(charsAfter > 0 ? closed(text, charsAfter) : text))) return refuseForGood(error);
      return charsAfter > 0 ? { ...THROUGH_URL, endsReply: error.message } : THROUGH_URL;
    }
  }

  async function sendFile(
    address: SlackAddress,
    file: ReplyFile,
    asked: Pick<Sending, "delivery" | "signal" | "permit">,
  ): Promise<Receipt> {
    try {
      return await share(address, [uploadOf(file)], asked);
    } catch (error) {
      // An app that was installed before it sent files has no scope for them; a workspace may have turned them off.
      if (!isRejected(error)) throw error;
      return await sayInstead(address, file, asked);
    }
  }

  async function share(
    address: SlackAddress,
    files: readonly Upload[],
    { delivery, signal, permit }: Pick<Sending, "delivery" | "signal" | "permit">,
  ): Promise<Receipt> {
    const comment = delivery.mayRepeat ? markedAsRepeat("").trim() : "";
    return await upload(messageTarget(address), { files, comment, signal, permit }, options, call);
  }

  /** What the file would have said, as messages. */
  async function sayInstead(
    address: SlackAddress,
    file: ReplyFile,
    { delivery, signal, permit }: Pick<Sending, "delivery" | "signal" | "permit">,
  ): Promise<Receipt> {
    let receipt: Receipt = { messageId: null, via: POST };
    for (const text of messagesInstead(file))
      receipt = await postText(address, text, {
        ...{ text, blocks: [], charsAfter: 0, buttons: [] },
        ...{ delivery, signal, permit },
      });
    return receipt;
  }

  return {
    async send(delivery, signal, permit) {
      const address = readAddress(delivery.to);
      if (address !== null && filesIn(delivery.part).length > 0)
        return await share(address, await uploadsOf(delivery), { delivery, signal, permit });
      const part = readPart(delivery.part);
      if (address === null || part === null)
        throw new DeliveryError(
          "rejected",
          "Expected an address and a part of the Slack adapter, got others",
        );
      if (part.file !== null) return await sendFile(address, part.file, { delivery, signal, permit });
      const text = delivery.mayRepeat ? markedAsRepeat(part.text) : part.text;
      const blocks = delivery.mayRepeat ? blocksAsRepeat(part.blocks) : part.blocks;
      const sending = { ...part, text, blocks, delivery, signal, permit };
      if (address.kind === "message") return await postText(address, text, sending);
      if (options.clock.nowMs() >= address.expiresAtMs)
        return await postText(address, text, sending).catch(refuseForGood);
      const url = allowedUrl(address.url, options.apiUrl);
      return await (url === null ? postText(address, text, sending) : answer(url, address, sending));
    },

    async recover(delivery, signal) {
      const address = readAddress(delivery.to);
      // What was said through a response_url can be read back by nobody.
      if (address?.kind !== "message") return "unknown";
      try {
        const file = readPart(delivery.part)?.file ?? filesIn(delivery.part)[0];
        return await lookUp(call, self, address, { ...delivery, fileName: file?.name ?? null }, signal);
      } catch {
        return "unknown";
      }
    },

    async typing(to, signal) {
      const address = readAddress(to);
      if (address?.kind !== "message" || address.threadTs === null) return;
      const status = {
        channel_id: address.channel,
        thread_ts: address.threadTs,
        status: "is working on it…",
      };
      while (statusAllowed && !signal.aborted) {
        try {
          await call(SET_STATUS, status, UNSTOPPED);
          // The answer takes a status away, but only one that was there before it.
          if (signal.aborted) await call(SET_STATUS, { ...status, status: "" }, UNSTOPPED);
        } catch (error) {
          // A status is a courtesy: a failure costs nothing, but one that stays is not asked for again.
          if (error instanceof DeliveryError && STATUS_NEVER.test(error.message)) statusAllowed = false;
        }
        if (!statusAllowed || signal.aborted) return;
        await options.clock.sleep(STATUS_EVERY_MS, signal).catch(() => {});
      }
      // What is shown while it grows was there before, and takes no status away any more.
      if (statusAllowed && isShown(to))
        await call(SET_STATUS, { ...status, status: "" }, UNSTOPPED).catch(() => {});
    },
  };
}

interface Sending {
  readonly delivery: Delivery;
  /** As it is to be said, marked where it may be a repeat. */
  readonly text: string;
  readonly blocks: readonly JsonObject[];
  readonly charsAfter: number;
  readonly buttons: readonly Button[];
  readonly signal: AbortSignal;
  readonly permit: Permit | undefined;
}

const THROUGH_URL: Receipt = { messageId: null, via: "response_url" };

function refuseForGood(error: unknown): never {
  return rejectedLast(
    error,
    `the response_url is over: it takes ${RESPONSE_URL_USES_MAX} answers in 30 minutes`,
  );
}

/**
 * A stream gets its mark when it is stopped. Until then it is the one message of ours without any that is younger than the
 * question: a conversation has one run at a time.
 */
function isOpenStream(message: unknown, { threadTs, ts: asked }: MessageAddress, self: SlackSelf): boolean {
  const ts = getString(message, "ts");
  if (threadTs === null || asked === undefined || ts === undefined || Number(ts) <= Number(asked))
    return false;
  if (isOwnPost(message) || getArray(message, "files").length > 0) return false;
  const [user, bot] = [getString(message, "user"), getString(message, "bot_id")];
  return (user !== undefined && user === self.userId) || (bot !== undefined && bot === self.botId);
}

/** Reads the place from the answered message on, looking for the mark of this part. */
async function lookUp(
  call: CallSlack,
  self: SlackSelf,
  address: MessageAddress,
  { partId, index, fileName }: Pick<Delivery, "partId" | "index"> & { readonly fileName: string | null },
  signal: AbortSignal,
): Promise<Recovery> {
  const method = address.threadTs === null ? "conversations.history" : "conversations.replies";
  const messages: JsonObject[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < RECOVER_PAGES_MAX; page++) {
    const found = await call(
      method,
      {
        channel: address.channel,
        ...(address.threadTs !== null && { ts: address.threadTs }),
        ...(address.ts !== undefined && { oldest: address.ts }),
        ...(cursor !== undefined && { cursor }),
        include_all_metadata: true,
        limit: 200,
      },
      signal,
    );
    const read = getArray(found, "messages").filter(isObject);
    messages.push(...read);
    const message = messages.find((candidate) => partOf(candidate) === partId);
    if (message !== undefined) return { messageId: getString(message, "ts") ?? null, via: POST };
    const stream =
      index === 0 && fileName === null
        ? read.find((candidate) => isOpenStream(candidate, address, self))
        : undefined;
    if (stream !== undefined) return { messageId: getString(stream, "ts") ?? null, via: START };
    cursor = getString(getObject(found, "response_metadata"), "next_cursor");
    if (cursor !== undefined) continue;
    if (get(found, "has_more") === true) return "unknown";
    return fileName === null ? "absent" : uploadAfter(messages, { partId, name: fileName }, self);
  }
  return "unknown";
}
