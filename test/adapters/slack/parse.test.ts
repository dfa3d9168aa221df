import { describe, expect, it } from "vitest";
import type { SlackAddress } from "../../../adapters/slack/address.ts";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import { withHeader } from "../../contract/raw-request.ts";
import {
  eventOf,
  FIXTURES,
  fixture,
  form,
  interactivity,
  messageBody,
  NOW_MS,
  parse,
  request,
} from "./setup.ts";

const addressOf = (event: TriggerEvent) => JSON.parse(event.replyTo) as SlackAddress;
const OK = { status: 200 };

describe("what people say", () => {
  it("a mention in a channel asks in a thread of its own", () => {
    const event = eventOf(fixture("app-mention"));
    expect(event).toEqual({
      id: "slack:T1:C1:1717000000.000100",
      aliases: [],
      platform: "slack",
      tenant: "T1",
      place: "C1",
      thread: null,
      conversation: "slack:T1:C1:1717000000.000100",
      isDirect: false,
      sender: { id: "U1", name: "U1", isBot: false },
      trigger: "mention",
      command: null,
      text: "deploy api",
      attachments: [],
      mayGrow: true,
      replyTo: event.replyTo,
      occurredAtMs: 1_717_000_000_000,
    });
    expect(addressOf(event)).toEqual({
      kind: "message",
      tenant: "T1",
      channel: "C1",
      threadTs: "1717000000.000100",
      teamId: "T1",
      userId: "U1",
      ts: "1717000000.000100",
    });
  });

  it("the same mention delivered as message and as app_mention is one event", () => {
    const { mayGrow, ...mention } = eventOf(fixture("app-mention"));
    expect(mayGrow).toBe(true);
    expect(eventOf(fixture("app-mention-twin"))).toEqual(mention);
  });

  it("a mention may grow by the files of its twin, but not what has them or comes alone", () => {
    const files = [{ id: "F1", name: "pump.pdf", mimetype: "application/pdf", size: 3 }];
    const mention = { type: "app_mention", text: "<@UBOT> what is this?", channel_type: undefined };
    const share = { text: "<@UBOT> what is this?", subtype: "file_share", files };
    const read = (changes: object) => eventOf(request(messageBody(changes)));
    const [growing, twin] = [read(mention), read(share)];
    expect(twin.attachments.map(({ name }) => name)).toEqual(["pump.pdf"]);
    expect({ ...growing, attachments: twin.attachments }).toEqual({ ...twin, mayGrow: true });
    const alone = [
      share,
      { ...mention, files },
      { ...mention, edited: { user: "U1", ts: "1717000009.000100" } },
      { text: "<@UBOT> and now?" },
      { text: "hi", channel: "D1", channel_type: "im" },
    ];
    expect(alone.map((one) => "mayGrow" in read(one))).toEqual([false, false, false, false, false]);
  });

  it.each([
    ["message-channel", "ambient", "hello", "C1", null, "slack:T1:C1:1717000001.000100"],
    ["message-im", "direct", "hi", "D1", null, "slack:T1:D1"],
    ["message-mpim", "ambient", "hi all", "C9", null, "slack:T1:C9:1717000002.000200"],
    ["message-thread", "thread", "more", "C1", "1717000000.000100", "slack:T1:C1:1717000000.000100"],
    ["message-file", "ambient", "see", "C1", null, "slack:T1:C1:1717000007.000100"],
    ["message-other-bot", "mention", "disk full", "C1", null, "slack:T1:C1:1717000014.000100"],
  ])("%s is %s", (name, trigger, text, place, thread, conversation) => {
    const event = eventOf(fixture(name));
    expect(event).toMatchObject({ trigger, text, place, thread, conversation, command: null });
    expect(event.isDirect).toBe(trigger === "direct");
  });

  it("a mention inside a thread is answered in that thread", () => {
    const event = eventOf(
      request(messageBody({ text: "and now, <@UBOT> ?", thread_ts: "1716999999.000100" })),
    );
    expect(event).toMatchObject({
      trigger: "mention",
      text: "and now, ?",
      thread: "1716999999.000100",
      conversation: "slack:T1:C1:1716999999.000100",
    });
    expect(addressOf(event)).toMatchObject({ threadTs: "1716999999.000100" });
  });

  it("the first message of a thread is not a message in a thread", () => {
    expect(eventOf(request(messageBody({ thread_ts: "1717000000.000100" }))).trigger).toBe("ambient");
  });

  it("somebody else's mention is not ours", () => {
    expect(eventOf(request(messageBody({ text: "<@UBOTANY> <@U2|UBOT> hi" }))).trigger).toBe("ambient");
  });

  it.each([
    ["thread", undefined, "1717000000.000100"],
    ["thread", "1716000000.000100", "1716000000.000100"],
    ["flat", undefined, null],
    ["flat", "1716000000.000100", "1716000000.000100"],
  ] as const)("a direct message is answered %s (asked in thread %s)", (dmReplies, thread_ts, threadTs) => {
    const body = messageBody({ channel: "D1", channel_type: "im", ...(thread_ts && { thread_ts }) });
    const event = eventOf(request(body), { dmReplies });
    expect(addressOf(event)).toMatchObject({ kind: "message", channel: "D1", threadTs });
    expect(event.conversation).toBe("slack:T1:D1");
  });

  it("a file comes along as an attachment", () => {
    expect(eventOf(fixture("message-file")).attachments).toEqual([
      {
        id: "F1",
        kind: "document",
        name: "a.txt",
        mime: "text/plain",
        sizeBytes: 3,
        source: "https://files.slack.com/files-pri/T1-F1/a.txt",
      },
    ]);
  });

  it.each([
    ["image/png", "image"],
    ["audio/mp4", "audio"],
    ["video/mp4", "video"],
    ["application/pdf", "document"],
    [undefined, "other"],
  ])("a file of type %s is a kind of %s", (mimetype, kind) => {
    const files = [{ id: "F1", mimetype }, { name: "no id" }, null];
    const event = eventOf(request(messageBody({ subtype: "file_share", files })));
    expect(event.attachments).toEqual([
      { id: "F1", kind, name: null, mime: mimetype ?? null, sizeBytes: null },
    ]);
  });

  it.each(["thread_broadcast", "me_message"])("%s is something said, too", (subtype) => {
    expect(eventOf(request(messageBody({ subtype }))).text).toBe("hello");
  });

  it("another app's bot is marked as a bot", () => {
    expect(eventOf(fixture("message-other-bot")).sender).toEqual({ id: "U7", name: "alerts", isBot: true });
    const nameless = eventOf(request(messageBody({ user: undefined, bot_id: "B7" })));
    expect(nameless.sender).toEqual({ id: "B7", name: "B7", isBot: true });
  });

  it("what a webhook posts is said by a bot, under the name that it shows", () => {
    const alert = {
      subtype: "bot_message",
      user: undefined,
      bot_id: "B7",
      username: "Alerts",
      text: "",
      attachments: [{ title: "CpuHot", text: "n7 at 99 %" }],
    };
    const event = eventOf(request(messageBody(alert)));
    expect(event.sender).toEqual({ id: "B7", name: "Alerts", isBot: true });
    expect(event.context?.[0]?.text ?? event.text).toContain("n7 at 99 %");
    const mention = eventOf(request(messageBody({ ...alert, text: "<@UBOT> look", attachments: [] })));
    expect(mention).toMatchObject({ trigger: "mention", text: "look" });
  });

  it("an installation for a whole organisation is one tenant", () => {
    expect(eventOf(fixture("app-mention-enterprise"))).toMatchObject({
      tenant: "E1",
      id: "slack:E1:C1:1717000000.000100",
    });
  });

  it("a person who installed the app for themselves may still talk to it", () => {
    const authorizations = [
      { team_id: "T1", user_id: "U1", is_bot: false },
      { team_id: "T1", user_id: "UBOT", is_bot: true },
    ];
    expect(eventOf(request(messageBody({}, { authorizations }))).sender.id).toBe("U1");
  });

  it("an app_mention that does not say who the bot is takes the first name for it", () => {
    const body = messageBody({ type: "app_mention", text: "<@UX> ask <@U2>" }, { authorizations: undefined });
    expect(eventOf(request(body))).toMatchObject({ trigger: "mention", text: "ask @U2" });
  });

  it("an id with a colon cannot pose as another conversation", () => {
    const event = eventOf(request(messageBody({ channel: "C1:1717000000.000100" })));
    expect(event.conversation).toBe("slack:T1:C1%3A1717000000.000100:1717000000.000100");
  });
});

