import { LRUCache } from "lru-cache";
import { type ContextItem, type ContextKind, contextItem } from "../../src/domain/context.ts";
import type { Person, TriggerEvent } from "../../src/domain/event.ts";
import { readAddress, type WhatsAppAddress } from "./address.ts";

const MESSAGES_MAX = 2_000;
const CHARS_MAX = 1_000;

interface SeenMessage {
  readonly text: string;
  /** The names under which the person of this chat was known. */
  readonly people: readonly string[];
  readonly author: { readonly id: string | null; readonly name: string; readonly isSelf?: boolean };
}

/**
 * Words of the latest messages by their ids: WhatsApp repeats only the id of what is answered or pressed. In memory, of
 * this process: what is not in it is told as "an earlier message".
 */
export class Seen {
  readonly #messages = new LRUCache<string, SeenMessage>({ max: MESSAGES_MAX });

  heard({ text, sender, person, replyTo }: TriggerEvent): void {
    const messageId = readAddress(replyTo)?.messageId;
    if (messageId === undefined || text === "") return;
    const author = { id: sender.id, name: sender.name };
    this.#messages.set(messageId, { text: clipped(text), people: namesOf(person), author });
  }

  said(messageId: string, text: string, address: WhatsAppAddress): void {
    const to = "to" in address ? address.to.replace(/^\+/, "") : address.recipient;
    const author = { id: null, name: "bot", isSelf: true };
    this.#messages.set(messageId, { text: clipped(text), people: [to], author });
  }

  /** Only within the chat of the one who refers to it. */
  item(kind: ContextKind, messageId: string, person: Person): ContextItem | undefined {
    const message = this.#messages.get(messageId);
    const names = namesOf(person);
    if (message === undefined || !message.people.some((name) => names.includes(name))) return undefined;
    return contextItem(kind, message.text, { author: message.author });
  }
}

function namesOf(person: Person | undefined): readonly string[] {
  return [person?.lasting, person?.passing].flatMap((name) => (name ? [name.id] : []));
}

function clipped(text: string): string {
  return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX).toWellFormed()} […]` : text;
}
