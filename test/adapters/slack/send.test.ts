import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SlackOptions } from "../../../adapters/slack/adapter.ts";
import { allowedUrl } from "../../../adapters/slack/response-url.ts";
import { DeliveryError } from "../../../src/domain/errors.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { Delivery, ReplyPart } from "../../../src/domain/reply.ts";
import { Secret } from "../../../src/shared/secret.ts";
import type { FakeAnswer } from "../../fakes/server.ts";
import { type FakeSlack, fakeSlack, slackError, slackRateLimited } from "../../fakes/slack.ts";
import { FakeClock } from "../../support/clock.ts";
import { adapterOf, NOW_MS, TOKEN } from "./setup.ts";

const PATH = "/commands/T1/1/x";
const never = new AbortController().signal;
let fake: FakeSlack;
let clock: FakeClock;
beforeEach(async () => {
  fake = await fakeSlack({ token: TOKEN });
  clock = new FakeClock(NOW_MS);
});
afterEach(() => fake.close());

const adapter = (over: Partial<SlackOptions> = {}) => adapterOf({ apiUrl: fake.apiUrl, clock, ...over });
const address = (over: object = {}) =>
  JSON.stringify({ kind: "message", channel: "C1", threadTs: "1.1", ...over }) as ReplyAddress;
const hook = (over: object = {}) =>
  address({
    kind: "response_url",
    url: `https://hooks.slack.com${PATH}`,
    expiresAtMs: NOW_MS + 1_800_000,
    user: "U1",
    threadTs: undefined,
    visibility: "ephemeral",
    ...over,
  });
const delivery = (over: Partial<Delivery> = {}): Delivery => ({
  partId: "slack:T1:C1:1.1/0",
  to: address(),
  part: JSON.stringify({ text: "Hello, Ann" }) as ReplyPart,
  index: 0,
  sendsBefore: 0,
  mayRepeat: false,
  ...over,
});
const failureOf = (sending: Promise<unknown>) =>
  sending.then(
    () => "no failure",
    (error: unknown) => error,
  );
function plays(answer: FakeAnswer, path?: string): void {
  fake.faults.push({
    kind: "status",
    status: answer.status ?? 200,
    body: answer.body,
    ...(answer.headers && { headers: answer.headers }),
    ...(path !== undefined && { match: (call) => call.path === path }),
  });
}