describe("text as it was typed", () => {
  it("has no entities left", () => {
    expect(eventOf(fixture("app-mention-entities")).text).toBe(
      "see the page (https://example.com/a?b=1&c=2) <b> in #ops, ask @bob or @U3, @here a@example.com &amp;",
    );
  });

  it.each([
    ["<@UBOT>", ""],
    ["  <@UBOT>, hi  ", "hi"],
    ["hey <@UBOT|parley> you", "hey you"],
    ["<@UBOT> <@UBOT> twice", "twice"],
    ["a<@UBOT>b", "ab"],
    ["<https://example.com>", "https://example.com"],
    ["<http://example.com|example.com>", "http://example.com"],
    ["<tel:123|call us>", "call us (123)"],
    ["<!subteam^S1|@ops> <!subteam^S2>", "@ops @subteam^S2"],
    ["<!date^1^{date}|tomorrow>", "tomorrow"],
    ["<#C1|> <#C1>", "#C1 #C1"],
    ["1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;lt; &nbsp;", "1 < 2 && 3 > 2 &lt; &nbsp;"],
    ["unclosed <@UBOT and <", "unclosed <@UBOT and <"],
    ["line\n\n<@UBOT>\nline", "line\n\nline"],
  ])("%j reads %j", (text, readable) => {
    expect(eventOf(request(messageBody({ text }))).text).toBe(readable);
  });

  it("has no half characters", () => {
    expect(eventOf(request(messageBody({ text: "a\ud800b" }))).text).toBe("a\ufffdb");
  });
});

