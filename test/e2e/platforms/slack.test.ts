import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SampleRequest } from "../../../adapters/shared/sample.ts";
import { longText } from "../../../src/models/demo-script.ts";
import { type FakeSlack, slackSigned } from "../../fakes/slack.ts";
import { type Setup, startWithPlatforms } from "../gateway-with-platforms.ts";
import { deliver, type MessageOptions, SECRETS, seenOn, webhook, withoutSpace } from "../platforms.ts";

let setup: Setup;
let slack: FakeSlack;
beforeAll(async () => {
  setup = await startWithPlatforms();
  slack = setup.platforms.slack;
});
afterAll(() => setup[Symbol.asyncDispose]());

async function send(options: MessageOptions): Promise<string> {
  const request = webhook("slack", options);
  expect(await post(request)).toEqual({ status: 200, text: "" });
  return tsOf(request);
}

async function post(request: SampleRequest): Promise<{ status: number; text: string }> {
  const { status, text } = await deliver(setup.gateway.url, request);
  return { status, text };
}

function tsOf({ headers, body }: SampleRequest): string {
  return headers["content-type"] === "application/json" ? JSON.parse(body).event.ts : "";
}

/** The same request with other event fields, signed anew. */
function changed(request: SampleRequest, id: string, event: Record<string, unknown>): SampleRequest {
  const envelope = JSON.parse(request.body);
  const body = { ...envelope, event_id: id, event: { ...envelope.event, ...event } };
  const options = { secret: SECRETS.SLACK_SIGNING_SECRET, nowMs: Date.now() };
  return { ...request, ...slackSigned(JSON.stringify(body), options) };
}

/** What was said in a thread, once it holds this many messages. */
function thread(channel: string, ts: string | null, count: number): Promise<string[]> {
  return seenOn(slack, () => {
    const texts = slack.messages
      .filter((message) => message.channel === channel && message.threadTs === ts)
      .map(({ text }) => text);
    return texts.length >= count ? texts : undefined;
  });
}

/** What was said through a `response_url`: each slash command and button has its own. */
function response(text: string) {
  return seenOn(slack, () =>
    slack.messages.find((message) => message.via === "response_url" && message.text.includes(text)),
  );
}

