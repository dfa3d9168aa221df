import { createHash } from "node:crypto";
import { BODY_BYTES_MAX, LABEL_CHARS_MAX } from "../../src/domain/bounds.ts";
import { controlCommandOf, decisionIn } from "../../src/domain/command.ts";
import { conversationKey } from "../../src/domain/conversation.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { onOneLine, PRINTABLE } from "../../src/domain/text.ts";
import type { Ack, Inbound } from "../../src/ports/adapter.ts";
import type { InboundWebhook } from "../../src/ports/platform.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { mintAddress } from "./address.ts";
import { filled } from "./template.ts";

const ID_CHARS_MAX = 200;
const DIGEST_CHARS = 32;

interface Delivered {
  /** The same whenever it is delivered again. */
  readonly id: string;
  readonly occurredAtMs: number;
}

/** What the configuration makes of a body. */
export function readMessage(
  body: JsonObject,
  webhook: InboundWebhook,
  { id, occurredAtMs }: Delivered,
): Inbound {
  if (id.length > ID_CHARS_MAX || !PRINTABLE.test(id))
    return {
      kind: "malformed",
      message: `Expected webhook-id to be 1 to ${ID_CHARS_MAX} printable characters, got something else`,
    };
  const text = filled(webhook.text, body);
  if (text.trim() === "") return { kind: "ignored", reason: "in_no_text", ack: answer("ignored") };
  const event = eventOf(body, webhook, { id, occurredAtMs, text });
  // It may be anybody's words, such as a comment. Who may decide is the approvers' matter.
  if (controlCommandOf(event) !== null && decisionIn(event) === null)
    return { kind: "ignored", reason: "in_command", ack: answer("ignored") };
  return {
    ...{ kind: "events", events: [event], ignored: [] },
    ...{ ack: answer("accepted", event.id), untoldAck: answer("not_run", event.id) },
  };
}

function answer(status: string, id?: string): Ack {
  return { status: 200, contentType: "application/json", body: JSON.stringify({ status, id }) };
}

function eventOf(
  body: JsonObject,
  { name, agent, conversation, user }: InboundWebhook,
  { id, occurredAtMs, text }: Delivered & { readonly text: string },
): TriggerEvent {
  // A name of theirs, or the message stands alone.
  const place = nameIn(conversation, body) || id;
  const sender = nameIn(user, body) || name;
  const key = conversationKey({ platform: "in", tenant: name, place });
  const eventId = `in:${name}:${id}`;
  return {
    ...{ id: eventId, aliases: [], platform: "in", tenant: name, place, thread: null },
    ...{ conversation: key, isDirect: false, sender: { id: sender, name: sender, isBot: false } },
    ...{ trigger: "mention", command: null, ...(agent !== null && { agent }), text, attachments: [] },
    replyTo: mintAddress({ webhook: name, id, eventId, conversation: place }),
    occurredAtMs,
  };
}

/** Cut, it could be that of another: what is too long ends with a digest of all of it. */
function nameIn(template: string | null, body: JsonObject): string {
  if (template === null) return "";
  const name = filled(template, body, BODY_BYTES_MAX)
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim();
  if (name.length <= LABEL_CHARS_MAX) return onOneLine(name);
  const digest = createHash("sha256").update(name).digest("hex").slice(0, DIGEST_CHARS);
  return `${onOneLine(name.slice(0, LABEL_CHARS_MAX - DIGEST_CHARS - 1))}…${digest}`;
}
