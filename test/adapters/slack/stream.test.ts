import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SlackAdapter, SlackOptions } from "../../../adapters/slack/adapter.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { Delivery, Receipt } from "../../../src/domain/reply.ts";
import { growing } from "../../../src/reply/preview.ts";
import type { FakeAnswer } from "../../fakes/server.ts";
import { type FakeSlack, fakeSlack, slackError, slackRateLimited } from "../../fakes/slack.ts";
import { FakeClock } from "../../support/clock.ts";
import { adapterOf, NOW_MS, TOKEN } from "./setup.ts";

const never = new AbortController().signal;
const PART = "slack:T1:C1:1.1/0";
let fake: FakeSlack;
let clock: FakeClock;
let adapter: SlackAdapter;
beforeEach(async () => {
  fake = await fakeSlack({ token: TOKEN, nowMs: () => clock.nowMs() });
  clock = new FakeClock(NOW_MS);
  adapter = open();
});
afterEach(() => fake.close());

const open = (over: Partial<SlackOptions> = {}) => adapterOf({ apiUrl: fake.apiUrl, clock, ...over });
const address = (over: object = {}) =>
  JSON.stringify({
    kind: "message",
    channel: "C1",
    threadTs: "1.1",
    ts: "1.1",
    teamId: "T1",
    userId: "U1",
    ...over,
  }) as ReplyAddress;

function delivery(text: string, over: Partial<Delivery> = {}): Delivery {
  const { to = address() } = over;
  const [part] = adapter.render(text, to);
  if (part === undefined) throw new Error("Expected a part, got none");
  return { partId: PART, to, part, index: 0, sendsBefore: 0, mayRepeat: false, ...over };
}
const grows = (text: string, over: Partial<Delivery> = {}) =>
  delivery(growing(text, 11_000), { ...over, isGrowing: true });
const edit = (receipt: Receipt, one: Delivery, by = adapter) => by.edit?.(receipt, one, never);
const show = (text: string, over: Partial<Delivery> = {}) => adapter.send(grows(text, over), never);

/** Each call about messages: what it is, and what of a text it carries. */
const calls = () =>
  fake.calls.map(({ path, body }) => {
    const form = new URLSearchParams(body);
    return [path.split(".").at(-1), form.get("markdown_text") ?? form.get("text")];
  });
const said = () => fake.messages.map(({ text }) => text);
function plays(answer: FakeAnswer, method: string, times = 1): void {
  fake.faults.push({
    kind: "status",
    status: answer.status ?? 200,
    body: answer.body,
    ...(answer.headers && { headers: answer.headers }),
    match: ({ path }) => path.endsWith(method),
    times,
  });
}

