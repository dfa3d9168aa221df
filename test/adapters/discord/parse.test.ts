import { describe, expect, it } from "vitest";
import { readAddress } from "../../../adapters/discord/address.ts";
import { parseDiscord } from "../../../adapters/discord/parse.ts";
import { discordSampler } from "../../../adapters/discord/sample.ts";
import { decisionIn } from "../../../src/domain/command.ts";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import { asVerified, rawRequest, withHeader } from "../../contract/raw-request.ts";
import { ackOf, bodyOf, fixture, NOW_MS, request, SEED } from "./fixture.ts";

const parse = (body: Parameters<typeof request>[0], applicationId = "900") =>
  parseDiscord(asVerified(request(body)), applicationId);

function eventOf(body: Parameters<typeof request>[0]): TriggerEvent {
  const inbound = parse(body);
  if (inbound.kind !== "events") throw new Error(`Expected events, got ${JSON.stringify(inbound)}`);
  const [event, ...more] = inbound.events;
  if (event === undefined || more.length > 0) throw new Error("Expected one event");
  return event;
}
const recorded = (name: string) => {
  const inbound = parseDiscord(asVerified(fixture(name)), "900");
  if (inbound.kind !== "events") throw new Error(`Expected events, got ${JSON.stringify(inbound)}`);
  return inbound.events[0] as TriggerEvent;
};
/** The recorded slash command with other options. */
const slash = (data: object) => ({
  ...bodyOf("slash"),
  data: { id: "40", name: "deploy", type: 1, ...data },
});

describe("Discord's handshakes", () => {
  it("answer a ping with a pong", () => {
    expect(ackOf(parse({ type: 1 }))).toEqual({ status: 200, body: { type: 1 } });
    expect(parse({ type: 1 })).toMatchObject({
      kind: "handshake",
      ack: { contentType: "application/json" },
    });
  });

  it("answer an autocompletion with no choices", () => {
    const inbound = parseDiscord(asVerified(fixture("autocomplete")), "900");
    expect(inbound.kind).toBe("handshake");
    expect(ackOf(inbound)).toEqual({ status: 200, body: { type: 8, data: { choices: [] } } });
  });

  it("answer the other webhook's ping and events with 204", () => {
    expect(ackOf(parse({ version: 1, application_id: "900", type: 0 }))).toBe(204);
    const event = { version: 1, application_id: "900", type: 1, event: { type: "APPLICATION_AUTHORIZED" } };
    expect(parse(event)).toMatchObject({ kind: "ignored", reason: "app_event", ack: { status: 204 } });
  });
});

