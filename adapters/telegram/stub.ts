import type { Stub, StubCall } from "../../src/ports/stub.ts";
import { getString, type JsonObject } from "../../src/shared/json.ts";
import { fieldsOf, numberOf } from "../shared/stub.ts";

const METHOD = /^\/bot\d+:[^/]+\/(\w+)(?:\?|$)/;

export const stub: Stub = {
  variables: (url, make) => ({
    TELEGRAM_API_ROOT: url,
    TELEGRAM_BOT_TOKEN: `4711:stub-${make(24)}`,
    TELEGRAM_WEBHOOK_SECRET: make(32),
  }),
  answer(call) {
    const name = METHOD.exec(call.path)?.[1];
    if (name === undefined) return null;
    const fields = fieldsOf(call);
    const place = "chat_id" in fields ? String(fields.chat_id) : undefined;
    const text = getString(fields, "text") ?? getString(fields, "caption") ?? getString(fields, "action");
    const result = resultOf(name, fields, call);
    const said = { name, ...(place !== undefined && { place }), ...(text !== undefined && { text }) };
    return result === null
      ? { ...said, status: 404, body: { ok: false, error_code: 404, description: "Not Found" } }
      : { ...said, body: { ok: true, result } };
  },
};

/** Null: a method that no gateway calls. */
function resultOf(name: string, fields: JsonObject, call: StubCall): unknown {
  const message = () => ({
    message_id: Number(fields.message_id ?? numberOf(call)),
    date: Math.floor(call.nowMs / 1000),
    chat: { id: Number(fields.chat_id ?? 0), type: "private" },
    text: getString(fields, "text") ?? "",
  });
  switch (name) {
    case "getMe":
      return { id: 4711, is_bot: true, first_name: "Parley", username: "parley_stub_bot" };
    case "sendMessage":
    case "sendPhoto":
    case "sendDocument":
    case "editMessageText":
    case "editMessageReplyMarkup":
      return message();
    case "getMyCommands":
      return [];
    case "getWebhookInfo":
      return { url: "", pending_update_count: 0 };
    case "sendChatAction":
    case "answerCallbackQuery":
    case "setMessageReaction":
    case "setMyCommands":
    case "setWebhook":
      return true;
    default:
      return null;
  }
}
