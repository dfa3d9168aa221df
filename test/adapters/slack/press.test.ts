import { describe, expect, it } from "vitest";
import type { SlackOptions } from "../../../adapters/slack/adapter.ts";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import { eventOf, parse, request } from "./setup.ts";

const TS = "1717000006.000100";
const button = {
  action_id: "retry",
  type: "button",
  text: { type: "plain_text", text: "Try again" },
  value: "42",
};
const option = { text: { type: "plain_text", text: "Production" }, value: "prod" };
const choice = (type: string) => ({ action_id: "env", type, selected_option: option });
const submit = { type: "actions", elements: [button] };

function press(action: object, more: object = {}) {
  const payload = {
    type: "block_actions",
    user: { id: "U1", name: "ann", team_id: "T1" },
    api_app_id: "A1",
    team: { id: "T1" },
    channel: { id: "C1" },
    trigger_id: "1.2.def",
    container: { type: "message", message_ts: TS, channel_id: "C1", is_ephemeral: false },
    message: { ts: TS, user: "UBOT", app_id: "A1", text: "Deploy *api*?" },
    response_url: "https://hooks.slack.com/actions/T1/1/x",
    actions: [action],
    ...more,
  };
  return request(
    new URLSearchParams({ payload: JSON.stringify(payload) }).toString(),
    "application/x-www-form-urlencoded",
  );
}
const pressed = (action: object, more: object = {}, over: Partial<SlackOptions> = {}): TriggerEvent =>
  eventOf(press(action, more), over);

describe("a press", () => {
  it("tells what it was, as the person saw it, and on which message", () => {
    expect(pressed(button)).toMatchObject({
      trigger: "button",
      command: "retry",
      text: "42",
      pressed: { kind: "button", label: "Try again" },
      context: [{ kind: "pressed", author: { id: "UBOT", isSelf: true }, text: "Deploy *api*?" }],
    });
  });

  it("on a button without a value has no words of its own", () => {
    expect(pressed({ ...button, value: undefined })).toMatchObject({
      text: "",
      pressed: { kind: "button", label: "Try again" },
    });
  });

  it("on a message of somebody else names them, and shows what stands in its blocks", () => {
    const message = {
      ts: TS,
      user: "U7",
      bot_id: "B9",
      bot_profile: { name: "Pager" },
      text: "",
      blocks: [{ type: "section", text: { type: "mrkdwn", text: "db3 at 97 %" } }],
    };
    expect(pressed(button, { message }).context).toMatchObject([
      { author: { id: "U7", name: "Pager" }, text: "db3 at 97 %" },
    ]);
    expect(pressed(button, { message }).context?.[0]?.author).not.toHaveProperty("isSelf");
  });

  it("on the button of a form in a message brings along what was filled in", () => {
    const state = {
      values: {
        b1: { env: { type: "static_select", selected_option: option } },
        b2: { note: { type: "plain_text_input", value: null } },
      },
    };
    expect(pressed(button, { state }).text).toBe("42\nenv: prod");
  });

  it("on a menu that stands alone is a choice, with what was chosen", () => {
    expect(pressed(choice("static_select"))).toMatchObject({
      text: "prod",
      pressed: { kind: "choice", label: "Production" },
    });
  });

  it("on an overflow menu is a press", () => {
    const message = { ts: TS, blocks: [submit] };
    expect(pressed(choice("overflow"), { message }).pressed).toEqual({ kind: "button", label: "Production" });
  });
});

describe("a change of an input", () => {
  it.each([
    "radio_buttons",
    "checkboxes",
    "static_select",
    "multi_users_select",
    "datepicker",
    "plain_text_input",
  ])("(%s) runs nothing while there is a form around it to be sent", (type) => {
    const forms = [
      { message: { ts: TS, blocks: [{ type: "input", element: { type } }] } },
      { message: { ts: TS, blocks: [{ type: "actions", elements: [{ type }] }, submit] } },
      { message: { ts: TS, blocks: [{ type: "section", accessory: { type: "button" } }] } },
      {
        message: undefined,
        channel: undefined,
        container: { type: "view" },
        view: { id: "V1", type: "modal" },
      },
    ];
    for (const form of forms) {
      expect(parse(press(choice(type), form))).toEqual({
        kind: "ignored",
        reason: "form_input",
        ack: { status: 200 },
      });
    }
  });
});

describe("what opens a page", () => {
  const url = "https://example.com/run/7";

  it.each([
    ["a button", { ...button, url }],
    ["an option of a menu", { action_id: "more", type: "overflow", selected_option: { ...option, url } }],
  ])("(%s) runs nothing when it is pressed", (_, action) => {
    expect(parse(press(action))).toEqual({ kind: "ignored", reason: "link_button", ack: { status: 200 } });
  });

  it("is nothing that sends a form", () => {
    const message = { ts: TS, blocks: [{ type: "actions", elements: [{ ...button, url }] }] };
    expect(pressed(choice("static_select"), { message })).toMatchObject({ text: "prod" });
  });
});

describe("a press on a message that one person alone sees", () => {
  it("in a thread is answered in that thread, for that person", () => {
    const container = {
      type: "message",
      message_ts: TS,
      channel_id: "C1",
      is_ephemeral: true,
      thread_ts: "1717000000.000100",
    };
    const event = pressed(button, { container, message: undefined });
    expect(event).toMatchObject({ thread: "1717000000.000100", conversation: "slack:T1:C1:cmd%3AU1" });
    expect(JSON.parse(event.replyTo)).toMatchObject({
      threadTs: "1717000000.000100",
      visibility: "ephemeral",
    });
  });

  it("outside of a thread is answered outside of one", () => {
    const container = { type: "message", message_ts: TS, channel_id: "C1", is_ephemeral: true };
    expect(JSON.parse(pressed(button, { container, message: undefined }).replyTo)).not.toHaveProperty(
      "threadTs",
    );
  });
});
