import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SampleRequest } from "../../../adapters/shared/sample.ts";
import { longText } from "../../../src/models/demo-script.ts";
import type { FakeMessage, FakeTelegram } from "../../fakes/telegram.ts";
import { type Setup, startWithPlatforms } from "../gateway-with-platforms.ts";
import { deliver, type MessageOptions, seenOn, webhook, withoutSpace } from "../platforms.ts";

let setup: Setup;
let telegram: FakeTelegram;
beforeAll(async () => {
  setup = await startWithPlatforms();
  telegram = setup.platforms.telegram;
});
afterAll(() => setup[Symbol.asyncDispose]());

async function send(options: MessageOptions): Promise<void> {
  expect(await post(webhook("telegram", options))).toEqual({ status: 200, text: "" });
}

async function post(request: SampleRequest): Promise<{ status: number; text: string }> {
  const { status, text } = await deliver(setup.gateway.url, request);
  return { status, text };
}

/** The same update with other fields; Telegram signs nothing, so there is nothing to sign anew. */
function changed(request: SampleRequest, change: (update: Record<string, unknown>) => object): SampleRequest {
  return { ...request, body: JSON.stringify(change(JSON.parse(request.body))) };
}

/** What was said in a chat, once that is so many messages. */
function chat(id: number, count: number): Promise<readonly FakeMessage[]> {
  return seenOn(telegram, () => {
    const found = telegram.messages.filter(({ chatId }) => chatId === id);
    return found.length >= count ? found : undefined;
  });
}

async function texts(id: number, count: number): Promise<string[]> {
  return (await chat(id, count)).map(({ text }) => text);
}