describe("what is not for an agent", () => {
  it.each([
    ["message-changed", "edit"],
    ["message-own", "own_message"],
    ["app-home-opened", "app_home_opened"],
    ["assistant-thread-started", "assistant_thread_started"],
    ["agent-session-stopped", "agent_session_stopped"],
    ["reaction-added", "reaction_added"],
    ["app-rate-limited", "app_rate_limited"],
  ])("%s is ignored as %s", (name, reason) => {
    expect(parse(fixture(name))).toEqual({ kind: "ignored", reason, ack: OK });
  });

  it.each([
    ["what the bot user says", { user: "UBOT" }, "own_message"],
    ["what our app says", { bot_id: "B9", app_id: "A1" }, "own_message"],
    ["what our app says, by profile", { bot_id: "B9", bot_profile: { app_id: "A1" } }, "own_message"],
    ["system text", { user: "USLACK" }, "system"],
    [
      "what a webhook of our app says",
      { subtype: "bot_message", user: undefined, bot_id: "B9", app_id: "A1" },
      "own_message",
    ],
    ["a deletion", { subtype: "message_deleted", user: undefined }, "message_deleted"],
    ["a join", { subtype: "channel_join" }, "channel_join"],
    ["a subtype that is no name", { subtype: "A\nB" }, "unknown"],
  ])("%s is ignored", (_, inner, reason) => {
    expect(parse(request(messageBody(inner)))).toEqual({ kind: "ignored", reason, ack: OK });
  });

  it.each(["view_closed", "block_suggestion"])("an interaction of type %s is ignored", (type) => {
    expect(parse(interactivity({ type }))).toEqual({ kind: "ignored", reason: type, ack: OK });
  });
});

describe("handshakes", () => {
  it("url_verification gets its challenge back", () => {
    const ack = { status: 200, contentType: "application/json", body: '{"challenge":"abc"}' };
    expect(parse(fixture("url-verification"))).toEqual({ kind: "handshake", ack });
  });

  it("a signed certificate check gets an empty 200", () => {
    expect(parse(fixture("ssl-check"))).toEqual({ kind: "handshake", ack: OK });
  });
});

describe("a slash command", () => {
  it("is answered through its response_url, and remembered for that person alone", () => {
    const event = eventOf(fixture("slash-command"));
    expect(event).toMatchObject({
      id: "slack:T1:trigger:1.2.abc",
      aliases: [],
      tenant: "T1",
      place: "C1",
      thread: null,
      conversation: "slack:T1:C1:cmd%3AU1",
      isDirect: false,
      sender: { id: "U1", name: "ann", isBot: false },
      trigger: "command",
      command: "/deploy",
      text: "api prod",
      occurredAtMs: NOW_MS,
    });
    expect(addressOf(event)).toEqual({
      kind: "response_url",
      tenant: "T1",
      url: "https://hooks.slack.com/commands/T1/1/x",
      expiresAtMs: NOW_MS + 1_800_000,
      channel: "C1",
      user: "U1",
      visibility: "ephemeral",
    });
    expect(parse(fixture("slash-command"))).toMatchObject({ ack: OK });
  });

  it("may be answered before everyone", () => {
    const event = eventOf(fixture("slash-command"), { commandReplies: "in_channel" });
    expect(addressOf(event)).toMatchObject({ visibility: "in_channel" });
  });

  it("may say nothing more", () => {
    expect(eventOf(fixture("slash-official"))).toMatchObject({
      command: "/webhook-collect",
      text: "",
      tenant: "T1DC2JH3J",
    });
  });

  const fields = { team_id: "T1", channel_id: "D1", user_id: "U1", command: "/ask", trigger_id: "1.2.x" };
  it("without a response_url is answered where only that person reads", () => {
    const event = eventOf(form({ ...fields, text: "a &lt; <@U2|bob>" }));
    expect(event).toMatchObject({ isDirect: true, text: "a < @bob", sender: { name: "U1" } });
    expect(addressOf(event)).toMatchObject({ kind: "message", channel: "U1", threadTs: null });
    expect(addressOf(eventOf(form(fields), { commandReplies: "in_channel" }))).toMatchObject({
      channel: "D1",
    });
  });

  it("of a whole organisation belongs to it", () => {
    const event = eventOf(form({ ...fields, is_enterprise_install: "true", enterprise_id: "E1" }));
    expect(event.tenant).toBe("E1");
  });
});