describe("chat.postMessage", () => {
  it("posts in the thread, without previews, marked with the part", async () => {
    const receipt = await adapter().send(delivery(), never);
    expect(fake.messages).toEqual([
      {
        channel: "C1",
        ts: receipt.messageId,
        threadTs: "1.1",
        text: "Hello, Ann",
        via: "chat.postMessage",
        visibleTo: null,
        metadata: { event_type: "parley_reply", event_payload: { part: "slack:T1:C1:1.1/0" } },
        blocks: [],
      },
    ]);
    expect(receipt.via).toBe("chat.postMessage");
    const sent = new URLSearchParams(fake.calls[0]?.body);
    expect([sent.get("unfurl_links"), sent.get("unfurl_media")]).toEqual(["false", "false"]);
  });

  it("posts at the top level where there is no thread", async () => {
    await adapter().send(delivery({ to: address({ threadTs: null }) }), never);
    expect(fake.messages[0]?.threadTs).toBeNull();
  });

  it("says first that it may be a repeat", async () => {
    await adapter().send(delivery({ mayRepeat: true }), never);
    expect(fake.messages[0]?.text).toBe(
      "_(This may be a repeat: the connection was lost while answering.)_\nHello, Ann",
    );
  });

  it("is called once, whatever comes of it", async () => {
    plays({ status: 500 });
    await failureOf(adapter().send(delivery(), never));
    expect(fake.calls).toHaveLength(1);
  });

  it.each([
    ["ratelimited", "retry"],
    ["internal_error", "retry"],
    ["service_unavailable", "retry"],
    ["message_limit_exceeded", "retry"],
    ["fatal_error", "unknown"],
    ["request_timeout", "unknown"],
    ["channel_not_found", "rejected"],
    ["is_archived", "rejected"],
    ["invalid_auth", "refused"],
    ["not_in_channel", "rejected"],
    ["missing_scope", "rejected"],
    ["token_revoked", "refused"],
    ["not_authed", "refused"],
    ["token_expired", "refused"],
    ["account_inactive", "refused"],
    ["msg_too_long", "rejected"],
    ["restricted_action_read_only_channel", "rejected"],
    ["an_error_of_next_year", "rejected"],
  ])("that fails with %s is %s", async (code, kind) => {
    plays(slackError(code));
    const error = await failureOf(adapter().send(delivery(), never));
    expect(error).toMatchObject({ kind, status: 200, message: `chat.postMessage: ${code}` });
  });

  it.each([
    ["a page instead of an answer", { status: 200, body: "<html>hello xoxb-</html>" }, "unknown", 200],
    ["a 404", { status: 404, body: "no" }, "rejected", 404],
    ["a 408", { status: 408, body: "no" }, "unknown", 408],
    ["a 524", { status: 524, body: "no" }, "unknown", 524],
    ["a 504", { status: 504, body: "no" }, "unknown", 504],
    ["a 429 without a time", { status: 429, body: "no" }, "retry", 429],
  ] as const)("that gets %s is told from other failures", async (_, answer, kind, status) => {
    plays(answer);
    const error = await failureOf(adapter().send(delivery(), never));
    expect(error).toMatchObject({ kind, status, retryAfterMs: null });
    expect((error as Error).message).not.toContain("xoxb-");
  });

  it("takes a date for the time to wait", async () => {
    const until = new Date(NOW_MS + 9_000).toUTCString();
    plays({ ...slackRateLimited(1), headers: { "retry-after": until } });
    expect(await failureOf(adapter().send(delivery(), never))).toMatchObject({ retryAfterMs: 9_000 });
  });

  it("follows no redirect", async () => {
    plays({ status: 302, headers: { location: `${fake.apiUrl}chat.update` }, body: "" });
    expect(await failureOf(adapter().send(delivery(), never))).toBeInstanceOf(DeliveryError);
    expect(fake.calls).toHaveLength(1);
  });

  it("is not begun once stopped", async () => {
    const error = await failureOf(adapter().send(delivery(), AbortSignal.abort()));
    expect(error).toMatchObject({ kind: "retry" });
    expect(fake.calls).toEqual([]);
  });

  it("with a wrong token is refused", async () => {
    const wrong = adapter({ botToken: new Secret("xoxb-wrong") });
    expect(await failureOf(wrong.send(delivery(), never))).toMatchObject({
      kind: "refused",
      message: "chat.postMessage: invalid_auth",
    });
  });

  it.each([
    ["an address", { to: "nonsense" as ReplyAddress }],
    ["an address of another kind", { to: address({ kind: "fax" }) }],
    ["a part", { part: "{}" as ReplyPart }],
  ])("is rejected when %s is not this adapter's", async (_, over) => {
    expect(await failureOf(adapter().send(delivery(over), never))).toMatchObject({ kind: "rejected" });
    expect(fake.calls).toEqual([]);
  });
});