describe("a stream", () => {
  it("is started in the thread for who asked, appended to, and stopped once with what is left", async () => {
    const receipt = await show("Let me look at the pods, ");
    await edit(receipt, grows("Let me look at the pods, then at "));
    await edit(receipt, grows("Let me look at the pods, then at "));
    const done = await edit(receipt, delivery("Let me look at the pods, then at **the** rest."));
    expect(calls()).toEqual([
      ["startStream", "Let me look at the pods,"],
      ["appendStream", " then at"],
      ["stopStream", " **the** rest."],
    ]);
    expect(Object.fromEntries(new URLSearchParams(fake.calls[0]?.body))).toMatchObject({
      channel: "C1",
      thread_ts: "1.1",
      recipient_team_id: "T1",
      recipient_user_id: "U1",
    });
    expect(receipt).toEqual({ messageId: fake.messages[0]?.ts, via: "chat.startStream" });
    expect(done).toEqual({ ...receipt, via: "chat.stopStream", saysAll: true });
    expect(fake.messages).toMatchObject([
      {
        text: "Let me look at the pods, then at **the** rest.",
        isStreaming: false,
        metadata: { event_type: "parley_reply", event_payload: { part: PART } },
      },
    ]);
  });

  it("holds an answer that would be several messages", async () => {
    const whole = Array.from({ length: 2_000 }, (_, n) => `w${n}`).join(" ");
    expect(adapter.render(whole, address()).length).toBeGreaterThan(2);
    const receipt = await show(whole.slice(0, 6_000));
    expect(await edit(receipt, delivery(whole))).toMatchObject({ saysAll: true });
    expect(said()).toEqual([whole]);
    expect(calls()).toHaveLength(2);
  });

  it("of an answer that is longer than a stream becomes the first of several messages", async () => {
    const whole = "word ".repeat(3_000);
    const receipt = await show(whole.slice(0, 6_000));
    await edit(receipt, grows(whole));
    const done = await edit(receipt, delivery(whole));
    expect(done).toEqual({ ...receipt, via: "chat.update" });
    expect(said()[0]?.length).toBeLessThanOrEqual(3_900);
    expect(calls().map(([method]) => method)).toEqual([
      "startStream",
      "appendStream",
      "stopStream",
      "update",
    ]);
  });

  it("is stopped, and its text set, when what is said does not begin with what it says", async () => {
    const receipt = await show("Let me look at the pods, ");
    expect(await edit(receipt, delivery("Stopped."))).toEqual({ ...receipt, via: "chat.update" });
    expect(calls().slice(1)).toEqual([
      ["stopStream", null],
      ["update", "Stopped."],
    ]);
    expect(new URLSearchParams(fake.calls.at(-1)?.body).get("blocks")).toBe("[]");
    expect(fake.messages).toMatchObject([{ text: "Stopped.", metadata: { event_type: "parley_reply" } }]);
  });

  it.each(["reset-after", "hang-after"] as const)(
    "is not appended to after an append that met a %s, and its text is set whole",
    async (kind) => {
      adapter = open({ timeoutMs: kind === "hang-after" ? 1_000 : 60_000 });
      const receipt = await show("Let me look at the pods, ");
      fake.faults.push({ kind });
      await expect(edit(receipt, grows("Let me look at the pods, then at "))).rejects.toMatchObject({
        kind: "unknown",
      });
      await edit(receipt, grows("Let me look at the pods, then at the rest and "));
      await edit(receipt, delivery("Let me look at the pods, then at the rest."));
      expect(calls().slice(2)).toEqual([
        ["stopStream", null],
        ["update", "Let me look at the pods, then at the rest."],
      ]);
    },
  );

  it("whose stop met a lost connection is set whole by the next try", async () => {
    const receipt = await show("Let me look at the pods, ");
    fake.faults.push({ kind: "reset-after" });
    const whole = delivery("Let me look at the pods, then at the rest.");
    await expect(edit(receipt, whole)).rejects.toMatchObject({ kind: "unknown" });
    await edit(receipt, whole);
    expect(calls().slice(2)).toEqual([
      ["stopStream", null],
      ["update", "Let me look at the pods, then at the rest."],
    ]);
    expect(said()).toEqual(["Let me look at the pods, then at the rest."]);
  });

  it.each(["message_not_in_streaming_state", "stopped_by_user"])(
    "that Slack has ended (%s) goes on by edits",
    async (code) => {
      const receipt = await show("Let me look at the pods, ");
      plays(slackError(code), "appendStream");
      expect(await edit(receipt, grows("Let me look at the pods, then at "))).toEqual(receipt);
      const [stream] = fake.messages;
      if (stream !== undefined) stream.isStreaming = false;
      await edit(receipt, grows("Let me look at the pods, then at the "));
      expect(said()).toEqual(["Let me look at the pods, then at the …"]);
      await edit(receipt, delivery("Let me look at the pods, then at the rest."));
      expect(calls().slice(2)).toEqual([
        ["update", "Let me look at the pods, then at the …"],
        ["update", "Let me look at the pods, then at the rest."],
      ]);
    },
  );

  it("is tried again while Slack says that it has not ended", async () => {
    const receipt = await show("Let me look at the pods, ");
    plays(slackError("streaming_state_conflict"), "update");
    await expect(edit(receipt, delivery("Stopped."))).rejects.toMatchObject({ kind: "retry" });
    await edit(receipt, delivery("Stopped."));
    expect(said()).toEqual(["Stopped."]);
  });

  it("does not begin before there is something that stays as it is", async () => {
    const code = "```sh\nkubectl get pods -n web\nkubectl des";
    await expect(show(code)).rejects.toMatchObject({ kind: "retry", retryAfterMs: 1_000 });
    expect(fake.calls).toEqual([]);
  });
});

describe("where Slack takes no stream", () => {
  it.each([
    ["unknown_method", 1],
    ["channel_type_not_supported", 2],
  ])(
    "(%s) an answer grows by edits of a message, and it is asked %i times for two channels",
    async (code, asked) => {
      plays(slackError(code), "startStream", 2);
      const receipt = await show("Let me look at the pods, ");
      expect(said()).toEqual(["Let me look at the pods, …"]);
      await edit(receipt, grows("Let me look at the **pods**, then "));
      expect(said()).toEqual(["Let me look at the *pods*, then …"]);
      await edit(receipt, delivery("Let me look at the **pods**, then at the rest."));
      expect(said()).toEqual(["Let me look at the *pods*, then at the rest."]);
      await show("And at the other things, ");
      await show("And at the other things, ", { to: address({ channel: "C2" }) });
      expect(calls().filter(([method]) => method === "startStream")).toHaveLength(asked);
      expect(fake.messages.map(({ via }) => via)).toEqual(Array(3).fill("chat.postMessage"));
    },
  );

  it("nor in a thread is there one at the top level", async () => {
    await show("Let me look at the pods, ", { to: address({ threadTs: null }) });
    expect(calls()).toEqual([["postMessage", "Let me look at the pods, …"]]);
  });

  it("the refusal of the channel itself is the answer's", async () => {
    fake.outside.add("C1");
    plays(slackError("not_in_channel"), "startStream");
    await expect(show("Let me look at the pods, ")).rejects.toMatchObject({ kind: "rejected" });
  });
});

