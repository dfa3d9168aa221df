import { createHmac } from "node:crypto";
import type { JsonObject } from "../../src/shared/json.ts";
import { escapedJson, type SampleOptions, type SampleRequest, type Sampler } from "../shared/sample.ts";

const PATH = "/webhooks/whatsapp";
const ACCOUNT = "WABA1";
const NUMBER = "PN1";
const PERSON = "447700900123";
const OTHER_PERSON = "447700900456";

/**
 * Webhooks as Meta sends them. `channel` is the phone number id, `user` the person's number.
 * `verify` is the GET handshake: there `secret` is the verify token, and `id` comes back as the challenge.
 */
export const whatsAppSampler: Sampler = {
  kinds: ["message", "button", "list", "image", "batch", "status", "verify"],
  build(options) {
    return options.kind === "verify" ? handshake(options) : signed(bodyOf(options), options.secret);
  },
};

function handshake({ id, secret }: SampleOptions): SampleRequest {
  const query = new URLSearchParams({
    "hub.mode": "subscribe",
    "hub.challenge": id,
    "hub.verify_token": secret,
  });
  return { method: "GET", path: `${PATH}?${query.toString()}`, headers: {}, body: "" };
}

function signed(payload: JsonObject, secret: string): SampleRequest {
  // Meta signs the escaped form.
  const body = escapedJson(payload);
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  const headers = { "content-type": "application/json", "x-hub-signature-256": `sha256=${signature}` };
  return { method: "POST", path: PATH, headers, body };
}

function bodyOf(options: SampleOptions): JsonObject {
  const { kind, text, id } = options;
  const wamid = `wamid.${id}`;
  const message = (content: JsonObject) =>
    webhook([changeOf(options, [messageOf(options, wamid, content)], [])]);
  switch (kind) {
    case "message":
      return message({ type: "text", text: { body: text } });
    case "button":
      return message(interactive("button_reply", { id: `button:${id}`, title: text }));
    case "list":
      return message(interactive("list_reply", { id: `list:${id}`, title: text, description: "Sample" }));
    case "image":
      return message({ type: "image", image: { id: `media-${id}`, mime_type: "image/jpeg", caption: text } });
    case "status":
      return webhook([changeOf(options, [], [statusOf(options, wamid)])]);
    case "batch":
      return batch(options, wamid);
    default:
      throw new RangeError(`Expected kind to be one of ${whatsAppSampler.kinds.join(", ")}, got ${kind}`);
  }
}

/** Two entries: two people and a status in the first, a status before a message in the second. */
function batch(options: SampleOptions, wamid: string): JsonObject {
  const other = { ...options, user: OTHER_PERSON };
  const text = { type: "text", text: { body: options.text } };
  return webhook([
    changeOf(
      options,
      [messageOf(options, `${wamid}.1`, text), messageOf(other, `${wamid}.2`, text)],
      [statusOf(options, `${wamid}.out`)],
    ),
    changeOf(options, [messageOf(options, `${wamid}.3`, text)], [statusOf(options, `${wamid}.out`)]),
  ]);
}

function webhook(values: readonly JsonObject[]): JsonObject {
  return {
    object: "whatsapp_business_account",
    entry: values.map((value) => ({ id: ACCOUNT, changes: [{ value, field: "messages" }] })),
  };
}

function changeOf(
  { user, channel }: SampleOptions,
  messages: readonly JsonObject[],
  statuses: readonly JsonObject[],
): JsonObject {
  return {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: "15550001111", phone_number_id: channel ?? NUMBER },
    contacts: [{ profile: { name: "Ann" }, wa_id: user ?? PERSON }],
    ...(messages.length > 0 && { messages }),
    ...(statuses.length > 0 && { statuses }),
  };
}

function messageOf({ user, nowMs }: SampleOptions, id: string, content: JsonObject): JsonObject {
  return { from: user ?? PERSON, id, timestamp: String(Math.floor(nowMs / 1000)), ...content };
}

function interactive(type: "button_reply" | "list_reply", choice: JsonObject): JsonObject {
  return {
    type: "interactive",
    interactive: { type, [type]: choice },
    context: { from: "15550001111", id: "wamid.sample" },
  };
}

function statusOf({ user, nowMs }: SampleOptions, id: string): JsonObject {
  return {
    id,
    status: "delivered",
    timestamp: String(Math.floor(nowMs / 1000)),
    recipient_id: user ?? PERSON,
  };
}
