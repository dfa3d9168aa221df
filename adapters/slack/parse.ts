import type { Inbound, VerifiedRequest } from "../../src/ports/adapter.ts";
import {
  getString,
  type JsonObject,
  mediaType,
  parseJsonObject,
  readJsonObject,
} from "../../src/shared/json.ts";
import { type EventOptions, readCommand, readEnvelope, readPressed } from "./event.ts";

export type ParseOptions = Omit<EventOptions, "receivedAtMs">;

/** Events come as JSON; slash commands as a form; buttons and modals as a form with JSON in `payload`. */
export function parseSlack(request: VerifiedRequest, options: ParseOptions): Inbound {
  const type = mediaType(request.header("content-type"));
  const read = { ...options, receivedAtMs: request.receivedAtMs };
  if (type === "application/json") return parseJson(request.body, read);
  if (type === "application/x-www-form-urlencoded") return parseForm(request.body, read);
  return {
    kind: "unsupported",
    message: "Expected application/json or application/x-www-form-urlencoded, got another media type",
  };
}

function parseJson(body: Buffer, options: EventOptions): Inbound {
  const read = readJsonObject(body);
  return read.ok ? readEnvelope(read.value, options) : { kind: "malformed", message: read.message };
}

function parseForm(body: Buffer, options: EventOptions): Inbound {
  const form: JsonObject = Object.fromEntries(new URLSearchParams(body.toString("utf8")));
  const payload = getString(form, "payload");
  if (payload === undefined) return readCommand(form, options);
  const read = parseJsonObject(payload);
  if (!read.ok) return { kind: "malformed", message: `${read.message}, in the form field payload` };
  return readPressed(read.value, options);
}