describe("a button", () => {
  it("belongs to the thread of its message", () => {
    const event = eventOf(fixture("block-actions"));
    expect(event).toMatchObject({
      id: "slack:T1:trigger:1.2.def",
      place: "C1",
      thread: null,
      conversation: "slack:T1:C1:1717000006.000100",
      trigger: "button",
      command: "retry",
      text: "42",
      sender: { id: "U1", name: "ann", isBot: false },
    });
    expect(addressOf(event)).toMatchObject({
      kind: "response_url",
      url: "https://hooks.slack.com/actions/T1/1/x",
      threadTs: "1717000006.000100",
      visibility: "in_channel",
    });
  });

  const press = (over: object) => ({
    type: "block_actions",
    team: { id: "T1" },
    user: { id: "U1" },
    trigger_id: "1.2.x",
    channel: { id: "C1" },
    container: { type: "message", message_ts: "1717000006.000100", channel_id: "C1" },
    actions: [{ action_id: "go", value: "1" }],
    ...over,
  });

  it("in a thread stays in it", () => {
    const event = eventOf(
      interactivity(press({ message: { ts: "1717000006.000100", thread_ts: "1717000001.000100" } })),
    );
    expect(event).toMatchObject({
      thread: "1717000001.000100",
      conversation: "slack:T1:C1:1717000001.000100",
    });
    expect(addressOf(event)).toMatchObject({ kind: "message", channel: "C1", threadTs: "1717000001.000100" });
  });

  it("in a direct message belongs to that conversation", () => {
    const inDm = press({ channel: { id: "D1" } });
    expect(eventOf(interactivity(inDm))).toMatchObject({ conversation: "slack:T1:D1", isDirect: true });
    const flat = eventOf(interactivity(inDm), { dmReplies: "flat" });
    expect(addressOf(flat)).toMatchObject({ channel: "D1", threadTs: null });
  });

  it("on an ephemeral message is answered to that person alone", () => {
    const container = { message_ts: "1717000006.000100", channel_id: "C1", is_ephemeral: true };
    const event = eventOf(
      interactivity(press({ container, response_url: "https://hooks.slack.com/actions/T1/1/x" })),
    );
    expect(event.conversation).toBe("slack:T1:C1:cmd%3AU1");
    expect(addressOf(event)).toMatchObject({ visibility: "ephemeral" });
  });

  it("on the home tab is answered in direct messages", () => {
    const event = eventOf(
      interactivity(press({ channel: undefined, container: { type: "view", view_id: "V1" } })),
    );
    expect(event).toMatchObject({ place: "U1", isDirect: true, conversation: "slack:T1:U1" });
    expect(addressOf(event)).toMatchObject({ kind: "message", channel: "U1", threadTs: null });
  });

  it.each([
    [{ selected_option: { value: "blue" } }, "blue"],
    [{ selected_options: [{ value: "red" }, { value: "blue" }, {}] }, "red, blue"],
    [{ selected_user: "U2" }, "U2"],
    [{ selected_conversations: ["C1", "C2"] }, "C1, C2"],
    [{ selected_date: "2026-01-01" }, "2026-01-01"],
    [{ selected_date_time: 1_717_000_000 }, "1717000000"],
    [{ value: "a\ud800" }, "a\ufffd"],
    [{}, ""],
  ])("or another element says what was chosen: %j", (chosen, text) => {
    expect(eventOf(interactivity(press({ actions: [{ action_id: "pick", ...chosen }] }))).text).toBe(text);
  });
});