describe("Telegram, end to end", () => {
  it("is answered in a private chat, and sees the bot typing meanwhile", async () => {
    await send({ channel: "2010", text: "hello\ndemo: sleep 1500ms" });
    expect(await chat(2010, 1)).toMatchObject([{ text: "You said: hello", threadId: null, replyTo: null }]);
    expect(telegram.actions).toContainEqual({ chatId: 2010, threadId: null, action: "typing" });
  });

  it.each([
    ["mention", -2011],
    ["command", -2012],
    ["reply", -2013],
  ])("is answered in a group for a %s, as a reply to it", async (kind, group) => {
    const request = webhook("telegram", { kind, channel: String(group), text: kind });
    expect((await post(request)).status).toBe(200);
    expect(await chat(group, 1)).toMatchObject([
      { text: `You said: ${kind}`, replyTo: JSON.parse(request.body).message.message_id },
    ]);
  });

  it("is answered in the topic", async () => {
    await send({ kind: "topic", channel: "-2020", thread: "5", text: "in here" });
    expect(await chat(-2020, 1)).toMatchObject([{ text: "You said: in here", threadId: 5 }]);
  });

  it("keeps the people who write to a channel apart: what is said, running, stopped and forgotten", async () => {
    const channel = -2040;
    telegram.directMessages.add(channel);
    const say = async (topic_id: number, text: string) => {
      const request = changed(
        webhook("telegram", { kind: "message", channel: String(channel), user: String(topic_id), text }),
        (update) => {
          const message = update.message as object;
          const chat = { id: channel, title: "Water News", type: "supergroup", is_direct_messages: true };
          return { ...update, message: { ...message, chat, direct_messages_topic: { topic_id } } };
        },
      );
      expect((await post(request)).status).toBe(200);
    };
    const told = (topic: number, text: string) =>
      seenOn(telegram, () =>
        telegram.messages.find(
          (one) => one.chatId === channel && one.directTopicId === topic && one.text.includes(text),
        ),
      );
    await say(501, "8841 is mine");
    await told(501, "You said: 8841 is mine");
    await say(502, "which do you know?\ndemo: prompt");
    expect(await told(502, "which do you know?")).toMatchObject({
      text: expect.not.stringContaining("8841"),
    });
    await say(501, "demo: prompt");
    await told(501, "8841 is mine\nassistant: You said: 8841 is mine");
    await say(501, "8841 is still mine\ndemo: sleep 30s");
    await say(501, "/status");
    await told(501, "I am working on an answer");
    // 502 has nothing running, nothing to stop, and is not kept waiting by 501.
    await say(502, "/status");
    await told(502, "Nothing is running in this conversation.");
    await say(502, "/stop");
    await told(502, "Nothing is running here.");
    await say(502, "which do you know?");
    await told(502, "You said: which do you know?");
    await say(502, "/reset");
    await told(502, "I have forgotten this conversation");
    expect(telegram.messages.filter((one) => one.directTopicId === 501)).toHaveLength(3);
    await say(501, "/stop");
    await told(501, "Stopped.");
    const mixed = telegram.messages.filter((one) => one.directTopicId === 502 && one.text.includes("8841"));
    expect(mixed).toEqual([]);
  });

  it("shows the agent what a message replies to, and who wrote that", async () => {
    const request = changed(
      webhook("telegram", { kind: "mention", channel: "-2041", text: "demo: prompt" }),
      (update) => {
        const message = update.message as { chat: object };
        const from = { id: 31, is_bot: false, first_name: "Bob" };
        const original = { message_id: 7, from, chat: message.chat, date: 1, text: "Boiler two is at 140" };
        return { ...update, message: { ...message, reply_to_message: original } };
      },
    );
    expect((await post(request)).status).toBe(200);
    const [first] = await texts(-2041, 1);
    expect(first).toContain("Bob: Boiler two is at 140\n");
  });

  it("is answered for a captioned file and for a button, whose spinner stops", async () => {
    await send({ kind: "caption", channel: "2021", text: "look" });
    await send({ kind: "button", id: "770001", channel: "2021", text: "yes" });
    expect(await texts(2021, 2)).toEqual(["You said: look", "You said: yes"]);
    expect(telegram.answered).toEqual(["callback-770001"]);
  });

  it("is answered once when an update is delivered three times", async () => {
    const request = webhook("telegram", { channel: "2022", text: "once" });
    const answers = await Promise.all([request, request, request].map(post));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await send({ channel: "2022", text: "next" });
    expect(await texts(2022, 2)).toEqual(["You said: once", "You said: next"]);
  });

  it("is not answered for edits, for its own messages, and in a group without being addressed", async () => {
    const request = webhook("telegram", { channel: "-2023", kind: "mention", text: "first" });
    expect((await post(request)).status).toBe(200);
    await texts(-2023, 1);
    const ignored = [
      changed(request, ({ update_id, message }) => ({
        update_id: Number(update_id) + 800_000,
        edited_message: message,
      })),
      changed(webhook("telegram", { channel: "-2023", kind: "mention", text: "own" }), (update) => ({
        ...update,
        message: { ...(update.message as object), from: { id: 77, is_bot: true, first_name: "Parley" } },
      })),
      changed(webhook("telegram", { channel: "-2023", kind: "mention", text: "ambient" }), (update) => ({
        ...update,
        message: { ...(update.message as object), text: "ambient", entities: [] },
      })),
    ];
    for (const one of ignored) expect(await post(one)).toEqual({ status: 200, text: "" });
    await send({ channel: "-2023", kind: "mention", text: "last" });
    expect(await texts(-2023, 2)).toEqual(["You said: first", "You said: last"]);
  });

  it("takes control commands, which overtake the run that they are about", async () => {
    const say = (text: string) => send({ channel: "2024", text });
    const answer = (text: string) =>
      seenOn(telegram, () => telegram.messages.find((one) => one.chatId === 2024 && one.text.includes(text)));
    await say("/help");
    await answer("forget this conversation");
    await say("demo: sleep 30s");
    await say("/status");
    await answer("I am working on an answer");
    await say("/stop");
    await answer("Stopping.");
    await answer("Stopped.");
    await say("/reset");
    await answer("I have forgotten this conversation");
  });

  it("gets a long answer in order, nothing cut and nothing twice", async () => {
    await send({ channel: "2025", text: "demo: long 9000" });
    const parts = await texts(2025, 3);
    expect(withoutSpace(parts.join(""))).toBe(withoutSpace(longText(9_000)));
  });

  it("gets Markdown as markup that Telegram accepts, and nobody is pinged by it", async () => {
    await send({ channel: "2026", text: "hi @ann\ndemo: markdown" });
    const [first] = await chat(2026, 1);
    expect(first).toMatchObject({ asHtml: true });
    expect(first?.text).not.toMatch(/\*\*|@ann/);
  });
});
