import type { Stub, StubAnswer, StubCall } from "../../src/ports/stub.ts";
import { getString, type JsonObject } from "../../src/shared/json.ts";
import { fieldsOf, jsonOf } from "../shared/stub.ts";
import { sending } from "./sending.ts";
import { cardWords } from "./text.ts";

const ROUTE = /^\/api\/v\d+(\/[^?]*)/;
const EPOCH_MS = 1_420_070_400_000;

/** Without a bot's token: commands and buttons are answered by their own, and there is no Gateway to be held here. */
export const stub: Stub = {
  variables: (url) => ({
    DISCORD_API_URL: `${url}/api`,
    DISCORD_APPLICATION_ID: "900000000000000001",
    // The key with which the platform would sign is the tester's.
    ...sending.keyPair?.().variables,
  }),
  answer(call) {
    const route = ROUTE.exec(call.path)?.[1];
    return route === undefined ? null : answered(route, fieldsIn(call), call);
  },
};

function fieldsIn(call: StubCall): JsonObject {
  const fields = fieldsOf(call);
  const payload = getString(fields, "payload_json");
  return payload === undefined ? fields : jsonOf(payload);
}

function answered(route: string, fields: JsonObject, call: StubCall): StubAnswer {
  const [root, first = "", second = "", third = ""] = route.split("/").slice(1);
  const place = root === "channels" ? { place: first } : {};
  const { content, embeds } = fields;
  const words = [getString(fields, "content") ?? "", cardWords(fields)].filter((some) => some !== "");
  const text = words.length === 0 ? undefined : words.join("\n");
  const channel_id = root === "channels" ? first : "900000000000000002";
  const message = () => ({
    body: { id: idOf(call), channel_id, content, embeds },
    ...place,
    ...(text !== undefined && { text }),
  });
  const { method } = call;
  const isWriting = method === "POST" || method === "PATCH";
  if (root === "interactions" && third === "callback") return { status: 204, name: "callback" };
  // The token of an interaction is in its path.
  if (root === "webhooks") return { ...message(), name: isWriting ? "answer" : "read" };
  if (root === "channels" && second === "typing") return { status: 204, name: "typing", ...place };
  if (root === "channels" && second === "messages" && isWriting) return { ...message(), name: "message" };
  if (root === "applications" && route.endsWith("/commands")) return { body: [], name: "commands" };
  if (root === "users" && first === "@me" && method === "GET")
    return { body: { id: "900000000000000001", username: "parley", bot: true }, name: "me" };
  return { status: 404, body: { message: "404: Not Found", code: 0 }, name: "unknown" };
}

/** As young as the call: ids tell the time there. */
function idOf({ nowMs, n }: StubCall): string {
  return String((BigInt(nowMs - EPOCH_MS) << 22n) | BigInt(n % 4_096));
}
