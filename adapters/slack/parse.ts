import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Ack, Inbound, VerifiedRequest } from "../../src/ports/adapter.ts";
import {
  getString,
  type JsonObject,
  mediaType,
  parseJsonObject,
  readJsonObject,
} from "../../src/shared/json.ts";
import type { Visibility } from "./address.ts";
import type { SlackSelf } from "./identity.ts";
import { type InteractionOptions, readInteraction, readSlashCommand } from "./interaction.ts";
import { readEvent } from "./message.ts";
import { labelOf, PayloadError, requiredText } from "./payload.ts";

export interface ParseOptions {
  readonly commandReplies: Visibility;
  readonly dmReplies: "thread" | "flat";
  readonly self: SlackSelf;
  /** The one app whose deliveries are taken; undefined: any that has our signing secret. */
  readonly appId: string | undefined;
}

/** Slack shows or does nothing on an empty 200; what there is to say comes later. */
const OK: Ack = { status: 200 };

/** Events come as JSON; slash commands as a form; buttons and modals as a form with JSON in `payload`. */
export function parseSlack(request: VerifiedRequest, options: ParseOptions): Inbound {
  const type = mediaType(request.header("content-type"));
  try {
    if (type === "application/json") return parseJson(request.body, options);
    if (type === "application/x-www-form-urlencoded")
      return parseForm(request.body, { ...options, receivedAtMs: request.receivedAtMs });
  } catch (error) {
    if (error instanceof PayloadError) return { kind: "malformed", message: error.message };
    throw error;
  }
  return {
    kind: "unsupported",
    message: "Expected application/json or application/x-www-form-urlencoded, got another media type",
  };
}

function parseJson(body: Buffer, options: ParseOptions): Inbound {
  const read = readJsonObject(body);
  if (!read.ok) return { kind: "malformed", message: read.message };
  const envelope = read.value;
  const type = requiredText(envelope, "type");
  if (type === "url_verification") return handshake(requiredText(envelope, "challenge"));
  if (isOfAnother(envelope, options)) return OTHER_APP;
  return type === "event_callback" ? outcome(readEvent(envelope, options)) : outcome(labelOf(type));
}

function parseForm(body: Buffer, options: InteractionOptions & ParseOptions): Inbound {
  const form: JsonObject = Object.fromEntries(new URLSearchParams(body.toString("utf8")));
  const payload = getString(form, "payload");
  if (payload !== undefined) {
    const read = parseJsonObject(payload);
    if (!read.ok) return { kind: "malformed", message: `${read.message}, in the form field payload` };
    return isOfAnother(read.value, options) ? OTHER_APP : outcome(readInteraction(read.value, options));
  }
  if (getString(form, "ssl_check") === "1") return { kind: "handshake", ack: OK };
  return isOfAnother(form, options) ? OTHER_APP : outcome(readSlashCommand(form, options));
}

/** Its answer would be said by our app, which may not even be where it was asked. */
const OTHER_APP: Inbound = { kind: "ignored", reason: "other_application", ack: OK };

function isOfAnother(payload: JsonObject, { appId }: ParseOptions): boolean {
  const theirs = getString(payload, "api_app_id");
  return appId !== undefined && theirs !== undefined && theirs !== appId;
}

function handshake(challenge: string): Inbound {
  return {
    kind: "handshake",
    ack: { status: 200, contentType: "application/json", body: JSON.stringify({ challenge }) },
  };
}

function outcome(read: TriggerEvent | string): Inbound {
  return typeof read === "string"
    ? { kind: "ignored", reason: read, ack: OK }
    : { kind: "events", events: [read], ignored: [], ack: OK };
}
