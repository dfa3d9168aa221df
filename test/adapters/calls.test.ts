import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createRest } from "../../adapters/discord/api.ts";
import { createWeb } from "../../adapters/slack/api.ts";
import { createClient } from "../../adapters/telegram/api.ts";
import { createClient as createWhatsApp } from "../../adapters/whatsapp/api.ts";
import { hearCalls, type PlatformCall } from "../../src/shared/platform-calls.ts";
import { Secret } from "../../src/shared/secret.ts";
import { type FakeAnswer, type FakeServer, fakeServer } from "../fakes/server.ts";
import { FakeClock } from "../support/clock.ts";

const clock = new FakeClock();
const secret = new Secret("a-token-of-the-bot");
const { signal } = new AbortController();

let server: FakeServer;
let answer: FakeAnswer;
let heard: PlatformCall[];

beforeAll(async () => {
  server = await fakeServer(() => answer);
});
afterAll(() => server.close());
beforeEach(() => {
  heard = [];
  onTestFinished(hearCalls((call) => heard.push(call)));
});

/** One call of each platform's API, by its adapter. */
const CALLS = {
  slack: () =>
    createWeb({ botToken: secret, apiUrl: `${server.url}/`, clock, timeoutMs: 5_000 })(
      "chat.postMessage",
      { channel: "C1", text: "hi" },
      signal,
    ),
  discord: () =>
    createRest({ botToken: secret, apiUrl: server.url, timeoutMs: 5_000, clock }).ask(
      {
        ...{ method: "POST", route: "/channels/1/messages", body: { content: "hi" } },
        ...{ as: "bot", what: "channel message", repeatable: true },
      },
      signal,
    ),
  telegram: () =>
    createClient({ botToken: secret, apiRoot: server.url, timeoutMs: 5_000 }).call("sendMessage", {}, signal),
  whatsapp: () =>
    createWhatsApp({
      ...{ accessToken: secret, apiUrl: server.url, apiVersion: "v26.0", timeoutMs: 5_000, clock },
    }).sendMessage("1", { to: "2", type: "text" }, signal),
};

const METHODS = {
  slack: "chat.postMessage",
  discord: "channel message",
  telegram: "sendMessage",
  whatsapp: "messages",
};
const DONE = {
  slack: { ok: true, ts: "1.1" },
  discord: { id: "1", content: "hi" },
  telegram: { ok: true, result: { message_id: 1 } },
  whatsapp: { messages: [{ id: "wamid.1" }] },
};
const NO = {
  slack: { status: 200, body: { ok: false, error: "not_in_channel" } },
  discord: { status: 403, body: { code: 50013, message: "Missing Permissions" } },
  telegram: { status: 403, body: { ok: false, error_code: 403, description: "Forbidden" } },
  whatsapp: { status: 400, body: { error: { code: 131047, message: "Re-engagement message" } } },
};
const TOO_MANY = {
  slack: { ok: false, error: "ratelimited" },
  discord: { message: "You are being rate limited.", retry_after: 1, global: false },
  telegram: { ok: false, error_code: 429, description: "Too Many", parameters: { retry_after: 1 } },
  whatsapp: { error: { code: 130429, message: "Rate limit hit" } },
};

const NAMES = Object.keys(CALLS) as (keyof typeof CALLS)[];

describe.each(NAMES)("calls of %s", (platform) => {
  it.each([
    ["ok", { body: DONE[platform] }],
    ["refused", NO[platform]],
    ["rate_limited", { status: 429, body: TOO_MANY[platform], headers: { "retry-after": "1" } }],
    ["failed", { status: 502, body: "a proxy's page" }],
  ])("are told as %s, once each, by names of our own", async (outcome, given) => {
    answer = given;
    await CALLS[platform]().catch(() => {});
    expect(heard).toEqual([{ platform, method: METHODS[platform], outcome }]);
  });

  it("are told as failed where nobody answers", async () => {
    server.faults.push({ kind: "reset" });
    await CALLS[platform]().catch(() => {});
    expect(heard).toEqual([{ platform, method: METHODS[platform], outcome: "failed" }]);
  });
});