describe("response_url", () => {
  it("answers the person alone, and leaves the message that was clicked", async () => {
    const receipt = await adapter().send(delivery({ to: hook({ threadTs: "1.1" }) }), never);
    expect(receipt).toEqual({ messageId: null, via: "response_url" });
    expect(fake.calls[0]?.path).toBe(PATH);
    expect(JSON.parse(fake.calls[0]?.body ?? "")).toEqual({
      text: "Hello, Ann",
      response_type: "ephemeral",
      replace_original: false,
      thread_ts: "1.1",
    });
    expect(fake.calls[0]?.headers.authorization).toBeUndefined();
  });

  it("is used five times; a sixth part goes to the person's direct messages", async () => {
    const slack = adapter();
    for (let sendsBefore = 0; sendsBefore < 6; sendsBefore++)
      await slack.send(delivery({ to: hook(), sendsBefore }), never);
    // Not even asked a sixth time.
    expect(fake.calls.filter(({ path }) => path === PATH)).toHaveLength(5);
    expect(fake.responseUrlUses.get(PATH)).toBe(5);
    expect(fake.messages.map(({ via }) => via)).toEqual([
      ...Array(5).fill("response_url"),
      "chat.postMessage",
    ]);
    expect(fake.messages[5]).toMatchObject({ channel: "U1", threadTs: null });
  });

  it("used up behind our back is noticed, too", async () => {
    const slack = adapter();
    for (let use = 0; use < 6; use++) await slack.send(delivery({ to: hook() }), never);
    expect(fake.calls.filter(({ path }) => path === PATH)).toHaveLength(6);
    expect(fake.messages.at(-1)).toMatchObject({ via: "chat.postMessage", channel: "U1" });
  });

  it("is not tried after its thirty minutes", async () => {
    clock.advance(1_800_000);
    const receipt = await adapter().send(delivery({ to: hook() }), never);
    expect(receipt.via).toBe("chat.postMessage");
    expect(fake.calls.map(({ path }) => path)).toEqual(["/api/chat.postMessage"]);
  });

  it("for everyone falls back to the channel and thread", async () => {
    clock.advance(1_800_000);
    await adapter().send(delivery({ to: hook({ visibility: "in_channel", threadTs: "1.1" }) }), never);
    expect(fake.messages[0]).toMatchObject({ channel: "C1", threadTs: "1.1" });
  });

  it.each([
    ["a 404", { status: 404, body: "no_service" }],
    ["a used_url in JSON", slackError("used_url")],
    ["an expired_url", { status: 400, body: "expired_url" }],
    ["a redirect", { status: 302, headers: { location: "http://127.0.0.1:1/" }, body: "" }],
  ])("that answers %s gives way to chat.postMessage", async (_, answer) => {
    plays(answer, PATH);
    await adapter().send(delivery({ to: hook() }), never);
    expect(fake.messages.map(({ via }) => via)).toEqual(["chat.postMessage"]);
  });

  it.each([
    ["a 429", slackRateLimited(3), { kind: "retry", status: 429, retryAfterMs: 3_000 }],
    ["a 500", { status: 500, body: "oops" }, { kind: "retry", status: 500 }],
    ["a 403", { status: 403, body: "action_prohibited" }, { kind: "rejected", status: 403 }],
    ["an ok: false", slackError("invalid_payload"), { kind: "rejected", status: 200 }],
    [
      "a page of somebody else",
      { status: 200, body: "<!doctype html>hello" },
      { kind: "unknown", status: 200 },
    ],
    ["far too much", { status: 200, body: "ok".repeat(40_000) }, { kind: "unknown", status: 200 }],
  ])("that answers %s fails", async (_, answer, failure) => {
    plays(answer, PATH);
    expect(await failureOf(adapter().send(delivery({ to: hook() }), never))).toMatchObject(failure);
    expect(fake.messages).toEqual([]);
  });

  it("cut off after the request is in doubt", async () => {
    fake.faults.push({ kind: "reset-after" });
    expect(await failureOf(adapter().send(delivery({ to: hook() }), never))).toMatchObject({
      kind: "unknown",
    });
    expect(fake.messages).toHaveLength(1);
  });

  it.each([
    "http://hooks.slack.com/commands/T1/1/x",
    "https://hooks.slack.com.evil.example/commands/T1/1/x",
    "https://evil.example/?https://hooks.slack.com",
    "https://hooks.slack.com@evil.example/",
    "https://user:pass@hooks.slack.com/commands/T1/1/x",
    "https://hooks.slack.com:8443/commands/T1/1/x",
    "http://169.254.169.254/latest/meta-data",
    "http://127.0.0.1.evil.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "not a url",
  ])("%s is not fetched", async (url) => {
    const receipt = await adapter().send(delivery({ to: hook({ url }) }), never);
    expect(receipt.via).toBe("chat.postMessage");
    expect(fake.calls.map(({ path }) => path)).toEqual(["/api/chat.postMessage"]);
  });

  it.each([
    ["https://hooks.slack.com/commands/T1/1/x?a=b", undefined, "https://hooks.slack.com/commands/T1/1/x?a=b"],
    ["https://hooks.slack-gov.com/app/x", "https://slack-gov.com/api/", "https://hooks.slack-gov.com/app/x"],
    ["https://hooks.slack.com/app/x", "https://slack.com/api/", "https://hooks.slack.com/app/x"],
    ["https://hooks.slack.com/app/x", "https://proxy.example/slack/api/", "https://proxy.example/app/x"],
    ["https://proxy.example/app/x", "https://proxy.example/slack/api/", "https://proxy.example/app/x"],
    ["http://proxy.example/app/x", "https://proxy.example/slack/api/", null],
    ["http://127.0.0.1:9/app/x", "https://proxy.example/slack/api/", null],
    ["http://127.0.0.1:9/app/x", undefined, null],
    ["http://localhost:9/app/x", "http://127.0.0.1:8/api/", "http://localhost:9/app/x"],
    ["http://[::1]:9/app/x", "http://127.0.0.1:8/api/", "http://[::1]:9/app/x"],
    ["https://evil.example/app/x", "http://127.0.0.1:8/api/", null],
  ])("%s, with the API at %s, is posted to %s", (url, apiUrl, allowed) => {
    expect(allowedUrl(url, apiUrl)?.href ?? null).toBe(allowed);
  });

  it("of another loopback server is used when Slack itself was redirected to loopback", async () => {
    const other = await fakeSlack();
    try {
      const receipt = await adapter().send(delivery({ to: hook({ url: `${other.url}${PATH}` }) }), never);
      expect(receipt.via).toBe("response_url");
      expect(other.messages).toHaveLength(1);
      expect(fake.calls).toEqual([]);
    } finally {
      await other.close();
    }
  });
});

