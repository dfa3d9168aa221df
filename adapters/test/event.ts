import { conversationKey } from "../../src/domain/conversation.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { PRINTABLE } from "../../src/domain/text.ts";
import type { Inbound } from "../../src/ports/adapter.ts";
import type { NewId } from "../../src/ports/clock.ts";
import { get, type JsonObject, nameOf } from "../../src/shared/json.ts";
import { mintAddress } from "./address.ts";

const KEYS = ["message", "user", "conversation", "agent", "id"] as const;
const NAME_CHARS_MAX = 200;

/** What whoever brought a message knows of its way here. */
export interface Delivered {
  /** The header Idempotency-Key. */
  readonly key: string | undefined;
  readonly receivedAtMs: number;
  /** Names what the sender has not named. */
  readonly newId: NewId;
}

/** One object, one event. */
export function readMessage(value: JsonObject, { key, receivedAtMs, newId }: Delivered): Inbound {
  const wrong = complaint(value, key);
  if (wrong !== undefined) return { kind: "malformed", message: wrong };
  const event = eventOf(value, key, receivedAtMs, newId);
  const body = JSON.stringify({ status: "accepted", id: event.id });
  return {
    kind: "events",
    events: [event],
    ignored: [],
    ack: { status: 200, contentType: "application/json", body },
  };
}

/** Keys of a stranger's JSON, safe to print. */
export function listed(keys: readonly string[]): string {
  const shown = keys.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 40).toWellFormed()));
  const more = keys.length > shown.length ? ` and ${keys.length - shown.length} more` : "";
  return `${keys.length === 1 ? "key" : "keys"} ${shown.join(", ")}${more}`;
}

/** The first thing wrong with the request; undefined when all is well. */
function complaint(value: JsonObject, key: string | undefined): string | undefined {
  const unknown = Object.keys(value).filter((name) => !KEYS.some((known) => known === name));
  if (unknown.length > 0) return `Unknown ${listed(unknown)}; expected ${KEYS.join(", ")}`;
  const message = get(value, "message");
  if (typeof message !== "string") return `Expected message to be a string, got ${nameOf(message)}`;
  if (message.trim() === "") return "Expected message to be text, got an empty string";
  for (const name of KEYS.slice(1)) {
    const given = get(value, name);
    if (given !== undefined && !isName(given)) return nameComplaint(name, given);
  }
  if (key !== undefined && !isName(key)) return nameComplaint("the header Idempotency-Key", key);
  const id = get(value, "id");
  if (key !== undefined && id !== undefined && key !== id) {
    return "Expected id and the header Idempotency-Key to be equal, got two different values";
  }
  return undefined;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= NAME_CHARS_MAX && PRINTABLE.test(value);
}

function nameComplaint(where: string, given: unknown): string {
  const got = typeof given === "string" ? `${given.length} characters` : nameOf(given);
  return `Expected ${where} to be 1 to ${NAME_CHARS_MAX} printable characters, got ${got}`;
}

function eventOf(value: JsonObject, key: string | undefined, nowMs: number, newId: NewId): TriggerEvent {
  const named = (name: (typeof KEYS)[number]) => get(value, name) as string | undefined;
  const id = `test:${named("id") ?? key ?? newId("msg")}`;
  const user = named("user") ?? "developer";
  const place = named("conversation") ?? "default";
  const agent = named("agent");
  return {
    id,
    aliases: [],
    platform: "test",
    tenant: "test",
    place,
    thread: null,
    conversation: conversationKey({ platform: "test", tenant: "test", place }),
    isDirect: true,
    sender: { id: user, name: user, isBot: false },
    trigger: "direct",
    command: null,
    ...(agent !== undefined && { agent }),
    text: named("message") ?? "",
    attachments: [],
    replyTo: mintAddress(id),
    occurredAtMs: nowMs,
  };
}
