import { conversationKey } from "../../src/domain/conversation.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Ack, Inbound, VerifiedRequest } from "../../src/ports/adapter.ts";
import {
  get,
  getArray,
  getObject,
  getString,
  isObject,
  type JsonObject,
  nameOf,
  readJsonObject,
} from "../shared/json.ts";
import { mintAddress, type Recipient, WINDOW_MS } from "./address.ts";
import { label, readContent } from "./payload.ts";
import { handshakeField } from "./verify.ts";

const OK: Ack = { status: 200 };
const CHALLENGE = /^[\x21-\x7e]{1,256}$/;
/** Printable ASCII: ids go into keys, logs and the next request to Meta. */
const ID = /^[\x21-\x7e]{1,256}$/;
const PHONE = /^\+?(\d{1,20})$/;
/** Seconds since 1970; twelve digits keep the milliseconds within what a Date can hold. */
const SECONDS = /^\d{1,12}$/;
const STATUSES = new Set(["sent", "delivered", "read", "played", "deleted", "failed"]);

/** One event, or the reason why an item of the batch is none. Reasons are metric labels: a closed set. */
type Item = { readonly event: TriggerEvent } | { readonly reason: string };

/** A webhook may mix up to a thousand messages and statuses of several accounts; a broken one stops no other. */
export function parseWhatsApp(request: VerifiedRequest, phoneNumberId: string): Inbound {
  if (request.method === "GET") return answerHandshake(request.target);
  const parsed = readJsonObject(request.body);
  if (!parsed.ok) return { kind: "malformed", message: parsed.message };
  const object = get(parsed.value, "object");
  if (typeof object !== "string") return malformed("object", "a string", object);
  if (object !== "whatsapp_business_account") return { kind: "ignored", reason: "other_object", ack: OK };
  const entries = get(parsed.value, "entry");
  if (!Array.isArray(entries)) return malformed("entry", "an array", entries);
  return gather(entries.flatMap((entry) => readEntry(entry, phoneNumberId)));
}

function answerHandshake(target: string): Inbound {
  const challenge = handshakeField(target, "hub.challenge");
  if (challenge === undefined || !CHALLENGE.test(challenge)) {
    return { kind: "malformed", message: "Expected hub.challenge to be 1 to 256 printable ASCII characters" };
  }
  return { kind: "handshake", ack: { status: 200, contentType: "text/plain", body: challenge } };
}

function malformed(where: string, expected: string, got: unknown): Inbound {
  return { kind: "malformed", message: `Expected ${where} to be ${expected}, got ${nameOf(got)}` };
}

function gather(items: readonly Item[]): Inbound {
  const events = items.flatMap((item) => ("event" in item ? [item.event] : []));
  const ignored = items.flatMap((item) => ("reason" in item ? [item.reason] : []));
  if (events.length > 0) return { kind: "events", events, ignored, ack: OK };
  // What an operator should look into speaks for the whole batch.
  const notable = ignored.find((reason) => reason === "status_failed" || reason.startsWith("malformed"));
  return { kind: "ignored", reason: notable ?? ignored[0] ?? "empty", ack: OK };
}

function readEntry(entry: unknown, phoneNumberId: string): readonly Item[] {
  const tenant = getString(entry, "id");
  const changes = get(entry, "changes");
  if (tenant === undefined || !ID.test(tenant) || !Array.isArray(changes))
    return [{ reason: "malformed_entry" }];
  return changes.flatMap((change) => readChange(change, tenant, phoneNumberId));
}

function readChange(change: unknown, tenant: string, phoneNumberId: string): readonly Item[] {
  const field = getString(change, "field");
  const value = getObject(change, "value");
  // What the business said from its own app comes back as an echo; answering it would talk to ourselves.
  if (field === "smb_message_echoes") return [{ reason: "own_message" }];
  if (field !== undefined && field !== "messages") return [{ reason: "other_field" }];
  const number = getString(getObject(value, "metadata"), "phone_number_id");
  if (field === undefined || value === undefined || number === undefined)
    return [{ reason: "malformed_change" }];
  if (number !== phoneNumberId) return [{ reason: "other_phone_number" }];
  const account = { tenant, phoneNumberId, names: namesOf(value) };
  return [
    ...getArray(value, "messages").map((message) => readMessage(message, account)),
    ...getArray(value, "statuses").map((status) => ({ reason: statusReason(status) })),
    ...getArray(value, "errors").map(() => ({ reason: "platform_error" })),
  ];
}

/** The outcome of one of our own messages. */
function statusReason(status: unknown): string {
  const name = getString(status, "status") ?? "";
  return STATUSES.has(name) ? `status_${name}` : "status_other";
}

interface Account {
  readonly tenant: string;
  readonly phoneNumberId: string;
  readonly names: ReadonlyMap<string, string>;
}

function readMessage(message: unknown, { tenant, phoneNumberId, names }: Account): Item {
  const head = readHead(message, names);
  if (head === undefined || !isObject(message)) return { reason: "malformed_message" };
  // A group has no 24-hour window of one person, and a private answer would surprise everyone in it.
  if (getString(message, "group_id") !== undefined) return { reason: "group_message" };
  const reading = readContent(message);
  if (reading.kind !== "content") {
    return { reason: reading.kind === "ignored" ? reading.reason : "malformed_message" };
  }
  const { id, userId, userName, recipient, occurredAtMs } = head;
  const windowExpiresAtMs = occurredAtMs + WINDOW_MS;
  return {
    event: {
      id: `whatsapp:${phoneNumberId}:${id}`,
      aliases: [],
      platform: "whatsapp",
      tenant,
      place: phoneNumberId,
      thread: null,
      // One number serves many people, so the person takes the part of the thread.
      conversation: conversationKey({ platform: "whatsapp", tenant, place: phoneNumberId, thread: userId }),
      isDirect: true,
      sender: { id: userId, name: userName, isBot: false },
      ...reading.content,
      replyTo: mintAddress({ phoneNumberId, messageId: id, windowExpiresAtMs, ...recipient }),
      occurredAtMs,
    },
  };
}

interface Head {
  readonly id: string;
  readonly userId: string;
  readonly userName: string;
  readonly recipient: Recipient;
  readonly occurredAtMs: number;
}

/** What every type of message has; undefined when a part is missing or senseless. */
function readHead(message: unknown, names: ReadonlyMap<string, string>): Head | undefined {
  const id = getString(message, "id");
  const from = PHONE.exec(getString(message, "from") ?? "")?.[1];
  const scopedId = getString(message, "from_user_id");
  const seconds = get(message, "timestamp");
  // The scoped id first: a person may hide the phone number, or change it.
  const userId = scopedId ?? from;
  if (id === undefined || !ID.test(id) || userId === undefined || !ID.test(userId)) return undefined;
  if (typeof seconds !== "string" || !SECONDS.test(seconds)) return undefined;
  return {
    id,
    userId,
    userName: names.get(userId) ?? names.get(from ?? "") ?? userId,
    recipient: from === undefined ? { recipient: userId } : { to: `+${from}` },
    occurredAtMs: Number(seconds) * 1000,
  };
}

/** Profile names by scoped id and by phone number: a contact may carry either, or both. */
function namesOf(value: JsonObject): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const contact of getArray(value, "contacts")) {
    const name = label(getString(getObject(contact, "profile"), "name"));
    if (name === null) continue;
    for (const id of [getString(contact, "user_id"), getString(contact, "wa_id")]) {
      if (id !== undefined) names.set(id, name);
    }
  }
  return names;
}
