import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUpdate } from "../../../adapters/telegram/parse.ts";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Inbound } from "../../../src/ports/adapter.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { BOT, eventOf, fixture, fixtureNames, NOW_MS, parse, post } from "./setup.ts";

const of = (name: string) => eventOf(fixture(name));

describe("a message", () => {
  it("in a private chat becomes an event with all its parts", () => {
    expect(of("private")).toEqual({
      id: "telegram:77:1000",
      aliases: [],
      platform: "telegram",
      tenant: "77",
      place: "30",
      thread: null,
      conversation: "telegram:77:30",
      isDirect: true,
      sender: { id: "30", name: "ann", isBot: false },
      trigger: "direct",
      command: null,
      text: "hello",
      attachments: [],
      replyTo: JSON.stringify({ kind: "message", chatId: "30", isPrivate: true, messageId: 5 }),
      occurredAtMs: 1_717_000_000_000,
    });
  });

  it("in a topic belongs to that topic alone", () => {
    expect(of("topic")).toMatchObject({
      place: "-1001234567890",
      thread: "3",
      conversation: "telegram:77:-1001234567890:3",
      isDirect: false,
      trigger: "mention",
      text: "hi",
      replyTo: JSON.stringify({
        kind: "message",
        chatId: "-1001234567890",
        isPrivate: false,
        messageThreadId: 3,
        messageId: 7,
      }),
    });
  });

  it("in the reply chain of a plain group belongs to the group", () => {
    expect(of("reply-chain")).toMatchObject({ thread: null, trigger: "ambient" });
  });

  it("by an anonymous admin is the group's, not a bot's", () => {
    const sender = { id: "-1001234567890", name: "Ops", isBot: false };
    expect(of("anonymous-admin")).toMatchObject({ sender, command: "/deploy" });
  });

  it("by another bot is marked as such", () => {
    const sender = { id: "88", name: "ci_bot", isBot: true };
    expect(of("other-bot")).toMatchObject({ sender, trigger: "mention", text: "build failed" });
  });
});

describe("the direct messages of a channel", () => {
  const cara = of("direct-messages");
  const dan = of("direct-messages-other");

  it("are a conversation of each person, addressed by the person's topic", () => {
    expect(cara).toMatchObject({
      place: "-1009100",
      thread: "501",
      conversation: "telegram:77:-1009100:501",
      isDirect: true,
      trigger: "direct",
      sender: { id: "41", name: "cara", isBot: false },
      text: "8841 is mine",
      replyTo: JSON.stringify({
        kind: "message",
        chatId: "-1009100",
        isPrivate: false,
        directTopicId: 501,
        messageId: 81,
      }),
    });
    expect(dan).toMatchObject({ conversation: "telegram:77:-1009100:502", trigger: "direct" });
    expect(of("button-direct-messages")).toMatchObject({
      conversation: cara.conversation,
      replyTo: JSON.stringify({
        kind: "message",
        chatId: "-1009100",
        isPrivate: false,
        directTopicId: 501,
        messageId: 84,
        callbackQueryId: "4390",
      }),
    });
  });

  it("are for us when the person writes, not when the channel's admins answer", () => {
    expect(of("direct-messages-admin")).toMatchObject({ trigger: "ambient", thread: "501" });
  });

  it("of no known topic belong to nobody, so they are not run", () => {
    for (const name of ["direct-messages-no-topic", "button-direct-messages-inaccessible"]) {
      expect(parse(fixture(name))).toMatchObject({ kind: "ignored", reason: "malformed_message" });
    }
  });

  it("never share a conversation, whatever the topics are called", () => {
    const said = JSON.parse(fixture("direct-messages")) as { message: object };
    const inTopic = (topic: unknown) => {
      const message = { ...said.message, direct_messages_topic: topic, message_thread_id: 7 };
      return parse(JSON.stringify({ ...said, message: { ...message, is_topic_message: true } }));
    };
    const topics = fc.oneof(
      fc.record({ topic_id: fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.jsonValue({ maxDepth: 1 })) }),
      fc.jsonValue({ maxDepth: 1 }),
    );
    fc.assert(
      // JSON has no -0: what arrives is 0.
      fc.property(
        topics.map((topic) => JSON.parse(JSON.stringify(topic)) as unknown),
        (topic) => {
          const inbound = inTopic(topic);
          const known = (topic as { topic_id?: unknown } | null)?.topic_id;
          if (!Number.isSafeInteger(known)) {
            expect(inbound).toMatchObject({ kind: "ignored" });
            return;
          }
          const [event] = inbound.kind === "events" ? inbound.events : [];
          expect(event?.conversation).toBe(`telegram:77:-1009100:${String(known)}`);
          expect(JSON.parse(event?.replyTo ?? "")).toMatchObject({ directTopicId: known });
        },
      ),
    );
  });
});