describe("a part in doubt", () => {
  it("is found by its mark, in the thread", async () => {
    const slack = adapter();
    await slack.send(delivery({ partId: "other" }), never);
    const sent = await slack.send(delivery(), never);
    expect(await slack.recover(delivery(), never)).toEqual(sent);
  });

  it("is found at the top level, too", async () => {
    const slack = adapter();
    const to = address({ threadTs: null, ts: "1.1" });
    const sent = await slack.send(delivery({ to }), never);
    expect(await slack.recover(delivery({ to }), never)).toEqual(sent);
    expect(fake.calls.at(-1)?.path).toBe("/api/conversations.history");
  });

  it("is absent when the whole place was read without finding it", async () => {
    const slack = adapter();
    await slack.send(delivery({ partId: "other" }), never);
    await slack.send(delivery({ to: address({ threadTs: "2.2" }) }), never);
    expect(await slack.recover(delivery(), never)).toBe("absent");
  });

  it("is looked for on further pages, but not without end", { timeout: 60_000 }, async () => {
    const slack = adapter();
    const others = (count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, i) => slack.send(delivery({ partId: `other ${i}` }), never)),
      );
    await others(250);
    const sent = await slack.send(delivery(), never);
    expect(await slack.recover(delivery(), never)).toEqual(sent);
    await others(400);
    expect(await slack.recover(delivery({ partId: "never sent" }), never)).toBe("unknown");
  });

  it.each(["missing_scope", "unknown_method", "channel_not_found"])(
    "stays in doubt after %s",
    async (code) => {
      plays(slackError(code));
      expect(await adapter().recover(delivery(), never)).toBe("unknown");
    },
  );

  it.each([
    ["a 429", slackRateLimited(60)],
    ["a 500", { status: 500 }],
    ["an answer cut at its limit", { body: { ok: true, messages: [], has_more: true } }],
  ])("stays in doubt after %s", async (_, answer) => {
    plays(answer);
    expect(await adapter().recover(delivery(), never)).toBe("unknown");
  });

  it("said through a response_url stays in doubt, and nobody is asked", async () => {
    expect(await adapter().recover(delivery({ to: hook() }), never)).toBe("unknown");
    expect(fake.calls).toEqual([]);
  });
});

describe("typing", () => {
  const statusCalls = (count: number) =>
    fake.waitFor((call) => call.path === "/api/assistant.threads.setStatus", count);
  const untilSleeping = async () => {
    while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
  };

  it("shows a status in the thread, again each minute, until stopped", async () => {
    const stop = new AbortController();
    const typing = adapter().typing?.(address(), stop.signal);
    await statusCalls(1);
    await untilSleeping();
    clock.advance(60_000);
    await statusCalls(2);
    await untilSleeping();
    stop.abort();
    await typing;
    expect(fake.statuses).toHaveLength(2);
    expect(fake.statuses[0]).toMatchObject({ channel: "C1", threadTs: "1.1" });
  });

  it("takes back a status that came to be shown only after it was stopped", async () => {
    const answered = Promise.withResolvers<void>();
    fake.faults.push({ kind: "slow", until: answered.promise });
    const stop = new AbortController();
    const typing = adapter().typing?.(address(), stop.signal);
    await statusCalls(1);
    stop.abort();
    answered.resolve();
    await typing;
    expect(fake.statuses.map(({ status }) => status)).toEqual(["is working on it…", ""]);
    expect(fake.connections()).toBe(1);
  });

  it("goes on after a passing failure", async () => {
    plays({ status: 500 });
    const stop = new AbortController();
    const typing = adapter().typing?.(address(), stop.signal);
    await untilSleeping();
    clock.advance(60_000);
    await statusCalls(2);
    await untilSleeping();
    stop.abort();
    await typing;
    expect(fake.statuses).toHaveLength(1);
  });

  it.each(["missing_scope", "unknown_method"])("is never asked for again after %s", async (code) => {
    plays(slackError(code));
    const slack = adapter();
    await slack.typing?.(address(), never);
    await slack.typing?.(address(), never);
    expect(fake.calls).toHaveLength(1);
  });

  it.each([
    ["a response_url", () => hook({ threadTs: "1.1" })],
    ["a place without a thread", () => address({ threadTs: null })],
    ["an address of nobody's", () => "nonsense" as ReplyAddress],
  ])("is not shown for %s", async (_, to) => {
    await adapter().typing?.(to(), never);
    expect(fake.calls).toEqual([]);
  });
});