describe("a submitted modal", () => {
  it("is its values, answered to the person", () => {
    const event = eventOf(fixture("view-submission"));
    expect(event).toMatchObject({
      id: "slack:T1:view:V1:1.x",
      place: "C1",
      conversation: "slack:T1:C1:cmd%3AU1",
      trigger: "button",
      command: "deploy",
      text: "prod",
    });
    expect(addressOf(event)).toMatchObject({ kind: "message", channel: "U1", threadTs: null });
    expect(parse(fixture("view-submission"))).toMatchObject({ ack: OK });
  });

  const submit = (over: object, view: object = {}) =>
    interactivity({
      type: "view_submission",
      team: { id: "T1" },
      user: { id: "U1" },
      view: { id: "V1", callback_id: "deploy", hash: "1", ...view },
      ...over,
    });

  it("with a text that has looks is read as a person sees it", () => {
    const words = [
      { type: "text", text: "Ask ", style: { bold: true } },
      { type: "user", user_id: "U7" },
      { type: "text", text: " & wait" },
    ];
    const section = { type: "rich_text_section", elements: words };
    const list = { type: "rich_text_list", style: "bullet", elements: [section] };
    const rich_text_value = { type: "rich_text", elements: [section, list] };
    const state = { values: { b1: { why: { type: "rich_text_input", rich_text_value } } } };
    expect(eventOf(submit({}, { state })).text).toMatch(/^Ask @U7 & wait\n. Ask @U7 & wait$/);
  });

  it("with several inputs names each", () => {
    const state = {
      values: { b1: { env: { value: "prod" } }, b2: { region: { selected_option: { value: "eu" } } } },
    };
    expect(eventOf(submit({}, { state })).text).toBe("env: prod\nregion: eu");
  });

  it("with a response_url is answered through it", () => {
    const response_urls = [{ response_url: "https://hooks.slack.com/app/T1/1/x", channel_id: "C5" }];
    const event = eventOf(submit({ response_urls }));
    expect(event).toMatchObject({ place: "C5", isDirect: false });
    expect(addressOf(event)).toMatchObject({ kind: "response_url", channel: "C5", user: "U1" });
  });

  it("opened from nowhere belongs to the person", () => {
    expect(eventOf(submit({}))).toMatchObject({ place: "U1", isDirect: true, text: "", command: "deploy" });
    expect(eventOf(submit({}, { callback_id: "" })).command).toBeNull();
  });

  it("sent again after a change is another event", () => {
    expect(eventOf(submit({}, { hash: "2" })).id).not.toBe(eventOf(submit({})).id);
  });
});

describe("a shortcut", () => {
  it("on a message is about that message", () => {
    const event = eventOf(fixture("message-action"));
    expect(event).toMatchObject({
      id: "slack:T1:trigger:1.2.jkl",
      place: "C1",
      trigger: "command",
      command: "summarise",
      text: "hello",
      conversation: "slack:T1:C1:cmd%3AU1",
    });
    expect(addressOf(event)).toEqual({
      kind: "response_url",
      tenant: "T1",
      url: "https://hooks.slack.com/app/T1/1/x",
      expiresAtMs: NOW_MS + 1_800_000,
      channel: "C1",
      user: "U1",
      visibility: "ephemeral",
    });
    const shared = eventOf(fixture("message-action"), { commandReplies: "in_channel" });
    expect(addressOf(shared)).toMatchObject({ visibility: "in_channel", threadTs: "1717000001.000100" });
  });

  it("from anywhere is answered in direct messages", () => {
    const event = eventOf(fixture("shortcut"));
    expect(event).toMatchObject({
      command: "ask",
      text: "",
      place: "U1",
      isDirect: true,
      trigger: "command",
    });
    expect(addressOf(event)).toEqual({
      kind: "message",
      tenant: "T1",
      channel: "U1",
      threadTs: null,
      teamId: "T1",
      userId: "U1",
    });
  });
});

describe("media types", () => {
  it.each(["application/json", "application/json; charset=utf-8", "Application/JSON"])(
    "%s is taken",
    (type) => {
      expect(parse(request(messageBody(), type)).kind).toBe("events");
    },
  );

  it.each(["text/plain", "", "application/jsonp", "multipart/form-data"])("%j is not", (type) => {
    expect(parse(request(messageBody(), type))).toMatchObject({ kind: "unsupported" });
    expect(parse(withHeader(request(messageBody()), "content-type", undefined)).kind).toBe("unsupported");
  });
});

