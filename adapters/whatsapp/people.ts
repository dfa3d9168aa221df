import { conversationKey } from "../../src/domain/conversation.ts";
import type { Person, PersonName } from "../../src/domain/event.ts";
import { getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import type { Recipient } from "./address.ts";
import { label } from "./text.ts";

/** Printable ASCII: ids go into keys, logs and the next request to Meta. */
export const ID = /^[\x21-\x7e]{1,256}$/;
const PHONE = /^\+?(\d{1,20})$/;

/** The number served: people have names of their own with each. */
export interface Account {
  readonly tenant: string;
  readonly phoneNumberId: string;
}

/** What a value tells of people beside its messages, by either of their names. */
export type Contacts = ReadonlyMap<string, Contact>;
interface Contact {
  readonly name: string | null;
  readonly scopedId: string | undefined;
  readonly phone: string | undefined;
}

/** A contact may carry the scoped id, the phone number, or both. */
export function contactsOf(value: JsonObject): Contacts {
  const contacts = new Map<string, Contact>();
  for (const contact of getArray(value, "contacts")) {
    const scopedId = scopedIdOf(contact, "user_id");
    const phone = phoneOf(contact, "wa_id");
    const name = label(getString(getObject(contact, "profile"), "name"));
    for (const id of [scopedId, phone]) if (id !== undefined) contacts.set(id, { name, scopedId, phone });
  }
  return contacts;
}

export interface Sender {
  /** The scoped id first: a person may hide the phone number, or change it. */
  readonly id: string;
  readonly name: string;
  readonly person: Person;
  /** By the name under which the message came, which is the one that reaches the person now. */
  readonly recipient: Recipient;
}

/** Who a message is from; undefined when it does not say. */
export function readSender(message: unknown, contacts: Contacts, account: Account): Sender | undefined {
  const from = phoneOf(message, "from");
  const fromScoped = scopedIdOf(message, "from_user_id");
  if (getString(message, "from_user_id") !== fromScoped) return undefined;
  const contact = contacts.get(fromScoped ?? from ?? "") ?? contacts.get(from ?? "");
  const scopedId = fromScoped ?? contact?.scopedId;
  const phone = from ?? contact?.phone;
  const id = scopedId ?? phone;
  if (id === undefined) return undefined;
  return {
    id,
    name: contact?.name ?? id,
    person: personOf(scopedId, phone, account),
    recipient: from === undefined ? { recipient: id } : { to: `+${from}` },
  };
}

/** Whom a status is about, when it tells both names. */
export function readRecipient(status: unknown, contacts: Contacts, account: Account): Person | undefined {
  const phone = phoneOf(status, "recipient_id");
  const scopedId = scopedIdOf(status, "recipient_user_id") ?? contacts.get(phone ?? "")?.scopedId;
  return phone === undefined || scopedId === undefined ? undefined : personOf(scopedId, phone, account);
}

function personOf(scopedId: string | undefined, phone: string | undefined, account: Account): Person {
  const nameOf = (id: string | undefined): PersonName | null =>
    id === undefined ? null : { id, conversation: conversationOf(id, account) };
  return { lasting: nameOf(scopedId), passing: nameOf(phone) };
}

/** One number serves many people, so the person takes the part of the thread. */
export function conversationOf(id: string, { tenant, phoneNumberId }: Account): string {
  return conversationKey({ platform: "whatsapp", tenant, place: phoneNumberId, thread: id });
}

function scopedIdOf(object: unknown, key: string): string | undefined {
  const id = getString(object, key);
  return id !== undefined && ID.test(id) ? id : undefined;
}

function phoneOf(object: unknown, key: string): string | undefined {
  return PHONE.exec(getString(object, key) ?? "")?.[1];
}
