import type { Ack, Inbound } from "../../src/ports/adapter.ts";
import {
  getObject,
  getString,
  type JsonObject,
  parseJsonObject,
  readJsonObject,
} from "../../src/shared/json.ts";
import { type EventOptions, readCommand, readEnvelope, readPressed } from "./event.ts";
import type { ParseOptions } from "./parse.ts";

/** What one message of a Socket Mode connection says. */
export type Frame =
  | { readonly kind: "hello" }
  | { readonly kind: "disconnect"; readonly reason: string }
  | {
      readonly kind: "envelope";
      readonly id: string;
      readonly inbound: Inbound;
      readonly takesPayload: boolean;
    }
  /** Nothing that is known; there is nothing to acknowledge. */
  | { readonly kind: "other" };

/** Each kind of payload goes to the code that reads it when it is posted. Never throws. */
const PAYLOADS: Readonly<Record<string, (payload: JsonObject, options: EventOptions) => Inbound>> = {
  events_api: readEnvelope,
  slash_commands: readCommand,
  interactive: readPressed,
};

export function readFrame(bytes: Buffer, options: ParseOptions, receivedAtMs: number): Frame {
  const read = readJsonObject(bytes);
  if (!read.ok) return { kind: "other" };
  const type = getString(read.value, "type");
  if (type === "hello") return { kind: "hello" };
  if (type === "disconnect")
    return { kind: "disconnect", reason: wordOf(getString(read.value, "reason") ?? "disconnect") };
  const id = getString(read.value, "envelope_id");
  if (id === undefined) return { kind: "other" };
  const payload = getObject(read.value, "payload");
  const reader = type !== undefined && Object.hasOwn(PAYLOADS, type) ? PAYLOADS[type] : undefined;
  return {
    kind: "envelope",
    id,
    inbound: inboundOf(reader, payload, { ...options, receivedAtMs }),
    takesPayload: read.value.accepts_response_payload === true,
  };
}

function inboundOf(
  reader: (typeof PAYLOADS)[string] | undefined,
  payload: JsonObject | undefined,
  options: EventOptions,
): Inbound {
  if (reader === undefined) return { kind: "ignored", reason: "other_envelope", ack: { status: 200 } };
  if (payload === undefined)
    return { kind: "malformed", message: "Expected payload to be a JSON object, got something else" };
  return reader(payload, options);
}

/** What Slack is to show at once goes along where Slack takes it: an acknowledgement that it does not expect is a fault. */
export function ackOf(id: string, takesPayload: boolean, ack: Ack): string {
  const payload = takesPayload && ack.body !== undefined ? parseJsonObject(ack.body) : null;
  return JSON.stringify({ envelope_id: id, ...(payload?.ok === true && { payload: payload.value }) });
}

/** Slack's words are told as they are, where they are words. */
export function wordOf(text: string): string {
  return /^[a-z][a-z0-9_]{0,63}$/.test(text) ? text : "other";
}
