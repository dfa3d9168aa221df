import type { ReplyAddress } from "../../src/domain/event.ts";
import type { Place } from "../../src/ports/adapter.ts";
import { getString, parseJsonObject } from "../../src/shared/json.ts";
import { flag, integer } from "./payload.ts";

/** Where a reply goes, and what it answers. */
export interface TelegramAddress {
  readonly kind: "message";
  readonly chatId: string;
  readonly isPrivate: boolean;
  /** The forum topic; absent in General and where there are no topics. */
  readonly messageThreadId?: number;
  /** Whose topic it is in the direct messages of a channel: without it Telegram takes no message there. */
  readonly directTopicId?: number;
  readonly messageId?: number;
  /** The pressed button spins until this is answered. */
  readonly callbackQueryId?: string;
  /** What is said is for whoever pressed alone, where Telegram takes that. */
  readonly isQuiet?: true;
}

export function writeAddress(address: TelegramAddress): ReplyAddress {
  return JSON.stringify(address) as ReplyAddress;
}

/** A chat by its id, which is negative unless it is a private one; null where it is none. */
export function placeAddress({ channel: chatId, thread }: Place): ReplyAddress | null {
  if (!isChatId(chatId) || (thread !== null && !/^\d{1,10}$/.test(thread))) return null;
  const topic = thread === null ? {} : { messageThreadId: Number(thread) };
  return writeAddress({ kind: "message", chatId, isPrivate: !chatId.startsWith("-"), ...topic });
}

/** Of a press alone: there is no place to answer in. */
export function writeCallback(callbackQueryId: string): ReplyAddress {
  return JSON.stringify({ kind: "callback", callbackQueryId }) as ReplyAddress;
}

/** The press behind an address; undefined where there is none. */
export function readCallback(to: ReplyAddress): string | undefined {
  const parsed = parseJsonObject(to);
  return parsed.ok ? getString(parsed.value, "callbackQueryId") : undefined;
}

/** Undefined for anything that `writeAddress` did not make. */
export function readAddress(to: ReplyAddress): TelegramAddress | undefined {
  const parsed = parseJsonObject(to);
  if (!parsed.ok) return undefined;
  const chatId = getString(parsed.value, "chatId");
  if (getString(parsed.value, "kind") !== "message" || !isChatId(chatId)) return undefined;

  const messageThreadId = integer(parsed.value, "messageThreadId");
  const directTopicId = integer(parsed.value, "directTopicId");
  const messageId = integer(parsed.value, "messageId");
  const callbackQueryId = getString(parsed.value, "callbackQueryId");
  return {
    kind: "message",
    chatId,
    isPrivate: flag(parsed.value, "isPrivate"),
    ...(messageThreadId !== undefined && { messageThreadId }),
    ...(directTopicId !== undefined && { directTopicId }),
    ...(messageId !== undefined && { messageId }),
    ...(callbackQueryId !== undefined && { callbackQueryId }),
    ...(flag(parsed.value, "isQuiet") && { isQuiet: true }),
  };
}

function isChatId(text: string | undefined): text is string {
  return text !== undefined && /^-?\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text));
}