describe("other places within a chat", () => {
  it("are the topics of a private chat", () => {
    expect(of("private-topic")).toMatchObject({
      thread: "12",
      conversation: "telegram:77:30:12",
      isDirect: true,
      trigger: "direct",
      replyTo: JSON.stringify({
        kind: "message",
        chatId: "30",
        isPrivate: true,
        messageThreadId: 12,
        messageId: 85,
      }),
    });
  });

  it("are not the General topic of a forum, which has no number", () => {
    expect(of("general-topic")).toMatchObject({ thread: null, conversation: "telegram:77:-1001234567890" });
  });
});

describe("what is addressed to the bot", () => {
  it.each([
    ["group-command", "command", "/deploy", "api"],
    ["private-command", "command", "/start", "deep-link"],
    ["group-mention", "mention", null, "😀 ask about tea"],
    ["group-text-mention", "mention", null, "hello"],
    ["group-reply", "mention", null, "and prod?"],
    ["photo-caption-mention", "mention", null, "what is this?"],
    ["group-other-mention", "ambient", null, "@bob hello"],
    ["group-ambient", "ambient", null, "just talking"],
    ["topic-opened-by-bot", "ambient", null, "just talking"],
  ] as const)("%s is a %s", (name, trigger, command, text) => {
    expect(of(name)).toMatchObject({ trigger, command, text });
  });

  it("is /help where a private chat is begun, and what a link has to say stays", () => {
    const begun = fixture("private-command").replaceAll(/\/start[^"]*/g, "/start");
    expect(eventOf(begun)).toMatchObject({ trigger: "command", command: "/help", text: "" });
    expect(of("private-command")).toMatchObject({ command: "/start", text: "deep-link" });
  });

  it("is recognised by the ending of the name until the name is known", () => {
    const nameless = { ...BOT, username: null };
    expect(eventOf(fixture("group-command"), nameless)).toMatchObject({ command: "/deploy", text: "api" });
    expect(eventOf(fixture("topic"), nameless)).toMatchObject({ trigger: "mention", text: "hi" });
    expect(eventOf(fixture("group-other-mention"), nameless)).toMatchObject({ trigger: "ambient" });
  });

  it("is not what is addressed to a bot of another name", () => {
    const other = { ...BOT, username: "gw_test_bot" };
    expect(parse(fixture("group-command"), other)).toMatchObject({ reason: "other_bot_command" });
    expect(eventOf(fixture("topic"), other)).toMatchObject({ trigger: "ambient", text: "@gw_bot hi" });
  });
});

describe("a button", () => {
  it("is an event of the chat it stands in, at the time it was pressed", () => {
    expect(of("button")).toEqual({
      id: "telegram:77:1005",
      aliases: [],
      platform: "telegram",
      tenant: "77",
      place: "30",
      thread: null,
      conversation: "telegram:77:30",
      isDirect: true,
      sender: { id: "30", name: "Ann", isBot: false },
      trigger: "button",
      command: "retry:42",
      text: "retry:42",
      attachments: [],
      pressed: { kind: "button", label: null },
      context: [{ kind: "pressed", text: "done", author: null, attachments: [], atMs: 1_717_000_004_000 }],
      replyTo: JSON.stringify({
        kind: "message",
        chatId: "30",
        isPrivate: true,
        messageId: 9,
        callbackQueryId: "4382",
      }),
      occurredAtMs: NOW_MS,
    });
  });

  it("is named as the person saw it, with the message that it stands on", () => {
    expect(of("button-labelled")).toMatchObject({
      command: "go:1",
      text: "Yes, deploy",
      pressed: { kind: "button", label: "Yes, deploy" },
      context: [
        {
          kind: "pressed",
          text: "Deploy the pump controller?",
          author: { id: "77", name: "gw", isSelf: true },
        },
      ],
    });
    expect(of("button-inaccessible")).not.toHaveProperty("context");
  });

  it("in a topic stays in the topic", () => {
    expect(of("button-in-topic")).toMatchObject({ thread: "3", isDirect: false, command: "approve:7" });
  });

  it("on a message that Telegram no longer shows us still counts", () => {
    const event = of("button-inaccessible");
    expect(event).toMatchObject({ place: "-1001234567890", command: "retry:43", occurredAtMs: NOW_MS });
  });
});

describe("attachments", () => {
  it.each([
    ["file", "see", { id: "BQ1", kind: "document", name: "a.txt", mime: "text/plain", sizeBytes: 3 }],
    ["photo", "what is this?", { id: "P-large", kind: "image", name: null, mime: null, sizeBytes: 90_000 }],
    ["voice", "", { id: "V1", kind: "audio", name: null, mime: "audio/ogg", sizeBytes: 5120 }],
    ["audio", "", { id: "A1", kind: "audio", name: "song.mp3", mime: "audio/mpeg", sizeBytes: 5120 }],
    ["video", "", { id: "W1", kind: "video", name: null, mime: "video/mp4", sizeBytes: 7 }],
    ["animation", "", { id: "G1", kind: "video", name: "cat.mp4", mime: "video/mp4", sizeBytes: 7 }],
    ["sticker", "👍", { id: "S1", kind: "image", name: "sticker", mime: "image/webp", sizeBytes: 30 }],
    ["sticker-animated", "🔥", { id: "S2", kind: "other", name: "sticker", mime: null, sizeBytes: 30 }],
    ["location", "", { id: "location", kind: "location", name: "51.5,-0.12", mime: null, sizeBytes: null }],
    [
      "contact",
      "",
      { id: "contact", kind: "contact", name: "Bob, +447700900123", mime: null, sizeBytes: null },
    ],
  ])("of %s come with what was said", (name, text, attachment) => {
    expect(of(name)).toMatchObject({ trigger: "direct", text });
    expect(of(name).attachments).toEqual([attachment]);
  });

  it("of an album: the part with the caption asks, the others are ignored", () => {
    expect(of("album-captioned")).toMatchObject({ trigger: "direct", text: "compare these" });
    expect(parse(fixture("album-part"))).toMatchObject({ kind: "ignored", reason: "album_part" });
  });
});

describe("a message without words", () => {
  it.each([
    ["venue", "Pump house 7, Dike road 3\n51.5,-0.12"],
    ["checklist", "Round\n☑ Grease bearing\n☐ Check seal"],
    ["poll", "Drain on Monday? (closed)\n- Yes (3)\n- No"],
    ["dice", "🎲 5"],
    ["paid-media", "Paid media, for 5 stars"],
    ["story", "A story of Bob Miller"],
    ["gift", "A gift\nFor the new boiler"],
    ["game", "Valves\nTurn them all"],
    ["invoice", "Gasket\nTwo inch\n250 in the smallest units of EUR"],
  ])("%s is read as the words in it", (name, text) => {
    expect(of(name)).toMatchObject({ trigger: "direct", command: null, text });
  });

  it("names a place and a person in full", () => {
    expect(of("venue").attachments).toMatchObject([{ kind: "location", name: "Pump house 7, Dike road 3" }]);
    expect(of("contact-named").attachments).toMatchObject([{ name: "Bob Miller, +447700900123" }]);
  });
});

describe("what a message refers to", () => {
  const bob = { id: "31", name: "Bob Miller" };

  it("is the message that it replies to, with its author", () => {
    expect(of("reply-to-other")).toMatchObject({ trigger: "mention", text: "is that so?" });
    expect(of("reply-to-other").context).toEqual([
      {
        kind: "quoted",
        text: "Boiler two is at 140 degrees",
        author: bob,
        attachments: [],
        atMs: 1_717_000_250_000,
      },
    ]);
  });

  it("is first the part that was chosen, and is known as the bot's own words", () => {
    const author = { id: "77", name: "gw", isSelf: true };
    expect(of("reply-quote").context).toMatchObject([
      { kind: "quoted", text: "Guten Morgen.", author },
      { kind: "quoted", text: "Guten Morgen. Die Pumpe läuft.", author },
    ]);
    expect(of("group-reply").context).toMatchObject([{ kind: "quoted", text: "done", author }]);
  });

  it("has its caption and its files", () => {
    expect(of("reply-file").context).toMatchObject([
      {
        text: "The new plan",
        author: { id: "-1009", name: "Cara, Water News" },
        attachments: [{ id: "BQ7", kind: "document", name: "plan.pdf" }],
      },
    ]);
    expect(of("reply-file").attachments).toEqual([]);
  });

  it("may stand in another chat", () => {
    expect(of("reply-external").context).toMatchObject([
      { kind: "quoted", text: "High water at ten", author: { id: "-1008", name: "Dora, Weather" } },
      { kind: "quoted", text: "Weir four, River lane 9\n52.5,13.4", attachments: [{ kind: "location" }] },
    ]);
  });

  it("may be one task of a list", () => {
    expect(of("reply-task").context).toMatchObject([
      { text: "Check seal", author: bob },
      { text: "Round\n☐ Grease bearing\n☐ Check seal" },
    ]);
  });

  it("may be a story, of which Telegram tells whose it is", () => {
    expect(of("reply-story").context).toMatchObject([{ kind: "quoted", text: "A story of Harbour" }]);
  });

  it("is not the opening of a topic", () => {
    expect(of("topic-opened-by-bot")).not.toHaveProperty("context");
  });

  it("is what was passed on, which the person who passes it on did not say", () => {
    expect(of("forward-user")).toMatchObject({
      trigger: "direct",
      text: "",
      context: [{ kind: "forwarded", text: "Pump seven leaks", author: bob, atMs: 1_716_990_001_000 }],
    });
    expect(of("forward-hidden")).toMatchObject({
      trigger: "direct",
      command: null,
      text: "",
      attachments: [{ id: "PF", kind: "image" }],
      context: [{ kind: "forwarded", text: "/deploy now", author: { id: null, name: "Erin" } }],
    });
    expect(of("forward-venue")).toMatchObject({
      text: "",
      context: [{ text: "Pump house 7, Dike road 3\n51.5,-0.12", author: { id: "-1007", name: "Crew" } }],
    });
  });
});

describe("what starts no run", () => {
  it.each([
    ["edit", "edit"],
    ["channel-post", "channel_post"],
    ["business", "business"],
    ["blocked", "my_chat_member"],
    ["reaction", "message_reaction"],
    ["from-the-future", "unknown_update"],
    ["other-bot-command", "other_bot_command"],
    ["own-message", "own_message"],
    ["own-via-bot", "own_message"],
    ["automatic-forward", "channel_post"],
    ["joined", "service_message"],
    ["migrated", "chat_migrated"],
    ["no-author", "malformed_message"],
    ["bad-date", "malformed_message"],
  ])("%s is acknowledged and ignored as %s", (name, reason) => {
    expect(parse(fixture(name))).toEqual({ kind: "ignored", reason, ack: { status: 200 } });
  });

  it.each([
    ["button-inline", "inline_button"],
    ["button-game", "button_without_data"],
    ["button-business", "business"],
  ])("%s is acknowledged and ignored as %s, and its press is awaited", (name, reason) => {
    expect(parse(fixture(name))).toEqual({
      kind: "ignored",
      reason,
      ack: { status: 200 },
      awaited: expect.stringMatching(/^\{"kind":"callback","callbackQueryId":"[^"]+"\}$/),
    });
  });
});

describe("a broken request", () => {
  it.each([
    ['{"update_id":1,"message":null}'],
    ['{"update_id":1,"message":"hello"}'],
    ['{"update_id":1,"message":[]}'],
    ['{"update_id":1,"message":{}}'],
    ['{"update_id":1,"callback_query":{}}'],
    ['{"update_id":1,"callback_query":{"id":"1","from":{"id":30},"data":"x","message":{}}}'],
    ['{"update_id":1,"message":{"message_id":1,"date":1,"from":{"id":30},"chat":{"id":"30"}}}'],
    ['{"update_id":1,"message":{"message_id":1,"date":1,"from":{"id":30},"chat":{"id":1e300}}}'],
    ['{"update_id":1,"message":{"message_id":1.5,"date":1,"from":{"id":30},"chat":{"id":30},"text":"x"}}'],
    ['{"update_id":1,"message":{"message_id":1,"date":1e15,"from":{"id":30},"chat":{"id":30},"text":"x"}}'],
  ])("with an update_id does not hold up its chat: %s", (body) => {
    expect(parse(body)).toMatchObject({ kind: "ignored", reason: "malformed_message", ack: { status: 200 } });
  });

  it.each([
    ["", "Expected a JSON object, got an empty body"],
    ["[]", "Expected a JSON object, got an array"],
    ["{}", "Expected update_id to be an integer, got nothing"],
    ['{"update_id":"1"}', "Expected update_id to be an integer, got a string"],
    ['{"update_id":1.5}', "Expected update_id to be an integer, got a number"],
    ['{"update_id":9007199254740993}', "Expected update_id to be an integer, got a number"],
    ['{"__proto__":{"update_id":1}}', "Expected update_id to be an integer, got nothing"],
  ])("without one is refused, with the reason: %s", (body, message) => {
    expect(parse(body)).toEqual({ kind: "malformed", message });
  });

  it("of another media type is not read", () => {
    const form = post(fixture("private"), { "content-type": "application/x-www-form-urlencoded" });
    expect(parseUpdate(asVerified(form), BOT)).toEqual({
      kind: "unsupported",
      message: "Expected application/json, got application/x-www-form-urlencoded",
    });
    expect(parseUpdate(asVerified(post("{}", {})), BOT)).toMatchObject({ kind: "unsupported" });
    const withCharset = post(fixture("private"), { "content-type": "Application/JSON; charset=utf-8" });
    expect(parseUpdate(asVerified(withCharset), BOT)).toMatchObject({ kind: "events" });
  });
});

describe("whatever comes", () => {
  it("as bytes, is answered", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expectSound(parse(Buffer.from(bytes)));
      }),
    );
  });

  it("as JSON, is answered", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom("message", "callback_query", "poll"), (json, kind) => {
        const inbound = parse(`{"update_id":1,"${kind}":${json}}`);
        expect(inbound.kind).not.toBe("malformed");
        expectSound(inbound);
      }),
    );
  });

  it("as an update with some values replaced, is acknowledged, and its events are whole", () => {
    const fixtures = fixtureNames().map((name) => JSON.parse(fixture(name)) as Record<string, unknown>);
    const junk = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom<unknown>("", "\ud800", -1, 0, 2 ** 60, 1e308, [], {}, null),
      fc.record({
        offset: fc.integer(),
        length: fc.integer(),
        type: fc.constantFrom("mention", "bot_command"),
      }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...fixtures),
        fc.array(fc.tuple(fc.nat(), junk), { minLength: 1, maxLength: 4 }),
        (update, changes) => {
          let changed: unknown = update;
          for (const [at, value] of changes) changed = replaceAt(changed, at, value);
          const inbound = parse(JSON.stringify({ ...(changed as object), update_id: 1 }));
          expect(["events", "ignored"]).toContain(inbound.kind);
          expectSound(inbound);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

/** A copy with the value at the `index`-th place (depth first, going round) replaced. */
function replaceAt(root: unknown, index: number, value: unknown): unknown {
  const copy = structuredClone(root);
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const walk = (node: unknown) => {
    if (typeof node !== "object" || node === null) return;
    const holder = node as Record<string, unknown>;
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      walk(holder[key]);
    }
  };
  walk(copy);
  const place = places[index % places.length];
  if (place !== undefined) place.holder[place.key] = value;
  return copy;
}

function expectSound(inbound: Inbound): void {
  if (inbound.kind === "malformed" || inbound.kind === "unsupported") {
    expect(inbound.message).toMatch(/^Expected /);
    return;
  }
  expect(inbound.kind).not.toBe("handshake");
  expect(inbound.ack).toEqual({ status: 200 });
  if (inbound.kind === "ignored") expect(inbound.reason).toMatch(/^[a-z_]{3,40}$/);
  if (inbound.kind === "events") for (const event of inbound.events) expectWhole(event);
}

function expectWhole(event: TriggerEvent): void {
  expect(JSON.parse(JSON.stringify(event))).toEqual(event);
  expect(event.id).toMatch(/^telegram:77:-?\d+$/);
  // A message comes with one update_id only; senders of made-up updates repeat the message_id.
  expect(event.aliases).toEqual([]);
  expect(event.conversation).toMatch(/^telegram:77:-?\d+(:-?\d+)?$/);
  expect(event.place).toMatch(/^-?\d+$/);
  expect(event.sender.id).toMatch(/^-?\d+$/);
  expect(event.sender.name).not.toBe("");
  expect(event.sender.name.isWellFormed()).toBe(true);
  expect(event.text.isWellFormed()).toBe(true);
  for (const { text, author } of event.context ?? []) {
    expect(text.isWellFormed()).toBe(true);
    expect(author === null || author.name.isWellFormed()).toBe(true);
  }
  expect(event.command).not.toBe("");
  expect(Number.isSafeInteger(event.occurredAtMs)).toBe(true);
  expect(new Date(event.occurredAtMs).getTime()).toBe(event.occurredAtMs);
}
