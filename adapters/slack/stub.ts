import type { Stub, StubAnswer, StubCall } from "../../src/ports/stub.ts";
import { getString, type JsonObject } from "../../src/shared/json.ts";
import { fieldsOf } from "../shared/stub.ts";

const METHOD = /^\/api\/([a-z]+(?:\.[a-zA-Z]+)+)(?:\?|$)/;
/** What `response_url` names, which lead to where the API does. */
const HOOK = /^\/(commands|actions|app)\//;

export const stub: Stub = {
  variables: (url, make) => ({
    SLACK_API_URL: `${url}/api/`,
    SLACK_BOT_TOKEN: `xoxb-stub-${make(24)}`,
    SLACK_SIGNING_SECRET: make(32),
  }),
  answer(call) {
    const name = METHOD.exec(call.path)?.[1];
    const fields = fieldsOf(call);
    if (name !== undefined) return answered(name, fields, call);
    if (HOOK.test(call.path))
      return { body: "ok", name: "response_url", place: "who asked", text: getString(fields, "text") ?? "" };
    return call.path.startsWith("/upload/v1/") ? { body: "OK", name: "upload" } : null;
  },
};

function answered(name: string, fields: JsonObject, call: StubCall): StubAnswer {
  const answer = answerTo(name, fields, call);
  if (answer === null) return { body: { ok: false, error: "unknown_method" }, name };
  const place = getString(fields, "channel") ?? getString(fields, "channel_id");
  const text = getString(fields, "text") ?? getString(fields, "markdown_text") ?? getString(fields, "status");
  return {
    body: { ok: true, ...answer },
    name,
    ...(place !== undefined && { place }),
    ...(text !== undefined && { text }),
  };
}

/** Null: a method that no gateway calls. */
function answerTo(name: string, fields: JsonObject, { nowMs, n }: StubCall): object | null {
  const channel = getString(fields, "channel");
  const ts = getString(fields, "ts") ?? `${Math.floor(nowMs / 1000)}.${String(n).padStart(6, "0")}`;
  switch (name) {
    case "auth.test":
      return { team_id: "T024BE7LD", team: "Stub", user_id: "U0PARLEY", bot_id: "B0PARLEY", user: "parley" };
    case "chat.postMessage":
    case "chat.update":
    case "chat.startStream":
    case "chat.appendStream":
    case "chat.stopStream":
      return { channel, ts, message: { ts, user: "U0PARLEY", bot_id: "B0PARLEY" } };
    case "chat.postEphemeral":
      return { message_ts: ts };
    case "conversations.replies":
    case "conversations.history":
      return { messages: [], has_more: false };
    case "conversations.open":
      return { channel: { id: `D-${getString(fields, "users") ?? ""}` } };
    case "conversations.info":
      return { channel: { id: channel, name: "stub" } };
    case "users.info":
      return { user: { id: getString(fields, "user"), name: "somebody", real_name: "Somebody" } };
    case "usergroups.list":
      return { usergroups: [] };
    case "usergroups.users.list":
      return { users: [] };
    case "files.getUploadURLExternal":
      return { upload_url: `https://files.slack.com/upload/v1/F${n}`, file_id: `F${n}` };
    case "files.completeUploadExternal":
      return { files: [] };
    case "assistant.threads.setStatus":
    case "assistant.threads.setTitle":
    case "assistant.threads.setSuggestedPrompts":
    case "reactions.add":
    case "views.open":
    case "views.publish":
      return {};
    default:
      return null;
  }
}