describe("Slack, end to end", () => {
  it("gets its challenge back", async () => {
    expect(await post(webhook("slack", { kind: "url_verification", text: "challenge-1" }))).toEqual({
      status: 200,
      text: '{"challenge":"challenge-1"}',
    });
  });

  it("is answered in the thread of a mention, with a status meanwhile", async () => {
    const ts = await send({ channel: "C10", text: "hello\ndemo: sleep 900ms" });
    expect(await thread("C10", ts, 1)).toEqual(["You said: hello"]);
    expect(slack.statuses).toContainEqual({
      channel: "C10",
      threadTs: ts,
      status: "is working on it…",
    });
  });

  it("is answered once when one mention comes as two events and each of them twice", async () => {
    const mention = webhook("slack", { channel: "C11", text: "once" });
    const twin = changed(mention, "EvTwin", { type: "message", channel_type: "channel" });
    const retry = { ...mention, headers: { ...mention.headers, "x-slack-retry-num": "1" } };
    const answers = await Promise.all([mention, twin, retry, twin].map(post));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await send({ kind: "thread", channel: "C11", thread: tsOf(mention), text: "next" });
    expect(await thread("C11", tsOf(mention), 2)).toEqual(["You said: once", "You said: next"]);
  });

  describe("a mention with a file, which comes twice, once without the file", () => {
    const FILES = [{ id: "F1", name: "pump.pdf", mimetype: "application/pdf", size: 3 }];
    const text = "what is this?\ndemo: prompt";
    const shownFile = expect.stringMatching(/pump\.pdf/);

    /** The two deliveries of one message. */
    function twins(channel: string, files?: object) {
      const mention = webhook("slack", { channel, text });
      const share = { type: "message", subtype: "file_share", channel_type: "channel", files: FILES };
      return { mention, twin: changed(mention, `EvTwinOf${channel}`, { ...share, ...files }) };
    }

    /** Posts them one after the other; gives all that was said in the thread once a follow-up is answered. */
    async function answersTo(channel: string, requests: readonly SampleRequest[]): Promise<string[]> {
      for (const request of requests) expect(await post(request)).toEqual({ status: 200, text: "" });
      return await allOf(channel, requests);
    }
    async function allOf(channel: string, [first]: readonly SampleRequest[]): Promise<string[]> {
      const ts = first === undefined ? "" : tsOf(first);
      await send({ kind: "thread", channel, thread: ts, text: "next" });
      return await thread(channel, ts, 2);
    }

    it.each([
      ["without it first", "C70", ["mention", "twin"]],
      ["with it first", "C71", ["twin", "mention"]],
      ["each again", "C72", ["mention", "twin", "mention", "twin"]],
    ] as const)("is run once, with the file: %s", async (_, channel, order) => {
      const both = twins(channel);
      const [answer, next, ...more] = await answersTo(
        channel,
        order.map((name) => both[name]),
      );
      expect([answer, next, more]).toEqual([shownFile, "You said: next", []]);
    });

    it("is run once when the other has no files either, or does not come", async () => {
      const { mention, twin } = twins("C73", { subtype: undefined, files: undefined });
      const [answer = "", ...more] = await answersTo("C73", [mention, twin]);
      expect(answer).toMatch(/what is this\?/);
      expect(answer).not.toMatch(/pump/);
      expect(more).toEqual(["You said: next"]);
      const alone = webhook("slack", { channel: "C74", text: "alone" });
      expect(await answersTo("C74", [alone])).toEqual(["You said: alone", "You said: next"]);
    });

    it("is not run again when the file comes after the answer", async () => {
      const { mention, twin } = twins("C75");
      expect(await post(mention)).toEqual({ status: 200, text: "" });
      const [answer] = await thread("C75", tsOf(mention), 1);
      expect(answer).not.toMatch(/pump/);
      expect(await post(twin)).toEqual({ status: 200, text: "" });
      expect(await allOf("C75", [mention])).toEqual([answer, "You said: next"]);
    });
  });

  it("needs no mention in a thread that the bot takes part in, and only there", async () => {
    expect((await post(webhook("slack", { kind: "message", channel: "C12", text: "room" }))).status).toBe(
      200,
    );
    await send({ kind: "thread", channel: "C12", thread: "1700000000.000001", text: "elsewhere" });
    const ts = await send({ channel: "C12", text: "start" });
    await send({ kind: "thread", channel: "C12", thread: ts, text: "and on" });
    expect(await thread("C12", ts, 2)).toEqual(["You said: start", "You said: and on"]);
    expect(slack.messages.filter(({ channel }) => channel === "C12")).toHaveLength(2);
  });

  it("is not answered for edits, deletions and the bot's own messages", async () => {
    const ts = await send({ channel: "C13", text: "first" });
    const message = webhook("slack", { kind: "thread", channel: "C13", thread: ts, text: "no" });
    const ignored = [
      changed(message, "EvEdit", { subtype: "message_changed", message: { text: "edited" } }),
      changed(message, "EvGone", { subtype: "message_deleted" }),
      changed(message, "EvOwn", { user: "UBOT" }),
      changed(message, "EvApp", { app_id: "A1", bot_id: "B1" }),
    ];
    for (const request of ignored) expect(await post(request)).toEqual({ status: 200, text: "" });
    await send({ kind: "thread", channel: "C13", thread: ts, text: "last" });
    expect(await thread("C13", ts, 2)).toEqual(["You said: first", "You said: last"]);
  });

  it("is answered under a direct message", async () => {
    const ts = await send({ kind: "dm", channel: "D10", text: "psst" });
    expect(await thread("D10", ts, 1)).toEqual(["You said: psst"]);
  });

  it("is answered through the response_url: to one person for a command, to all for a button", async () => {
    await send({ kind: "slash", channel: "C14", text: "/ask what now" });
    expect(await response("You said: what now")).toMatchObject({ visibleTo: "whoever asked" });
    await send({ kind: "button", channel: "C14", thread: "1700000000.000002", text: "chosen" });
    expect(await response("You said: chosen")).toMatchObject({
      visibleTo: null,
      threadTs: "1700000000.000002",
    });
  });

  it("takes control commands, which overtake the run that they are about", async () => {
    const say = (text: string) => send({ kind: "slash", channel: "C15", text });
    await say("/parley help");
    await response("forget this conversation");
    await say("/ask demo: sleep 30s");
    await say("/status");
    await response("I am working on an answer");
    await say("/stop");
    await response("Stopping.");
    await response("Stopped.");
    await say("/reset");
    await response("I have forgotten this conversation");
  });

  it("gets a long answer in order, nothing cut and nothing twice", async () => {
    const ts = await send({ channel: "C16", text: "demo: long 9000" });
    const parts = await thread("C16", ts, 3);
    expect(parts.every((part) => part.length <= 3_900)).toBe(true);
    expect(withoutSpace(parts.join(""))).toBe(withoutSpace(longText(9_000)));
  });

  it("gets Markdown in its own dialect, and nobody is pinged by it", async () => {
    const ts = await send({ channel: "C17", text: "demo: markdown" });
    const [text = ""] = await thread("C17", ts, 1);
    expect(text).toContain("*bold*");
    expect(text).toContain("<https://example.com/a?b=1&amp;c=2|a link>");
    expect(text).not.toMatch(/<!channel>|\*\*bold/);
    const ping = await send({ channel: "C17", text: "<!channel> <@U2> @here" });
    const [echo = ""] = await thread("C17", ping, 1);
    expect(echo).toMatch(/^You said: /);
    expect(echo).not.toMatch(/<[!@]|@here/);
  });
});
