import { describe, expect, it } from "vitest";
import { readAddress } from "../../../adapters/slack/address.ts";
import { eventOf, form, interactivity } from "./setup.ts";

const URL_OF = (team: string) => `https://hooks.slack.com/commands/${team}/1/x`;
const slash = (team: string, fields: Readonly<Record<string, string>> = {}) =>
  form({
    ...{ team_id: "T1", channel_id: "C1", user_id: "U1", user_name: "ann", command: "/ask", text: "hi" },
    ...{ api_app_id: "A1", trigger_id: "1.2.abc", response_url: URL_OF(team), ...fields },
  });
const press = (team: string, fields: object = {}) =>
  interactivity({
    ...{ type: "block_actions", api_app_id: "A1", trigger_id: "1.2.def", team: { id: "T1" } },
    ...{ user: { id: "U1", name: "ann", team_id: "T1" }, channel: { id: "C1" } },
    ...{ container: { type: "message", message_ts: "1717000006.000100", channel_id: "C1" } },
    message: { ts: "1717000006.000100", text: "done" },
    actions: [{ action_id: "retry", type: "button", value: "42" }],
    ...{ response_url: URL_OF(team), ...fields },
  });
const kindOf = (request: ReturnType<typeof form>) => readAddress(eventOf(request).replyTo);

describe("a response_url", () => {
  it.each([
    ["of a command", slash("T1")],
    ["of a press", press("T1")],
    ["of an organisation's workspace", slash("T1", { is_enterprise_install: "true", enterprise_id: "E1" })],
    ["of an organisation", slash("E1", { is_enterprise_install: "true", enterprise_id: "E1" })],
    [
      "of whoever pressed, in a shared channel",
      press("T2", { user: { id: "U2", name: "bob", team_id: "T2" } }),
    ],
    [
      "that names no workspace",
      form({ ...Object.fromEntries(new URLSearchParams(slash("1234").body.toString())) }),
    ],
  ])("%s is where it is answered", (_, request) => {
    expect(kindOf(request)).toMatchObject({ kind: "response_url" });
  });

  it.each([
    ["a command", slash("T2"), { channel: "U1" }],
    ["a press", press("T2"), { channel: "C1" }],
    [
      "a command in an organisation",
      slash("E2", { is_enterprise_install: "true", enterprise_id: "E1" }),
      { channel: "U1" },
    ],
  ])(
    "of another workspace is not used for %s: the answer goes through our own installation",
    (_, request, where) => {
      expect(kindOf(request)).toMatchObject({ kind: "message", ...where });
    },
  );
});
