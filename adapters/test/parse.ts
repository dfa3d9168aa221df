import { conversationKey } from "../../src/domain/conversation.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Inbound, VerifiedRequest } from "../../src/ports/adapter.ts";
import type { NewId } from "../../src/ports/clock.ts";
import { get, type JsonObject, mediaType, nameOf, readJsonObject } from "../../src/shared/json.ts";
import { mintAddress } from "./address.ts";

const KEYS = ["message", "user", "conversation", "agent", "id"] as const;
const NAME_CHARS_MAX = 200;
/** Printable, because names go into keys and logs. */
const NAME = /^[^\p{Cc}\p{Cs}]+$/u;

/** `POST /webhooks/test`: one JSON object, one event. `newId` names what the sender has not named. */
export function parseTest(request: VerifiedRequest, newId: NewId): Inbound {
  const type = mediaType(request.header("content-type"));
  if (type !== "application/json") {
    return {
      kind: "unsupported",
      message: `Expected application/json, got ${type === "" ? "no content type" : "another type"}; with curl add -H 'content-type: application/json'`,
    };
  }
  const parsed = readJsonObject(request.body);
  if (!parsed.ok) return { kind: "malformed", message: parsed.message };
  const asked = queryComplaint(request.target);
  if (asked !== undefined) return { kind: "malformed", message: asked };
  const key = request.header("idempotency-key");
  const wrong = complaint(parsed.value, key);
  if (wrong !== undefined) return { kind: "malformed", message: wrong };
  const event = eventOf(parsed.value, key, request.receivedAtMs, newId);
  const body = JSON.stringify({ status: "accepted", id: event.id });
  return {
    kind: "events",
    events: [event],
    ignored: [],
    ack: { status: 200, contentType: "application/json", body },
  };
}

/** Before anything runs: whoever mistypes `wait` would miss the answer to what was run. */
function queryComplaint(target: string): string | undefined {
  const query = new URLSearchParams(target.split("?")[1] ?? "");
  const unknown = [...new Set(query.keys())].filter((name) => name !== "wait");
  if (unknown.length > 0) return `Unknown ${listed(unknown)} in the query; expected wait`;
  const [wait, ...others] = query.getAll("wait");
  if (others.length > 0) return `Expected wait once in the query, got it ${others.length + 1} times`;
  if (wait === undefined || /^\d{1,9}(?:\.\d{1,9})?$/.test(wait)) return undefined;
  const got = wait === "" ? "an empty string" : JSON.stringify(wait.slice(0, 40).toWellFormed());
  return `Expected wait in the query to be seconds, such as 10, got ${got}`;
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
  return typeof value === "string" && value.length <= NAME_CHARS_MAX && NAME.test(value);
}

function nameComplaint(where: string, given: unknown): string {
  const got = typeof given === "string" ? `${given.length} characters` : nameOf(given);
  return `Expected ${where} to be 1 to ${NAME_CHARS_MAX} printable characters, got ${got}`;
}

/** Keys of a stranger's JSON, safe to print. */
function listed(keys: readonly string[]): string {
  const shown = keys.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 40).toWellFormed()));
  const more = keys.length > shown.length ? ` and ${keys.length - shown.length} more` : "";
  return `${keys.length === 1 ? "key" : "keys"} ${shown.join(", ")}${more}`;
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
