import { describe, expect, it } from "vitest";
import { readAddress } from "../../../adapters/discord/address.ts";
import { type MessageOptions, readMessage } from "../../../adapters/discord/message.ts";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { JsonObject } from "../../../src/shared/json.ts";
import { bodyOf } from "./fixture.ts";

const self = { applicationId: "900", userId: "900" };
const IN_CHANNEL = { guildId: "10", isThread: false, parentId: null };
const IN_THREAD = { guildId: "10", isThread: true, parentId: "20" };
const IN_PRIVATE = { guildId: null, isThread: false, parentId: null };

/** The message of a recorded dispatch. */
function recorded(name: string, over: JsonObject = {}): JsonObject {
  return { ...(bodyOf(name).d as JsonObject), ...over };
}

function read(message: JsonObject, over: Partial<MessageOptions> = {}) {
  return readMessage(message, { self, place: IN_CHANNEL, replies: "reply", ...over });
}

function eventOf(message: JsonObject, over: Partial<MessageOptions> = {}): TriggerEvent {
  const inbound = read(message, over);
  if (inbound.kind !== "events") throw new Error(`Expected an event, got ${JSON.stringify(inbound)}`);
  return inbound.events[0] as TriggerEvent;
}

describe("a message that somebody writes", () => {
  it("is for us when it names the bot, without the name", () => {
    expect(eventOf(recorded("gateway-message"))).toMatchObject({
      id: "discord:900:message:52",
      platform: "discord",
      tenant: "10",
      place: "20",
      thread: null,
      conversation: "discord:10:20",
      isDirect: false,
      sender: { id: "30", name: "Ann", isBot: false },
      trigger: "mention",
      command: null,
      text: "deploy api",
      attachments: [{ id: "60", name: "a.txt", mime: "text/plain", sizeBytes: 3, kind: "document" }],
      occurredAtMs: Date.parse("2024-05-29T16:26:40Z"),
    });
  });

  it("is answered where it was written, beneath it", () => {
    expect(readAddress(eventOf(recorded("gateway-message")).replyTo)).toEqual({
      kind: "message",
      id: "52",
      channelId: "20",
      guildId: "10",
    });
  });

  it("is answered in a thread of its own where that is wanted, which is a conversation of its own", () => {
    const event = eventOf(recorded("gateway-message"), { replies: "thread" });
    expect(readAddress(event.replyTo)).toMatchObject({ id: "52", opensThread: "deploy api" });
    // What is said in the thread later has the thread's id, which is that of the message.
    expect(event.conversation).toBe("discord:10:52");
    const within = eventOf(recorded("gateway-message"), { replies: "thread", place: IN_THREAD });
    expect(readAddress(within.replyTo)).not.toHaveProperty("opensThread");
  });

  it("is answered with embeds where those are wanted, in whichever place", () => {
    const embeds = (over: Partial<MessageOptions>) =>
      readAddress(eventOf(recorded("gateway-message"), over).replyTo)?.embeds;
    expect(embeds({})).toBeUndefined();
    expect(embeds({ embeds: true })).toBe(true);
    expect(embeds({ embeds: true, replies: "thread" })).toBe(true);
  });

  it("gives a thread the first line as its name, as long as Discord takes it", () => {
    const named = (content: string) =>
      readAddress(eventOf(recorded("gateway-message", { content }), { replies: "thread" }).replyTo);
    expect(named("<@900> one\ntwo")).toMatchObject({ opensThread: "one" });
    expect(named(`<@900> ${"👍".repeat(300)}`)).toMatchObject({ opensThread: "👍".repeat(100) });
    expect(named("<@900>")).toMatchObject({ opensThread: "Answer" });
  });

  it("is for us when it replies to the bot, and shows what it replies to", () => {
    const event = eventOf(recorded("gateway-reply"), { place: IN_THREAD });
    expect(event).toMatchObject({ trigger: "mention", text: "again", place: "20", thread: "51" });
    expect(event.context).toMatchObject([
      { kind: "quoted", text: "done", author: { id: "900", isSelf: true } },
    ]);
    const toAnother = recorded("gateway-reply", { referenced_message: { id: "1", author: { id: "31" } } });
    expect(eventOf(toAnother).trigger).toBe("ambient");
    expect(eventOf(toAnother, { place: IN_THREAD }).trigger).toBe("thread");
  });

  it("is private without a server, to each of its people", () => {
    const event = eventOf(recorded("gateway-direct"), { place: IN_PRIVATE });
    expect(event).toMatchObject({
      trigger: "direct",
      tenant: "dm",
      place: "70",
      isDirect: true,
      conversation: "discord:dm:70:30",
    });
  });

  it("shares its conversation with the interactions of the same place", async () => {
    const { readInteraction } = await import("../../../adapters/discord/event.ts");
    const delivered = { applicationId: "900", receivedAtMs: 0, sentAtMs: 0 };
    const of = (name: string) => {
      const inbound = readInteraction(bodyOf(name), delivered);
      return inbound.kind === "events" ? inbound.events[0]?.conversation : undefined;
    };
    expect(of("slash")).toBe(eventOf(recorded("gateway-message")).conversation);
    expect(of("thread")).toBe(eventOf(recorded("gateway-reply"), { place: IN_THREAD }).conversation);
  });

  it.each([
    ["own_message", { author: { id: "900", username: "bot", bot: true } }],
    ["own_message", { application_id: "900", author: { id: "901" } }],
    ["webhook", { webhook_id: "77" }],
    ["system_message", { type: 7 }],
    ["system_message", { type: 18 }],
  ])("is ignored as %s: %j", (reason, over) => {
    expect(read(recorded("gateway-message", over))).toMatchObject({ kind: "ignored", reason });
  });

  it("of another bot is known as such, for the policy to decide", () => {
    const author = { id: "31", username: "helper", bot: true };
    expect(eventOf(recorded("gateway-message", { author })).sender).toMatchObject({ isBot: true });
  });

  it("without all that it says, as where the content is not ours to read, is ignored", () => {
    const empty = { content: "", attachments: [], embeds: [], mentions: [] };
    expect(read(recorded("gateway-message", empty))).toMatchObject({ kind: "ignored", reason: "no_content" });
    // A bare mention is somebody who calls.
    expect(eventOf(recorded("gateway-message", { content: "<@900>", attachments: [] })).text).toBe("");
  });

  it("brings what was forwarded, and the cards and components that a service shows", () => {
    const forwarded = {
      content: "",
      message_snapshots: [{ message: { content: "Compressor six is loud", attachments: [{ id: "61" }] } }],
    };
    expect(eventOf(recorded("gateway-direct", forwarded), { place: IN_PRIVATE }).context).toMatchObject([
      { kind: "forwarded", text: "Compressor six is loud", author: null, attachments: [{ id: "61" }] },
    ]);
    const card = { content: "", embeds: [{ title: "Alert", description: "Fan three stopped" }] };
    expect(eventOf(recorded("gateway-direct", card), { place: IN_PRIVATE }).context).toMatchObject([
      { kind: "embedded", text: "Alert\nFan three stopped" },
    ]);
    const components = {
      content: "",
      components: [{ type: 17, components: [{ type: 10, content: "Hot" }] }],
    };
    expect(eventOf(recorded("gateway-direct", components), { place: IN_PRIVATE }).context).toMatchObject([
      { kind: "embedded", text: "Hot" },
    ]);
  });

  it("leaves out the preview of a link, which is nobody's word", () => {
    const preview = { embeds: [{ type: "article", title: "Somewhere" }] };
    expect(eventOf(recorded("gateway-direct", preview), { place: IN_PRIVATE }).context).toBeUndefined();
  });

  it("reads as it was typed: people by name, pictures by theirs", () => {
    const content = "<@!900>: ask <@31> in <#40> about <:wave:7> <a:spin:8> and <@&5>, <@900>";
    const mentions = [
      { id: "900", username: "bot" },
      { id: "31", username: "bob", member: { nick: "Bobby" } },
    ];
    const event = eventOf(recorded("gateway-message", { content, mentions }));
    expect(event.text).toBe("ask @Bobby in #40 about :wave: :spin: and @5,");
    // What Discord does not tell is looked up afterwards.
    expect(event.mentions).toEqual([
      { kind: "person", id: "31", name: "Bobby" },
      { kind: "channel", id: "40", name: null },
      { kind: "group", id: "5", name: null },
    ]);
  });

  it("reads in the same way what it replies to and what it passes on", () => {
    const written = { content: "<@900> <@31> look into <#40> :)", mentions: [{ id: "31", username: "bob" }] };
    const reply = recorded("gateway-reply", { referenced_message: { ...written, id: "52" } });
    const wanted = {
      text: "@900 @bob look into #40 :)",
      mentions: [
        { kind: "person", id: "31", name: "bob" },
        { kind: "person", id: "900", name: null },
        { kind: "channel", id: "40", name: null },
      ],
    };
    expect(eventOf(reply).context).toMatchObject([{ kind: "quoted", ...wanted }]);
    const forwarded = recorded("gateway-message", { content: "", message_snapshots: [{ message: written }] });
    expect(eventOf(forwarded).context).toMatchObject([{ kind: "forwarded", ...wanted }]);
  });

  it.each([
    ["id", { id: 52 }],
    ["channel_id", { channel_id: "x" }],
    ["author.id", { author: {} }],
  ])("with a wrong %s is malformed", (where, over) => {
    expect(read(recorded("gateway-message", over))).toMatchObject({
      kind: "malformed",
      message: expect.stringContaining(`Expected ${where} to be a string of digits, got `),
    });
  });
});
