import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SlackAdapter, SlackOptions } from "../../../adapters/slack/adapter.ts";
import type { ThreadPast } from "../../../src/ports/adapter.ts";
import { type FakeSlack, fakeSlack, slackError, slackRateLimited } from "../../fakes/slack.ts";
import { FakeClock } from "../../support/clock.ts";
import { adapterOf, eventOf, messageBody, NOW_MS, request, TOKEN } from "./setup.ts";

const ROOT = "1717000000.000100";
const never = new AbortController().signal;
const LIMITS = { messages: 50, characters: 20_000, waitMs: 5_000 };

let fake: FakeSlack;
let clock: FakeClock;
beforeEach(async () => {
  fake = await fakeSlack({ token: TOKEN });
  clock = new FakeClock(NOW_MS);
});
afterEach(() => fake.close());

const adapter = (over: Partial<SlackOptions> = {}): SlackAdapter =>
  adapterOf({ apiUrl: fake.apiUrl, clock, threadLimits: LIMITS, ...over });
const ts = (n: number) => `1717000${String(n).padStart(3, "0")}.000100`;
const question = (inner: object = {}) =>
  eventOf(
    request(messageBody({ text: "<@UBOT> what is the cause?", ts: ts(900), thread_ts: ROOT, ...inner })),
  );
const post = (n: number, text: string, more: object = {}, user = "U8") =>
  fake.post({ channel: "C1", ts: ts(n), threadTs: n === 0 ? null : ROOT, text, user, more });

function press(more: object = {}) {
  const payload = {
    type: "block_actions",
    user: { id: "U1", name: "ann", team_id: "T1" },
    api_app_id: "A1",
    team: { id: "T1" },
    channel: { id: "C1" },
    trigger_id: "1.2.def",
    container: { type: "message", message_ts: ts(6), channel_id: "C1" },
    message: { ts: ts(6), thread_ts: ROOT, user: "UBOT", app_id: "A1", text: "Restart it?" },
    response_url: "https://hooks.slack.com/actions/T1/1/x",
    actions: [{ type: "button", action_id: "go", text: { type: "plain_text", text: "Go" } }],
    ...more,
  };
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  return eventOf(request(body, "application/x-www-form-urlencoded"));
}

async function read(slack = adapter(), event = question()): Promise<ThreadPast> {
  if (slack.thread === undefined)
    throw new Error("Expected an adapter that reads threads, got one that does not");
  return await slack.thread.read(event, never);
}
const linesOf = ({ items }: ThreadPast) => items.map(({ author, text }) => `${author?.name}: ${text}`);
const argsOf = (call: number) => Object.fromEntries(new URLSearchParams(fake.calls[call]?.body));