describe("a stream whose start is in doubt", () => {
  it("is found in the thread, and what was said before or by others is not", async () => {
    await adapter.learn(never);
    fake.post({ channel: "C1", ts: "0.5", threadTs: "1.1", text: "before", user: "UBOT" });
    fake.post({ channel: "C1", ts: "1.2", threadTs: "1.1", text: "me, too", user: "U2" });
    const one = grows("Let me look at the pods, ");
    expect(await adapter.recover(one, never)).toBe("absent");
    fake.faults.push({ kind: "reset-after" });
    await expect(adapter.send(one, never)).rejects.toMatchObject({ kind: "unknown" });
    const found = await adapter.recover(one, never);
    expect(found).toEqual({ messageId: fake.messages.at(-1)?.ts, via: "chat.startStream" });
    await edit(found as Receipt, delivery("All is well."));
    expect(said().at(-1)).toBe("All is well.");
    expect(await adapter.recover(one, never)).toMatchObject({ messageId: fake.messages.at(-1)?.ts });
  });
});

describe("the pace of what grows", () => {
  it.each([
    ["on", 0, 0],
    ["direct", 0, null],
    ["off", null, null],
  ] as const)(
    "with preview: %s begins in %s ms in direct messages, in %s in a channel",
    (preview, direct, room) => {
      const by = open({ preview });
      expect(by.previewInMs?.(address({ channel: "D1" }), true)).toBe(direct);
      expect(by.previewInMs?.(address(), true)).toBe(room);
      expect(by.previewInMs?.(address({ channel: "U1" }), true)).toBe(null);
      const hook = address({ kind: "response_url", url: "https://hooks.slack.com/x", expiresAtMs: 1 });
      expect(by.previewInMs?.(hook, true)).toBe(null);
    },
  );

  it("is that of one message a second, and of a hundred appends a minute for all", () => {
    const one = address();
    expect([1, 2].map(() => adapter.previewInMs?.(one, false))).toEqual([0, 1_000]);
    const times = Array.from({ length: 300 }, (_, n) => {
      clock.advance(100);
      return clock.nowMs() + (adapter.previewInMs?.(address({ threadTs: `${n}.2` }), false) ?? 0);
    });
    for (const begin of times)
      expect(times.filter((at) => at >= begin && at < begin + 60_000).length).toBeLessThanOrEqual(97);
    // Another workspace has its own.
    expect(adapter.previewInMs?.(address({ teamId: "T2", channel: "C9" }), false)).toBe(0);
  });

  it("counts from when Slack has taken it: one that was late is not followed too soon", async () => {
    const late = () => {
      const inMs = adapter.previewInMs?.(address(), false);
      clock.advance((inMs ?? 0) + 400);
      return inMs;
    };
    expect(late()).toBe(0);
    const receipt = await show("Let me look at the pods, ");
    expect(late()).toBe(1_000);
    await edit(receipt, grows("Let me look at the pods, then at "));
    expect(late()).toBe(1_000);
  });

  it("rests for all of a workspace while Slack asks for it", async () => {
    const receipt = await show("Let me look at the pods, ");
    plays(slackRateLimited(7), "appendStream");
    await expect(edit(receipt, grows("Let me look at the pods, then at "))).rejects.toMatchObject({
      status: 429,
      retryAfterMs: 7_000,
    });
    expect(adapter.previewInMs?.(address({ threadTs: "2.2" }), false)).toBe(7_000);
    clock.advance(7_000);
    await edit(receipt, delivery("Let me look at the pods, then at the rest."));
    expect(said()).toEqual(["Let me look at the pods, then at the rest."]);
  });
});

describe("the thread's status", () => {
  it("goes when an answer was shown that was there before it", async () => {
    const stop = new AbortController();
    const typing = adapter.typing?.(address(), stop.signal);
    await fake.waitFor(({ path }) => path.endsWith("setStatus"));
    await show("Let me look at the pods, ");
    stop.abort();
    await typing;
    expect(fake.statuses.map(({ status }) => status)).toEqual(["is working on it…", ""]);
  });
});