describe("a slash command", () => {
  it("becomes an event", () => {
    const event = recorded("slash");
    expect(event).toMatchObject({
      id: "discord:900:1100000000000000001",
      aliases: [],
      platform: "discord",
      tenant: "10",
      place: "20",
      thread: null,
      conversation: "discord:10:20",
      isDirect: false,
      sender: { id: "30", name: "Ann", isBot: false },
      trigger: "command",
      command: "/deploy run",
      text: "api",
      attachments: [],
    });
    expect(readAddress(event.replyTo)).toEqual({
      kind: "interaction",
      applicationId: "900",
      id: "1100000000000000001",
      token: "aW50ZXJhY3Rpb246MQ",
      channelId: "20",
      guildId: "10",
      expiresAtMs: NOW_MS + 870_000,
    });
  });

  it("is deferred, so that the answer may take its time", () => {
    expect(ackOf(parseDiscord(asVerified(fixture("slash")), "900"))).toEqual({
      status: 200,
      body: { type: 5 },
    });
  });

  it("that is refused once more is answered to the person alone, and not left thinking", () => {
    const inbound = parseDiscord(asVerified(fixture("slash")), "900");
    const ack = inbound.kind === "events" ? inbound.untoldAck : undefined;
    expect(JSON.parse(ack?.body ?? "")).toMatchObject({ type: 4, data: { flags: 64 } });
  });

  it.each([
    ["a lone text is the text", [{ name: "task", type: 3, value: "a b=c" }], "/deploy", "a b=c"],
    ["nothing filled in is no text", [], "/deploy", ""],
    ["a lone number keeps its name", [{ name: "count", type: 4, value: 3 }], "/deploy", "count=3"],
    [
      "several become pairs",
      [
        { name: "service", type: 3, value: "api" },
        { name: "force", type: 5, value: false },
        { name: "ratio", type: 10, value: 0.5 },
      ],
      "/deploy",
      "service=api force=false ratio=0.5",
    ],
    [
      "a group and its sub-command are part of the command",
      [
        {
          name: "prod",
          type: 2,
          options: [{ name: "run", type: 1, options: [{ name: "x", type: 3, value: "y" }] }],
        },
      ],
      "/deploy prod run",
      "y",
    ],
    ["a file is no text", [{ name: "file", type: 11, value: "60" }], "/deploy", ""],
    [
      "what has no name or value is left out",
      [{ type: 3, value: "x" }, { name: "y", type: 3 }, null, 7],
      "/deploy",
      "",
    ],
  ])("%s", (_, options, command, text) => {
    expect(eventOf(slash({ options }))).toMatchObject({ command, text });
  });

  it("names the people, channels and roles that were chosen", () => {
    const options = [
      { name: "who", type: 6, value: "31" },
      { name: "where", type: 7, value: "21" },
      { name: "role", type: 8, value: "71" },
      { name: "any", type: 9, value: "71" },
      { name: "lost", type: 6, value: "99" },
    ];
    const resolved = {
      users: { "31": { id: "31", username: "bob" } },
      channels: { "21": { id: "21", name: "ops" } },
      roles: { "71": { id: "71", name: "Admins" } },
    };
    expect(eventOf(slash({ options, resolved })).text).toBe(
      "who=bob (31) where=ops (21) role=Admins (71) any=Admins (71) lost=99",
    );
  });

  it("in a thread belongs to the channel of the thread, and talks in the thread", () => {
    expect(recorded("thread")).toMatchObject({
      place: "20",
      thread: "51",
      conversation: "discord:10:51",
      text: "look at this",
      attachments: [{ id: "60", kind: "image", name: "a.png", mime: "image/png", sizeBytes: 3 }],
    });
    expect(readAddress(recorded("thread").replyTo)?.channelId).toBe("51");
  });

  it("in a thread of unknown parentage belongs to the thread", () => {
    const event = eventOf({ ...bodyOf("slash"), channel_id: "51", channel: { id: "51", type: 12 } });
    expect(event).toMatchObject({ place: "51", thread: "51", conversation: "discord:10:51" });
  });

  it("happened when its id says, or when it was signed if that is later", () => {
    // 175928847299117063 is the id that Discord's own reference takes apart.
    const old = { ...bodyOf("slash"), id: "175928847299117063" };
    expect(eventOf(old).occurredAtMs).toBe(1_462_015_105_796);
    const resent = withHeader(request(old), "x-signature-timestamp", "1717000000");
    const inbound = parseDiscord(asVerified(resent), "900");
    expect(inbound).toMatchObject({ events: [{ occurredAtMs: 1_717_000_000_000 }] });
  });
});