describe("the thread that a mention stands in", () => {
  it("is read up to the question, each message with its author, its files and its time", async () => {
    post(0, "Pump nine fails at 06:10");
    post(5, "see <@U9> &amp; this", { files: [{ id: "F1", name: "log.txt" }] }, "U7");
    post(900, "<@UBOT> what is the cause?", {}, "U1");
    post(950, "said after the question");
    const past = await read();
    expect(past).toEqual({
      isWhole: true,
      items: [
        {
          kind: "thread",
          author: { id: "U8", name: "U8" },
          text: "Pump nine fails at 06:10",
          attachments: [],
          atMs: 1_717_000_000_000,
        },
        {
          kind: "thread",
          author: { id: "U7", name: "U7" },
          text: "see @U9 & this",
          attachments: [{ id: "F1", kind: "other", name: "log.txt", mime: null, sizeBytes: null }],
          atMs: 1_717_000_005_000,
          mentions: [{ kind: "person", id: "U9", name: null }],
        },
      ],
    });
    expect(argsOf(0)).toMatchObject({ channel: "C1", ts: ROOT, latest: ts(900), limit: "200" });
  });

  it("names people and apps as Slack does, and our own words as ours", async () => {
    const slack = adapter();
    await slack.learn(never);
    post(0, "root", { user_profile: { display_name: "bea", real_name: "Bea B" } });
    post(1, "alert", { subtype: "bot_message", username: "Alerts", bot_id: "B7" }, "");
    post(2, "from another process", {}, "UBOT");
    post(3, "by the token of the app", { bot_id: "B1" }, "U77");
    const { items } = await read(slack);
    expect(items.map(({ author }) => [author?.name, author?.isSelf === true])).toEqual([
      ["bea", false],
      ["Alerts", false],
      ["UBOT", true],
      ["U77", true],
    ]);
  });

  it("knows our own replies by their mark where Slack has not told who we are", async () => {
    post(0, "root");
    post(1, "ours", { metadata: { event_type: "parley_reply", event_payload: { part: "p" } } }, "U77");
    expect((await read()).items.map(({ author }) => author?.isSelf === true)).toEqual([false, true]);
  });

  it("is its first message and the newest, also over several pages", async () => {
    for (let n = 0; n < 450; n++) post(n, `m${n}`);
    const past = await read(adapter({ threadLimits: { ...LIMITS, messages: 4 } }));
    expect([linesOf(past), past.isWhole]).toEqual([["U8: m0", "U8: m447", "U8: m448", "U8: m449"], true]);
    expect(fake.calls).toHaveLength(3);
    expect((await read(adapter({ threadLimits: { ...LIMITS, messages: 1 } }))).items).toHaveLength(1);
  });

  it("holds no more characters than are allowed, the first message at most half of them", async () => {
    post(0, "r".repeat(5_000));
    for (let n = 1; n < 30; n++) post(n, `${n} `.padEnd(100, "x"));
    const past = await read(adapter({ threadLimits: { ...LIMITS, characters: 1_000 } }));
    const shown = linesOf(past);
    expect(shown[0]).toMatch(/^U8: r+ …$/);
    expect(shown.at(-1)).toMatch(/^U8: 29 /);
    expect(shown.join("\n").length).toBeLessThanOrEqual(1_000);
    expect(shown.join("\n").length).toBeGreaterThan(800);
  });

  it("leaves out what Slack itself says, and what says nothing", async () => {
    post(0, "root");
    post(1, "<@U5> has joined", { subtype: "channel_join" });
    post(2, "", {});
    post(3, "kept", { subtype: "thread_broadcast" });
    expect(linesOf(await read())).toEqual(["U8: root", "U8: kept"]);
  });

  it("shows what a message in it passed on, too", async () => {
    post(0, "", { attachments: [{ is_share: true, author_name: "Bea", text: "Pump seven leaks" }] });
    expect(linesOf(await read())).toEqual(["Bea: Pump seven leaks"]);
  });

  it("is nothing for the message that begins it", async () => {
    expect(await read(adapter(), question({ ts: ROOT }))).toEqual({ items: [], isWhole: true });
    expect(fake.calls).toEqual([]);
  });

  it("is read up to a press on a button in it, but for the message that holds the button", async () => {
    post(0, "Pump nine fails at 06:10");
    post(5, "seen it too", {}, "U7");
    post(6, "Restart it?", { app_id: "A1" }, "UBOT");
    expect(linesOf(await read(adapter(), press()))).toEqual([
      "U8: Pump nine fails at 06:10",
      "U7: seen it too",
    ]);
    expect(argsOf(0)).toMatchObject({ channel: "C1", ts: ROOT, latest: (NOW_MS / 1000).toFixed(6) });
  });

  it("is not read for a button that one person alone sees", async () => {
    post(0, "root");
    const container = { type: "message", message_ts: ts(6), channel_id: "C1", thread_ts: ROOT };
    const event = press({ message: undefined, container: { ...container, is_ephemeral: true } });
    expect(await read(adapter(), event)).toEqual({ items: [], isWhole: true });
    expect(fake.calls).toEqual([]);
  });

  it("is cut short by a failure on the way, and not whole then", async () => {
    for (let n = 0; n < 250; n++) post(n, `m${n}`);
    fake.faults.push({
      kind: "status",
      status: 500,
      match: ({ body }) => new URLSearchParams(body).has("cursor"),
    });
    const past = await read();
    expect([past.isWhole, past.items.length]).toEqual([false, 50]);
  });

  it("is what there is when its time is nearly over", async () => {
    for (let n = 0; n < 250; n++) post(n, `m${n}`);
    fake.faults.push({ kind: "hang-after", match: ({ body }) => new URLSearchParams(body).has("cursor") });
    const reading = read();
    await fake.waitFor((call) => new URLSearchParams(call.body).has("cursor"));
    clock.advance(4_500);
    expect(await reading).toMatchObject({ isWhole: false });
  });

  it("fails with what Slack says when nothing could be read", async () => {
    fake.faults.push({ kind: "status", status: 200, body: slackError("missing_scope").body });
    await expect(read()).rejects.toMatchObject({
      kind: "rejected",
      message: expect.stringMatching(/missing_scope/),
    });
  });

  it("is not asked for again before Slack's time to wait is over", async () => {
    const slack = adapter();
    post(0, "root");
    const { body, headers = {} } = slackRateLimited(30);
    fake.faults.push({ kind: "status", status: 429, body, headers });
    await expect(read(slack)).rejects.toMatchObject({ status: 429 });
    clock.advance(29_000);
    await expect(read(slack)).rejects.toMatchObject({ status: 429, retryAfterMs: 1_000 });
    expect(fake.calls).toHaveLength(1);
    clock.advance(1_000);
    expect(linesOf(await read(slack))).toEqual(["U8: root"]);
  });

  it("is not read where none of it is wanted", () => {
    expect(adapterOf().thread).toBeUndefined();
  });
});
