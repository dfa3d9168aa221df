import { contextItem } from "../../src/domain/context.ts";
import type { Person, TriggerEvent } from "../../src/domain/event.ts";
import type { Ack, Inbound } from "../../src/ports/adapter.ts";
import {
  get,
  getArray,
  getObject,
  getString,
  isObject,
  type JsonObject,
  nameOf,
} from "../../src/shared/json.ts";
import { mintAddress, WINDOW_MS } from "./address.ts";
import { isForwarded, readContext } from "./context.ts";
import {
  type Account,
  type Contacts,
  contactsOf,
  conversationOf,
  ID,
  readRecipient,
  readSender,
  type Sender,
} from "./people.ts";
import type { Seen } from "./seen.ts";
import { readContent } from "./text.ts";

const OK: Ack = { status: 200 };
/** Seconds since 1970; twelve digits keep the milliseconds within what a Date can hold. */
const SECONDS = /^\d{1,12}$/;
const STATUSES = new Set(["sent", "delivered", "read", "played", "deleted", "failed"]);

/** Of one webhook. Others are told again with their next message. */
const PEOPLE_MAX = 100;

/**
 * One event, or the reason why an item of the batch is none, with whom it is about. Reasons are metric labels: a
 * closed set.
 */
type Item =
  | { readonly event: TriggerEvent }
  | { readonly reason: string; readonly person?: Person | undefined };

/** A webhook may mix up to a thousand messages and statuses of several accounts; a broken one stops no other. */
export function readWebhook(webhook: JsonObject, phoneNumberId: string, seen: Pick<Seen, "item">): Inbound {
  const object = get(webhook, "object");
  if (typeof object !== "string") return malformed("object", "a string", object);
  if (object !== "whatsapp_business_account") return { kind: "ignored", reason: "other_object", ack: OK };
  const entries = get(webhook, "entry");
  if (!Array.isArray(entries)) return malformed("entry", "an array", entries);
  return gather(entries.flatMap((entry) => readEntry(entry, phoneNumberId, seen)));
}

function malformed(where: string, expected: string, got: unknown): Inbound {
  return { kind: "malformed", message: `Expected ${where} to be ${expected}, got ${nameOf(got)}` };
}

function gather(items: readonly Item[]): Inbound {
  const events = items.flatMap((item) => ("event" in item ? [item.event] : []));
  const ignored = items.flatMap((item) => ("reason" in item ? [item.reason] : []));
  const people = peopleIn(items);
  const told = people.length === 0 ? {} : { people };
  if (events.length > 0) return { kind: "events", events, ignored, ack: OK, ...told };
  // What an operator should look into speaks for the whole batch.
  const notable = ignored.find((reason) => reason === "status_failed" || reason.startsWith("malformed"));
  return { kind: "ignored", reason: notable ?? ignored[0] ?? "empty", ack: OK, ...told };
}

/** Who came with both names and without a message that says it all the same. */
function peopleIn(items: readonly Item[]): readonly Person[] {
  const people = new Map<string, Person>();
  for (const item of items) {
    const person = "reason" in item ? item.person : undefined;
    if (person?.lasting && person.passing && people.size < PEOPLE_MAX) {
      people.set(person.lasting.conversation, person);
    }
  }
  return [...people.values()];
}

function readEntry(entry: unknown, phoneNumberId: string, seen: Pick<Seen, "item">): readonly Item[] {
  const tenant = getString(entry, "id");
  const changes = get(entry, "changes");
  if (tenant === undefined || !ID.test(tenant) || !Array.isArray(changes))
    return [{ reason: "malformed_entry" }];
  return changes.flatMap((change) => readChange(change, tenant, phoneNumberId, seen));
}