describe("other interactions", () => {
  it("a message command brings the message", () => {
    expect(recorded("message-command")).toMatchObject({
      trigger: "command",
      command: "Summarise",
      text: "hello",
      context: [{ kind: "target", text: "hello", author: { id: "31", name: "bob" } }],
    });
  });

  it("a message command brings the files of the message", () => {
    const body = bodyOf("message-command");
    const file = { id: "61", filename: "v.mp4", size: 9, content_type: "video/mp4" };
    const message = { id: "50", content: "", attachments: [file, { filename: "no id" }] };
    const data = { ...(body.data as object), resolved: { messages: { "50": message } } };
    expect(eventOf({ ...body, data })).toMatchObject({
      text: "",
      attachments: [],
      context: [
        {
          kind: "target",
          attachments: [{ id: "61", kind: "video", name: "v.mp4", mime: "video/mp4", sizeBytes: 9 }],
        },
      ],
    });
  });

  describe("a message command on what has no words of its own", () => {
    const author = { id: "31", username: "bob", global_name: "Bob" };
    const targetOf = (message: object) => {
      const body = bodyOf("message-command");
      const resolved = { messages: { "50": { id: "50", author, content: "", ...message } } };
      return eventOf({ ...body, data: { ...(body.data as object), resolved } });
    };
    it.each<[string, object, string]>([
      [
        "a forwarded message",
        { message_snapshots: [{ message: { content: "Compressor six is loud" } }] },
        "Compressor six is loud",
      ],
      [
        "a forwarded card",
        { message_snapshots: [{ message: { content: "", embeds: [{ title: "Leak" }] } }] },
        "Leak",
      ],
      [
        "a card",
        {
          embeds: [
            {
              title: "Alert",
              description: "Fan three stopped",
              fields: [{ name: "Hall", value: "B" }, { name: "Since" }],
              footer: { text: "watch 2" },
            },
          ],
        },
        "Alert\nFan three stopped\nHall: B\nSince\nwatch 2",
      ],
      [
        "a card beside words",
        { content: "look", embeds: [{ title: "Alert" }, { type: "link", title: "A page" }] },
        "look\nAlert",
      ],
      [
        "components",
        {
          flags: 32768,
          components: [
            { type: 17, components: [{ type: 9, components: [{ type: 10, content: "Valve two" }] }] },
            { type: 1, components: [{ type: 2, label: "Close it", custom_id: "x" }] },
          ],
        },
        "Valve two\nClose it",
      ],
      [
        "a poll",
        { poll: { question: { text: "Drain?" }, answers: [{ poll_media: { text: "Yes" } }, {}] } },
        "Drain?\n- Yes",
      ],
      ["a sticker", { sticker_items: [{ id: "9", name: "Wave" }] }, "Wave"],
    ])("brings %s", (_, message, text) => {
      const event = targetOf(message);
      expect(event).toMatchObject({ command: "Summarise", text });
      expect(event.context).toMatchObject([{ kind: "target", text, author: { id: "31", name: "Bob" } }]);
    });

    it("brings the files of what was forwarded, and what the message replies to", () => {
      const file = { id: "62", filename: "hum.ogg", size: 5, content_type: "audio/ogg" };
      const own = { id: "49", author: { id: "900", username: "gw", bot: true }, content: "Is it loud?" };
      const event = targetOf({
        timestamp: "2026-05-29T16:26:40.000000+00:00",
        referenced_message: own,
        message_snapshots: [{ message: { content: "", attachments: [file] } }],
      });
      expect(event.context).toEqual([
        {
          kind: "quoted",
          text: "Is it loud?",
          author: { id: "900", name: "gw", isSelf: true },
          attachments: [],
          atMs: null,
        },
        {
          kind: "target",
          text: "",
          author: { id: "31", name: "Bob" },
          attachments: [{ id: "62", kind: "audio", name: "hum.ogg", mime: "audio/ogg", sizeBytes: 5 }],
          atMs: Date.UTC(2026, 4, 29, 16, 26, 40),
        },
      ]);
    });
  });

  it("a user command brings the person", () => {
    expect(recorded("user-command")).toMatchObject({
      trigger: "command",
      command: "Look up",
      text: "Bob (31)",
    });
  });

  it("a button is its id", () => {
    expect(recorded("button")).toMatchObject({
      trigger: "button",
      command: "retry:42",
      text: "",
      sender: { id: "30", name: "ann", isBot: false },
    });
  });

  it("a button has the label that the person saw, and the message that it stands on", () => {
    const message = {
      id: "51",
      author: { id: "900", username: "gw", bot: true },
      content: "Deploy the pump controller?",
      components: [{ type: 1, components: [{ type: 2, label: "Yes, deploy", custom_id: "retry:42" }] }],
    };
    expect(eventOf({ ...bodyOf("button"), message })).toMatchObject({
      command: "retry:42",
      pressed: { kind: "button", label: "Yes, deploy" },
      context: [{ kind: "pressed", text: "Deploy the pump controller?", author: { isSelf: true } }],
    });
  });

  it("a choice is what the person saw, with what stands for it", () => {
    const menu = {
      type: 3,
      custom_id: "region",
      placeholder: "Where to?",
      options: [
        { label: "Europe", value: "eu" },
        { label: "us", value: "us" },
      ],
    };
    const message = { id: "51", components: [{ type: 1, components: [menu] }] };
    const data = { custom_id: "region", component_type: 3, values: ["eu", "us"] };
    expect(eventOf({ ...bodyOf("button"), message, data })).toMatchObject({
      text: "Europe (eu), us",
      pressed: { kind: "choice", label: "Where to?" },
    });
    const people = {
      custom_id: "who",
      component_type: 5,
      values: ["31"],
      resolved: { users: { "31": { username: "bob" } } },
    };
    expect(eventOf({ ...bodyOf("button"), data: people }).text).toBe("bob (31)");
  });

  it("a select menu is its id and what was chosen", () => {
    const data = { custom_id: "region", component_type: 3, values: ["eu", "us", 7] };
    expect(eventOf({ ...bodyOf("button"), data })).toMatchObject({ command: "region", text: "eu, us" });
  });

  it("a form is its id and what was typed, in a direct message too", () => {
    expect(recorded("modal")).toMatchObject({
      trigger: "button",
      command: "deploy",
      text: "prod",
      // The only field is what the form is about.
      pressed: { kind: "form", label: "env" },
      tenant: "dm",
      place: "20",
      isDirect: true,
      conversation: "discord:dm:20:30",
    });
  });

  it("a form may have rows, labels, choices and files", () => {
    const components = [
      { type: 1, components: [{ type: 4, custom_id: "a", value: "one" }] },
      { type: 18, component: { type: 3, custom_id: "b", values: ["two", "three"] } },
      { type: 10, content: "only text" },
      { type: 18, component: { type: 19, custom_id: "c", values: ["60"] } },
      null,
    ];
    const resolved = {
      attachments: { "60": { id: "60", filename: "f.pdf", content_type: "application/pdf" } },
    };
    const event = eventOf({ ...bodyOf("modal"), data: { custom_id: "f", components, resolved } });
    expect(event.text).toBe("a: one\nb: two, three");
    expect(event.pressed).toEqual({ kind: "form", label: null });
    expect(event.attachments).toEqual([
      { id: "60", kind: "document", name: "f.pdf", mime: "application/pdf", sizeBytes: null },
    ]);
  });

  it("two people in one group message have a conversation each", () => {
    const other = eventOf({ ...bodyOf("modal"), user: { id: "32", username: "bea" } });
    expect(other.conversation).not.toBe(recorded("modal").conversation);
  });

  it("from a bot are marked", () => {
    const user = { id: "30", username: "x", bot: true };
    expect(eventOf({ ...bodyOf("modal"), user }).sender.isBot).toBe(true);
  });
});