describe("what is malformed is said to be so, with its place", () => {
  it.each([
    ["a text", "nope", "Expected JSON, got something else"],
    ["an array", "[]", "Expected a JSON object, got an array"],
    ["nothing", "", "Expected a JSON object, got an empty body"],
    ["no type", "{}", "Expected type to be a non-empty string, got nothing"],
    ["a numeric type", '{"type":1}', "Expected type to be a non-empty string, got a number"],
    [
      "no challenge",
      '{"type":"url_verification"}',
      "Expected challenge to be a non-empty string, got nothing",
    ],
    ["no event", '{"type":"event_callback"}', "Expected event to be an object, got nothing"],
    [
      "no team",
      messageBody({}, { team_id: undefined, authorizations: [] }),
      "Expected team_id to be a non-empty string, got nothing",
    ],
    [
      "a numeric team",
      messageBody({}, { team_id: 1, authorizations: [] }),
      "Expected team_id to be a non-empty string, got a number",
    ],
    [
      "no channel",
      messageBody({ channel: undefined }),
      "Expected event.channel to be a non-empty string, got nothing",
    ],
    [
      "an empty channel",
      messageBody({ channel: "" }),
      "Expected event.channel to be a non-empty string, got an empty one",
    ],
    ["a numeric ts", messageBody({ ts: 1 }), "Expected event.ts to be a non-empty string, got a number"],
    [
      "a ts that is no time",
      messageBody({ ts: "soon" }),
      "Expected event.ts to be seconds with a fraction, got another string",
    ],
    [
      "an ill thread",
      messageBody({ thread_ts: {} }),
      "Expected event.thread_ts to be a non-empty string, got an object",
    ],
    ["a text that is none", messageBody({ text: ["a"] }), "Expected event.text to be a string, got an array"],
    ["no sender", messageBody({ user: null }), "Expected event.user or event.bot_id, got neither"],
    ["an ill event_id", messageBody({}, { event_id: 5 }), "Expected event_id to be a string, got a number"],
  ])("%s", (_, body, message) => {
    expect(parse(request(body))).toEqual({ kind: "malformed", message });
  });

  it.each([
    ["an empty form", {}, "Expected team_id to be a non-empty string, got nothing"],
    [
      "a payload that is no JSON",
      { payload: "x" },
      "Expected JSON, got something else, in the form field payload",
    ],
    [
      "a payload without a type",
      { payload: "{}" },
      "Expected payload.type to be a non-empty string, got nothing",
    ],
    [
      "a command without its user",
      { team_id: "T1", channel_id: "C1" },
      "Expected user_id to be a non-empty string, got nothing",
    ],
    [
      "a button without an action",
      { payload: '{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1"}}' },
      "Expected payload.actions to hold an action, got none",
    ],
    [
      "a modal without a view",
      { payload: '{"type":"view_submission","team":{"id":"T1"},"user":{"id":"U1"}}' },
      "Expected payload.view to be an object, got nothing",
    ],
    [
      "a shortcut without a user",
      { payload: '{"type":"shortcut","team":{"id":"T1"}}' },
      "Expected payload.user to be an object, got nothing",
    ],
  ] as const)("%s", (_, fields, message) => {
    const got = parse(form(fields));
    expect(got).toEqual({ kind: "malformed", message });
  });

  it("a message about it repeats nothing that was sent", () => {
    const got = parse(request(messageBody({ text: 5, user: "secret-user", ts: "secret-ts" })));
    expect(JSON.stringify(got)).not.toContain("secret");
  });
});

it("every fixture is a test", () => {
  expect(FIXTURES).toHaveLength(25);
});

describe("deliveries of another app", () => {
  const OTHERS = { kind: "ignored", reason: "other_application", ack: OK };
  const told = FIXTURES.filter((name) => fixture(name).body.toString().includes("api_app_id"));

  it.each(told)("%s is ignored where the app is known, and taken by its own", (name) => {
    expect(parse(fixture(name), { appId: "A999" })).toEqual(OTHERS);
    expect(parse(fixture(name), { appId: "A1" })).toEqual(parse(fixture(name)));
  });

  it("are of every kind", () => {
    expect(told.length).toBeGreaterThan(15);
  });

  it("that tell of no app are taken", () => {
    const body = messageBody({}, {}).replace('"api_app_id":"A1",', "");
    expect(parse(request(body), { appId: "A999" }).kind).toBe("events");
  });
});