function readChange(
  change: unknown,
  tenant: string,
  phoneNumberId: string,
  seen: Pick<Seen, "item">,
): readonly Item[] {
  const field = getString(change, "field");
  const value = getObject(change, "value");
  // What the business said from its own app comes back as an echo; answering it would talk to ourselves.
  if (field === "smb_message_echoes") return [{ reason: "own_message" }];
  if (field !== undefined && field !== "messages") return [{ reason: "other_field" }];
  const number = getString(getObject(value, "metadata"), "phone_number_id");
  if (field === undefined || value === undefined || number === undefined)
    return [{ reason: "malformed_change" }];
  if (number !== phoneNumberId) return [{ reason: "other_phone_number" }];
  const ourNumber = getString(getObject(value, "metadata"), "display_phone_number");
  const account = { tenant, phoneNumberId, ourNumber, seen };
  const contacts = contactsOf(value);
  return [
    ...getArray(value, "messages").map((message) => readMessage(message, contacts, account)),
    ...getArray(value, "statuses").map((status) => ({
      reason: statusReason(status),
      person: readRecipient(status, contacts, account),
    })),
    ...getArray(value, "errors").map(() => ({ reason: "platform_error" })),
  ];
}

/** The outcome of one of our own messages. */
function statusReason(status: unknown): string {
  const name = getString(status, "status") ?? "";
  return STATUSES.has(name) ? `status_${name}` : "status_other";
}

/** The number served, and what is known of its chats. */
type Served = Account & { readonly ourNumber: string | undefined; readonly seen: Pick<Seen, "item"> };

function readMessage(message: unknown, contacts: Contacts, account: Served): Item {
  if (!isObject(message)) return { reason: "malformed_message" };
  const reading = readContent(message);
  const head = readHead(message, contacts, account);
  // What WhatsApp tells of a number that has changed, for one, is from nobody.
  if (head === undefined)
    return { reason: reading.kind === "ignored" ? reading.reason : "malformed_message" };
  const { id, sender, occurredAtMs } = head;
  // A number that writes to itself would be answered for ever.
  if (sender.person.passing !== null && sender.person.passing.id === digitsOf(account.ourNumber)) {
    return { reason: "own_message" };
  }
  // A group has no 24-hour window of one person, and a private answer would surprise everyone in it.
  if (getString(message, "group_id") !== undefined) return { reason: "group_message" };
  const { person } = sender;
  if (reading.kind !== "content") {
    return { reason: reading.kind === "ignored" ? reading.reason : "malformed_message", person };
  }
  const { tenant, phoneNumberId } = account;
  const { text } = reading.content;
  // Words that were passed on are not those of who passed them on.
  const forwarded = isForwarded(message) && text !== "" ? [contextItem("forwarded", text)] : [];
  const context = [...readContext(message, { person, ...account }), ...forwarded];
  const windowExpiresAtMs = occurredAtMs + WINDOW_MS;
  return {
    event: {
      id: `whatsapp:${phoneNumberId}:${id}`,
      aliases: [],
      platform: "whatsapp",
      tenant,
      place: phoneNumberId,
      thread: null,
      conversation: conversationOf(sender.id, account),
      isDirect: true,
      sender: { id: sender.id, name: sender.name, isBot: false },
      person,
      ...reading.content,
      ...(forwarded.length > 0 && { text: "" }),
      ...(context.length > 0 && { context }),
      replyTo: mintAddress({ phoneNumberId, messageId: id, windowExpiresAtMs, ...sender.recipient }),
      occurredAtMs,
    },
  };
}

function digitsOf(number: string | undefined): string | undefined {
  return number?.replaceAll(/\D/g, "");
}

interface Head {
  readonly id: string;
  readonly sender: Sender;
  readonly occurredAtMs: number;
}

/** What every type of message has; undefined when a part is missing or senseless. */
function readHead(message: unknown, contacts: Contacts, account: Account): Head | undefined {
  const id = getString(message, "id");
  const sender = readSender(message, contacts, account);
  const seconds = get(message, "timestamp");
  if (id === undefined || !ID.test(id) || sender === undefined) return undefined;
  if (typeof seconds !== "string" || !SECONDS.test(seconds)) return undefined;
  return { id, sender, occurredAtMs: Number(seconds) * 1000 };
}
