import type { Stub } from "../../src/ports/stub.ts";
import { get, getString, isObject, type JsonObject } from "../../src/shared/json.ts";
import { fieldsOf } from "../shared/stub.ts";

const EDGE = /^\/v\d+\.\d+\/([^/?]+)(?:\/(messages|media))?(?:\?|$)/;

export const stub: Stub = {
  variables: (url, make) => ({
    WHATSAPP_API_URL: url,
    WHATSAPP_ACCESS_TOKEN: `stub-${make(24)}`,
    WHATSAPP_APP_SECRET: make(32),
    WHATSAPP_VERIFY_TOKEN: make(32),
    WHATSAPP_PHONE_NUMBER_ID: "106540352242922",
  }),
  answer(call) {
    const [, id = "", edge] = EDGE.exec(call.path) ?? [];
    if (id === "") return null;
    const fields = fieldsOf(call);
    if (call.method === "GET" && edge === undefined) return { body: { id }, name: "number" };
    if (call.method !== "POST" || edge === undefined)
      return { status: 400, body: { error: { code: 100, message: "Unknown path" } }, name: "unknown" };
    if (edge === "media") return { body: { id: `${call.nowMs}${call.n}` }, name: "media" };
    if (fields.status === "read") return { body: { success: true }, name: "read" };
    const to = getString(fields, "to") ?? getString(fields, "recipient") ?? "";
    const sent = { contacts: [{ input: to }], messages: [{ id: `wamid.STUB${call.nowMs}${call.n}` }] };
    return {
      body: { messaging_product: "whatsapp", ...sent },
      name: "messages",
      place: to,
      text: textOf(fields),
    };
  },
};

/** Whatever its type is: a text, the words above buttons, a caption. */
function textOf(fields: JsonObject): string {
  const content = fields[getString(fields, "type") ?? ""];
  if (!isObject(content)) return "";
  const body = get(content.body, "text") ?? content.body;
  return typeof body === "string" ? body : (getString(content, "caption") ?? "");
}