describe("what is no event", () => {
  it("another application's interaction is ignored, unless none is configured", () => {
    expect(parse(bodyOf("slash"), "901")).toMatchObject({ kind: "ignored", reason: "other_application" });
    expect(parse(bodyOf("slash"), "")).toMatchObject({ kind: "events" });
  });

  it.each([...discordSampler.kinds])("another application's %s is ignored, whatever it is", (kind) => {
    const body = { ...bodyOf(kind), application_id: "901" };
    expect(parse(body, "900")).toMatchObject({ kind: "ignored", reason: "other_application" });
    expect(parse({ ...body, application_id: "900" }, "900").kind).toMatch(/^(events|handshake)$/);
  });

  it("an unknown type is ignored", () => {
    expect(parse({ ...bodyOf("slash"), type: 6 })).toMatchObject({ kind: "ignored", reason: "unknown_type" });
  });

  it("an unknown kind of command is told to the person, and to nobody else", () => {
    const inbound = parse(slash({ type: 4 }));
    expect(inbound).toMatchObject({ kind: "ignored", reason: "unknown_command_type" });
    expect(ackOf(inbound)).toMatchObject({ body: { type: 4, data: { flags: 64 } } });
  });

  it.each(["gateway-message", "gateway-reply", "gateway-direct", "gateway-edit"])(
    "a frame of the socket is none: %s",
    (name) => {
      expect(parseDiscord(asVerified(fixture(name)), "900")).toEqual({
        kind: "malformed",
        message: "Expected type to be a number, got nothing",
      });
    },
  );

  it.each([
    [{ id: 1_100_000_000_000_000_000 }, "Expected id to be a string of digits, got a number"],
    [{ id: "12x" }, "Expected id to be a string of digits, got another string"],
    [{ application_id: 900 }, "Expected application_id to be a string of digits, got a number"],
    [{ channel_id: null }, "Expected channel_id to be a string of digits, got null"],
    [{ guild_id: 10 }, "Expected guild_id to be a string of digits, got a number"],
    [{ member: { user: { id: 30 } } }, "Expected member.user.id to be a string of digits, got a number"],
    [{ member: null }, "Expected user.id to be a string of digits, got nothing"],
    [{ token: 5 }, "Expected token to be text of 1 to 1024 characters"],
    [{ token: ".." }, "Expected token to be text of 1 to 1024 characters"],
    [{ token: "\ud800" }, "Expected token to be text of 1 to 1024 characters"],
    [{ data: [] }, "Expected data to be an object, got an array"],
    [{ data: { type: 1 } }, "Expected data.name to be a non-empty string, got nothing"],
    [{ type: 3, data: { custom_id: 4 } }, "Expected data.custom_id to be a non-empty string, got a number"],
    [{ type: "2" }, "Expected type to be a number, got a string"],
    [
      { id: 1, token: "" },
      "Expected id to be a string of digits, got a number; Expected token to be text of 1 to 1024 characters, got something else",
    ],
  ])("a wrong field is named: %j", (over, message) => {
    expect(parse({ ...bodyOf("slash"), ...over })).toEqual({
      kind: "malformed",
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ["nothing", "", "Expected a JSON object, got an empty body"],
    ["a list", "[]", "Expected a JSON object, got an array"],
    ["half an object", '{"type":', "Expected JSON"],
    ["other bytes", Buffer.from([0xff, 0xfe]), "Expected UTF-8"],
  ])("%s is malformed", (_, body, message) => {
    expect(parse(body)).toEqual({ kind: "malformed", message: expect.stringContaining(message) });
  });

  it("another media type is not taken, and a charset does not matter", () => {
    const typed = (type: string) =>
      parseDiscord(asVerified(request({ type: 1 }, { "content-type": type })), "900").kind;
    expect(typed("application/x-www-form-urlencoded")).toBe("unsupported");
    expect(typed("application/json; charset=utf-8")).toBe("handshake");
  });
});

it("a sample in a thread is in that thread", () => {
  const options = { kind: "slash", text: "x", id: "1", nowMs: NOW_MS, secret: SEED };
  const sample = discordSampler.build({
    ...options,
    channel: "21",
    thread: "55",
    user: "33",
    applicationId: "901",
  });
  const inbound = parseDiscord(asVerified(rawRequest(sample, { nowMs: NOW_MS })), "901");
  expect(inbound).toMatchObject({ events: [{ place: "21", thread: "55", sender: { id: "33" } }] });
});

describe("what one person alone is to see", () => {
  const ephemeral = { commandReplies: "ephemeral" } as const;
  const read = (body: object, reading = {}) => {
    const inbound = parseDiscord(asVerified(request(body)), "900", reading);
    if (inbound.kind !== "events") throw new Error(`Expected events, got ${JSON.stringify(inbound)}`);
    return { event: inbound.events[0] as TriggerEvent, ack: ackOf(inbound) };
  };
  const FOR_ONE = { status: 200, body: { type: 5, data: { flags: 64 } } };

  it("is the answer to a command, where the configuration says so, and their own conversation", () => {
    const { event, ack } = read(bodyOf("slash"), ephemeral);
    expect(ack).toEqual(FOR_ONE);
    expect(event.conversation).toBe("discord:10:20:cmd%3A30");
    expect(readAddress(event.replyTo)).toMatchObject({ channelId: "20", onlyFor: "30" });
    expect(read(bodyOf("slash")).ack).toEqual({ status: 200, body: { type: 5 } });
  });

  it("is what follows from a press on what they alone see, and not from any other", () => {
    const button = bodyOf("button");
    const message = { ...(button.message as object), flags: 64 };
    expect(read({ ...button, message })).toMatchObject({
      ack: FOR_ONE,
      event: { conversation: "discord:10:20:cmd%3A30" },
    });
    expect(read(button, ephemeral).ack).toEqual({ status: 200, body: { type: 5 } });
  });

  it("needs no conversation of its own in direct messages", () => {
    const direct = { guild_id: undefined, member: undefined, user: { id: "30", username: "ann" } };
    const { event } = read({ ...bodyOf("slash"), ...direct }, ephemeral);
    expect(event.conversation).toBe("discord:dm:20:30");
  });
});

describe("the roles of who acts", () => {
  const member = (roles: unknown) => ({
    ...bodyOf("slash"),
    member: { ...(bodyOf("slash").member as object), roles },
  });

  it("come with the event, as far as they are roles", () => {
    expect(eventOf(member(["70", "71", 72, "x"])).sender.roles).toEqual(["70", "71"]);
    for (const none of [[], undefined, "70"])
      expect(eventOf(member(none)).sender).not.toHaveProperty("roles");
  });
});

describe("a command to the gateway itself", () => {
  it.each([
    [
      "approve",
      [{ name: "id", type: 3, value: "apr_1" }],
      { command: "approve", approvalId: "apr_1", reason: null },
    ],
    [
      "deny",
      [
        { name: "id", type: 3, value: "apr_1" },
        { name: "reason", type: 3, value: "too risky" },
      ],
      { command: "deny", approvalId: "apr_1", reason: "too risky" },
    ],
    ["deny", [{ name: "reason", type: 3, value: "no" }], { command: "deny", approvalId: null, reason: "no" }],
    ["approve", [], { command: "approve", approvalId: null, reason: null }],
  ])("/parley %s %j is read as it would be typed", (name, options, decision) => {
    const event = eventOf(slash({ name: "parley", options: [{ name, type: 1, options }] }));
    expect(event.command).toBe(`/parley ${name}`);
    expect(decisionIn(event)).toEqual({ ...decision, isAlways: false, choice: null });
  });
});
