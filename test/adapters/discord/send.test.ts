import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDiscordAdapter, type DiscordOptions } from "../../../adapters/discord/adapter.ts";
import { readAddress } from "../../../adapters/discord/address.ts";
import { REPEAT_NOTICE } from "../../../adapters/discord/notice.ts";
import { DeliveryError } from "../../../src/domain/errors.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { Delivery, ReplyPart } from "../../../src/domain/reply.ts";
import type { Adapter } from "../../../src/ports/adapter.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { discordError, discordRateLimit, type FakeDiscord, fakeDiscord } from "../../fakes/discord.ts";
import { fixture, NOW_MS, PUBLIC_KEY } from "./fixture.ts";

const BOT_TOKEN = "bot-token-nobody-may-see";
const TOKEN = "aW50ZXJhY3Rpb246MQ";
const ORIGINAL = "/@original";
const FOLLOW_UP = `/webhooks/900/${TOKEN}`;
const CHANNEL = "/channels/20/messages";
const NEVER = new AbortController().signal;
const TOKEN_LIFE_MS = 15 * 60_000;

let fake: FakeDiscord;
let nowMs: number;
let slept: number[];
let adapter: Adapter;

function create(over: Partial<DiscordOptions> = {}): Adapter {
  return createDiscordAdapter({
    publicKeys: [PUBLIC_KEY],
    botToken: new Secret(BOT_TOKEN),
    applicationId: "900",
    apiUrl: fake.apiUrl,
    clock: {
      nowMs: () => nowMs,
      async sleep(durationMs, signal) {
        signal?.throwIfAborted();
        slept.push(durationMs);
        nowMs += durationMs;
      },
    },
    timeoutMs: 30_000,
    random: () => 0.5,
    ...over,
  });
}

beforeEach(async () => {
  nowMs = NOW_MS;
  slept = [];
  fake = await fakeDiscord({ botToken: BOT_TOKEN });
  adapter = create();
});
afterEach(() => fake.close());

function address(name = "slash"): ReplyAddress {
  const inbound = adapter.parse(asVerified(fixture(name)));
  if (inbound.kind !== "events") throw new Error(`Expected events, got ${inbound.kind}`);
  return inbound.events[0]?.replyTo as ReplyAddress;
}

function delivery(over: Partial<Delivery> & { text?: string } = {}): Delivery {
  const { text = "Hello, Ann", ...rest } = over;
  const part = JSON.stringify({ content: text }) as ReplyPart;
  return { partId: "e1/0", to: address(), part, index: 0, sendsBefore: 0, mayRepeat: false, ...rest };
}

async function failure(of: Delivery, by = adapter, signal = NEVER): Promise<DeliveryError> {
  const outcome: unknown = await by.send(of, signal).catch((error: unknown) => error);
  if (!(outcome instanceof DeliveryError))
    throw new Error(`Expected a DeliveryError, got ${inspect(outcome)}`);
  const shown = inspect(outcome, { depth: 12, showHidden: true });
  for (const secret of [BOT_TOKEN, TOKEN, "Hello, Ann"]) expect(shown).not.toContain(secret);
  return outcome;
}

const paths = () => fake.calls.map((call) => `${call.method} ${call.path}`);
const said = () => fake.messages.map(({ kind, channelId, content }) => ({ kind, channelId, content }));

describe("a reply for one person alone", () => {
  const alone = () => {
    const to = JSON.parse(address()) as object;
    return JSON.stringify({ ...to, onlyFor: "30" }) as ReplyAddress;
  };

  it("is seen by nobody else, however long it is", async () => {
    await adapter.send(delivery({ to: alone() }), NEVER);
    await adapter.send(delivery({ to: alone(), index: 1, partId: "e1/1" }), NEVER);
    expect(fake.messages.map(({ kind, body }) => [kind, body.flags])).toEqual([
      ["original", 4],
      ["followup", 68],
    ]);
  });

  it("goes to their direct messages once the interaction is over", async () => {
    nowMs += TOKEN_LIFE_MS;
    const receipt = await adapter.send(delivery({ to: alone() }), NEVER);
    expect(said()).toEqual([{ kind: "bot", channelId: "700030", content: "Hello, Ann" }]);
    expect(await adapter.edit?.(receipt, delivery({ to: alone() }), NEVER)).toBe("gone");
    expect(adapter.previewInMs?.(alone(), true)).toBeNull();
    await adapter.send(delivery({ to: alone() }), NEVER);
    expect(said()).toHaveLength(1);
  });

  it("is given up, and not shown to the channel, where they take no direct messages", async () => {
    nowMs += TOKEN_LIFE_MS;
    fake.outside.add("700030");
    expect((await failure(delivery({ to: alone() }))).kind).toBe("rejected");
    expect(said()).toEqual([]);
  });
});

describe("a reply to an interaction", () => {
  it("begins in the deferred answer and goes on below it", async () => {
    const first = await adapter.send(delivery({ text: "one" }), NEVER);
    const second = await adapter.send(delivery({ text: "two", index: 1, partId: "e1/1" }), NEVER);
    expect([first, second]).toEqual([
      { messageId: fake.messages[0]?.id, via: "interaction.original" },
      { messageId: fake.messages[1]?.id, via: "interaction.followup" },
    ]);
    expect(said()).toEqual([
      { kind: "original", channelId: "20", content: "one" },
      { kind: "followup", channelId: "20", content: "two" },
    ]);
    expect(paths()).toEqual([
      `PATCH /api/v10/webhooks/900/${TOKEN}/messages/@original`,
      `POST /api/v10/webhooks/900/${TOKEN}`,
    ]);
  });

  it("pings nobody, previews nothing and does not show the bot's token", async () => {
    await adapter.send(delivery({ text: "@everyone https://example.org" }), NEVER);
    await adapter.send(delivery({ index: 1 }), NEVER);
    nowMs += TOKEN_LIFE_MS;
    await adapter.send(delivery({ index: 2 }), NEVER);
    expect(fake.calls).toHaveLength(3);
    for (const call of fake.calls) {
      expect(JSON.parse(call.body)).toMatchObject({ allowed_mentions: { parse: [] }, flags: 4 });
      expect(call.headers["user-agent"]).toMatch(/^DiscordBot \(https?:\/\/\S+, [\d.]+\)/);
    }
    expect(fake.calls.map((call) => call.headers.authorization)).toEqual([
      undefined,
      undefined,
      `Bot ${BOT_TOKEN}`,
    ]);
  });

  it.each(["", "/", "/v10", "/v10/"])("takes an API address that ends in %j", async (ending) => {
    await create({ apiUrl: `${fake.apiUrl}${ending}` }).send(delivery(), NEVER);
    expect(said()).toHaveLength(1);
  });

  it("keeps an awkward token within its segment of the path", async () => {
    const minted = JSON.parse(address()) as object;
    const to = JSON.stringify({ ...minted, token: "a/../b?c#d…" }) as ReplyAddress;
    await adapter.send(delivery({ to }), NEVER);
    expect(paths()).toEqual(["PATCH /api/v10/webhooks/900/a%2F..%2Fb%3Fc%23d%E2%80%A6/messages/@original"]);
  });

  it("that was rendered is sent as it was rendered", async () => {
    const parts = adapter.render("word ".repeat(1_000), address());
    expect(parts.length).toBeGreaterThan(1);
    for (const [index, part] of parts.entries())
      await adapter.send(delivery({ part, index, partId: `e1/${index}` }), NEVER);
    const words = fake.messages.flatMap((message) => message.content.match(/word/g) ?? []);
    expect(words).toHaveLength(1_000);
  });
});

describe("when the interaction takes no more", () => {
  it("the bot writes in the channel once the token's time is over", async () => {
    nowMs += TOKEN_LIFE_MS;
    const receipt = await adapter.send(delivery(), NEVER);
    expect(receipt.via).toBe("channel.message");
    expect(said()).toEqual([{ kind: "bot", channelId: "20", content: "Hello, Ann" }]);
    expect(paths()).toEqual([`POST /api/v10${CHANNEL}`]);
  });

  it("a minute before that the interaction is still used", async () => {
    nowMs += TOKEN_LIFE_MS - 60_000;
    expect((await adapter.send(delivery(), NEVER)).via).toBe("interaction.original");
  });

  it.each([
    [404, 10_062],
    [404, 10_015],
    [404, 10_008],
  ])("waits out a %i with code %i that is only early", async (status, code) => {
    fake.refuse(ORIGINAL, discordError(status, code), 2);
    expect((await adapter.send(delivery(), NEVER)).via).toBe("interaction.original");
    expect(slept).toEqual([250, 500]);
    expect(said()).toHaveLength(1);
  });

  it("gives up on it after a few seconds, and does not try again with the next part", async () => {
    fake.refuse(`/webhooks/900/${TOKEN}`, discordError(404, 10_062), 100);
    expect((await adapter.send(delivery(), NEVER)).via).toBe("channel.message");
    expect(slept).toEqual([250, 500, 1_000, 2_000]);
    const before = fake.calls.length;
    expect((await adapter.send(delivery({ index: 1, partId: "e1/1" }), NEVER)).via).toBe("channel.message");
    expect(fake.calls.length).toBe(before + 1);
    expect(said().map(({ kind }) => kind)).toEqual(["bot", "bot"]);
  });

  it("gives up on it at once when its token is refused", async () => {
    fake.refuse(FOLLOW_UP, discordError(401, 50_027));
    expect((await adapter.send(delivery({ index: 1 }), NEVER)).via).toBe("channel.message");
    expect(slept).toEqual([]);
  });

  it("stops waiting when told to: nothing was said", async () => {
    const abort = new AbortController();
    const stopping = create({
      clock: {
        nowMs: () => nowMs,
        async sleep(_, signal) {
          abort.abort();
          signal?.throwIfAborted();
        },
      },
    });
    fake.refuse(ORIGINAL, discordError(404, 10_062), 100);
    expect(await failure(delivery(), stopping, abort.signal)).toMatchObject({ kind: "retry" });
    expect(said()).toEqual([]);
  });

  it("a copy for the channel is refused by its nonce, which fits and is the part's own", async () => {
    nowMs += TOKEN_LIFE_MS;
    const first = await adapter.send(delivery(), NEVER);
    const second = await create().send(delivery(), NEVER);
    expect(second.messageId).toBe(first.messageId);
    await adapter.send(delivery({ partId: "e1/1", index: 1 }), NEVER);
    expect(said()).toHaveLength(2);
    for (const { body } of fake.messages) {
      expect(body).toMatchObject({ enforce_nonce: true });
      expect(String(body.nonce)).toMatch(/^[\w-]{25}$/);
    }
  });

  it("is final when the bot may not write in the channel either", async () => {
    nowMs += TOKEN_LIFE_MS;
    fake.refuse(CHANNEL, discordError(403, 50_001));
    expect(await failure(delivery())).toMatchObject({ kind: "rejected", status: 403 });
  });
});

it("without a bot's token, interactions are answered and what is too late is given up", async () => {
  const tokenless = create({ botToken: null });
  await tokenless.send(delivery(), NEVER);
  nowMs += TOKEN_LIFE_MS;
  expect(await failure(delivery(), tokenless)).toMatchObject({ kind: "rejected" });
  expect(said().map(({ kind }) => kind)).toEqual(["original"]);
});

describe("faults", () => {
  it.each([
    ["the headers", {}, 7_000],
    ["the body alone, to the hundredth", { headers: false }, 650],
  ])("a rate limit is waited out as long as %s say", async (_, options, waitMs) => {
    const seconds = waitMs / 1000;
    fake.refuse(ORIGINAL, discordRateLimit(seconds, options));
    expect(await failure(delivery())).toMatchObject({ kind: "retry", status: 429, retryAfterMs: waitMs });
    expect(said()).toEqual([]);
  });

  it("a rate limit that says nothing leaves the wait to the outbox", async () => {
    fake.refuse(ORIGINAL, { status: 429, body: "<html>slow down</html>" });
    expect(await failure(delivery())).toMatchObject({ kind: "retry", status: 429, retryAfterMs: null });
  });

  it.each([true, false])(
    "a limit of the whole bot holds its other channels too, without a call (headers: %s)",
    async (headers) => {
      nowMs += TOKEN_LIFE_MS;
      fake.refuse(CHANNEL, discordRateLimit(60, { global: true, headers }));
      expect(await failure(delivery())).toMatchObject({ kind: "retry", status: 429, retryAfterMs: 60_000 });

      const minted = JSON.parse(address()) as object;
      const elsewhere = delivery({ to: JSON.stringify({ ...minted, channelId: "21" }) as ReplyAddress });
      nowMs += 20_000;
      expect(await failure(elsewhere)).toMatchObject({ kind: "retry", status: null, retryAfterMs: 40_000 });
      expect(fake.calls).toHaveLength(1);

      nowMs += 40_000;
      await adapter.send(elsewhere, NEVER);
      expect(said()).toEqual([{ kind: "bot", channelId: "21", content: "Hello, Ann" }]);
    },
  );

  it("a limit of the whole bot does not hold interactions, which do not count towards it", async () => {
    nowMs += TOKEN_LIFE_MS;
    const late = delivery();
    fake.refuse(CHANNEL, discordRateLimit(60, { global: true }));
    expect(await failure(late)).toMatchObject({ kind: "retry" });
    const fresh = { ...JSON.parse(address()), expiresAtMs: nowMs + 1 } as object;
    await adapter.send(delivery({ to: JSON.stringify(fresh) as ReplyAddress }), NEVER);
    expect(said()).toHaveLength(1);
  });

  it("a bucket known to be empty is not called", async () => {
    nowMs += TOKEN_LIFE_MS;
    const headers = {
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset-after": "30",
      "x-ratelimit-limit": "5",
    };
    fake.refuse(CHANNEL, { status: 200, body: { id: "1" }, headers });
    await adapter.send(delivery(), NEVER);
    const held = await failure(delivery({ partId: "e1/1" }));
    expect(held.kind).toBe("retry");
    expect(held.retryAfterMs).toBeGreaterThan(20_000);
    expect(fake.calls).toHaveLength(1);
  });

  it.each([
    ["the first part", 0, 500, "retry"],
    ["the first part", 0, 502, "retry"],
    ["the first part", 0, 504, "retry"],
    ["a follow-up", 1, 500, "retry"],
    ["a follow-up", 1, 503, "retry"],
    ["a follow-up, which may have come through", 1, 408, "unknown"],
    ["a follow-up, which may have come through", 1, 502, "unknown"],
    ["a follow-up, which may have come through", 1, 504, "unknown"],
  ] as const)("%s (%i) after a %i is %s", async (_, index, status, kind) => {
    fake.refuse("/webhooks/", { status, body: "<html>oops</html>" });
    expect(await failure(delivery({ index }))).toMatchObject({ kind, status });
  });

  it.each([
    [400, 50_035, "rejected"],
    [400, 50_006, "rejected"],
    [403, 50_013, "rejected"],
    [403, 50_007, "rejected"],
    [400, 50_083, "rejected"],
    [400, 40_005, "rejected"],
    [400, 200_000, "rejected"],
    [400, 40_060, "rejected"],
    [401, 0, "rejected"],
    [400, 20_028, "retry"],
    [400, 20_016, "retry"],
    [400, 130_000, "retry"],
    [408, 0, "retry"],
  ])("HTTP %i with code %i is %s", async (status, code, kind) => {
    fake.refuse(ORIGINAL, discordError(status, code, `Hello, Ann; your token is ${TOKEN}`));
    expect(await failure(delivery())).toMatchObject({ kind, status });
  });

  it.each([
    ["no JSON", "<html>"],
    ["null", "null"],
    ["a list", "[]"],
    ["other members", '{"code":{},"message":7,"errors":null}'],
  ])("a refusal whose body is %s is still one", async (_, body) => {
    fake.refuse(ORIGINAL, { status: 400, body });
    expect(await failure(delivery())).toMatchObject({ kind: "rejected", status: 400 });
  });

  it.each([
    ["no JSON", "ok"],
    ["null", "null"],
    ["a list", "[]"],
  ])("a success whose body is %s is still one", async (_, body) => {
    fake.refuse(ORIGINAL, { status: 200, body });
    expect(await adapter.send(delivery(), NEVER)).toEqual({ messageId: null, via: "interaction.original" });
  });

  it("an answer too long to be Discord's is not read to its end, but is a success", async () => {
    fake.refuse(ORIGINAL, { status: 200, body: { id: "1", content: "x".repeat(1_000_000) } });
    expect((await adapter.send(delivery(), NEVER)).messageId).toBeNull();
  });

  it("a redirect is not followed", async () => {
    fake.refuse(ORIGINAL, { status: 307, headers: { location: `${fake.apiUrl}/v10/users/@me` } });
    expect(await failure(delivery())).toMatchObject({ kind: "rejected", status: 307 });
    expect(fake.calls).toHaveLength(1);
  });

  it("one refusal of the bot's token does not silence the bot", async () => {
    nowMs += TOKEN_LIFE_MS;
    fake.refuse(CHANNEL, discordError(401, 0));
    expect(await failure(delivery())).toMatchObject({ kind: "refused", status: 401 });
    expect((await adapter.send(delivery(), NEVER)).via).toBe("channel.message");
  });

  it.each(["reset", "reset-after", "hang-after"] as const)("after a %s nobody knows", async (kind) => {
    const impatient = create({ timeoutMs: 200 });
    fake.faults.push({ kind });
    expect(await failure(delivery(), impatient)).toMatchObject({ kind: "unknown", status: null });
    fake.faults.push({ kind });
    expect(await failure(delivery({ index: 1 }), impatient)).toMatchObject({ kind: "unknown" });
  });

  it("a send that was stopped beforehand makes no call", async () => {
    expect(await failure(delivery(), adapter, AbortSignal.abort())).toMatchObject({ kind: "retry" });
    expect(fake.calls).toEqual([]);
  });

  it("a send that was stopped in its channel's queue was not made; the one before it may have been", async () => {
    nowMs += TOKEN_LIFE_MS;
    const [first, second] = [new AbortController(), new AbortController()];
    fake.faults.push({ kind: "hang-after" });
    const ahead = failure(delivery({ partId: "a" }), adapter, first.signal);
    await fake.waitFor((call) => call.fault === "hang-after");
    const behind = failure(delivery({ partId: "b" }), adapter, second.signal);
    // One turn of the event loop takes the call as far as the queue.
    await new Promise(setImmediate);
    second.abort();
    expect(await behind).toMatchObject({ kind: "retry" });
    first.abort();
    expect(await ahead).toMatchObject({ kind: "unknown" });
    expect(fake.calls).toHaveLength(1);
  });

  it("an address or part of another adapter is refused", async () => {
    const foreign = '{"kind":"message"}';
    expect(await failure(delivery({ to: foreign as ReplyAddress }))).toMatchObject({ kind: "rejected" });
    expect(await failure(delivery({ part: "{}" as ReplyPart }))).toMatchObject({ kind: "rejected" });
    expect(await failure(delivery({ part: "" as ReplyPart }))).toMatchObject({ kind: "rejected" });
    expect(await adapter.recover(delivery({ to: foreign as ReplyAddress }), NEVER)).toBe("unknown");
    expect(readAddress('{"kind":"interaction","id":"1"}' as ReplyAddress)).toBeUndefined();
  });
});

describe("a part in doubt", () => {
  it("may be sent again while it is an edit", async () => {
    expect(await adapter.recover(delivery(), NEVER)).toBe("repeatable");
    expect(fake.calls).toEqual([]);
  });

  it("stays in doubt when it was a follow-up", async () => {
    expect(await adapter.recover(delivery({ index: 1 }), NEVER)).toBe("unknown");
  });

  it("stays in doubt when the interaction has ended since", async () => {
    nowMs += TOKEN_LIFE_MS;
    expect(await adapter.recover(delivery(), NEVER)).toBe("unknown");
  });

  it("may be sent to a channel again while the nonce is fresh, and is said once", async () => {
    const impatient = create({ timeoutMs: 200 });
    nowMs += TOKEN_LIFE_MS;
    fake.faults.push({ kind: "hang-after" });
    expect(await failure(delivery(), impatient)).toMatchObject({ kind: "unknown" });
    nowMs += 60_000;
    expect(await impatient.recover(delivery(), NEVER)).toBe("repeatable");
    await impatient.send(delivery(), NEVER);
    expect(said()).toHaveLength(1);
    nowMs += 61_000;
    expect(await impatient.recover(delivery(), NEVER)).toBe("unknown");
  });
});

describe("a part that may be a repeat", () => {
  const long = "x".repeat(1_990);

  it.each([
    ["an edit", 0, false],
    ["a follow-up", 1, false],
    ["a channel message", 1, true],
  ])("says so above the text: %s", async (_, index, isLate) => {
    if (isLate) nowMs += TOKEN_LIFE_MS;
    await adapter.send(delivery({ index, mayRepeat: true }), NEVER);
    expect(said().map(({ content }) => content)).toEqual([`${REPEAT_NOTICE}\nHello, Ann`]);
  });

  it.each([
    ["a follow-up", false],
    ["a channel message", true],
  ])("says so in a message of its own where there is no room: %s", async (_, isLate) => {
    if (isLate) nowMs += TOKEN_LIFE_MS;
    const { messageId } = await adapter.send(delivery({ index: 1, mayRepeat: true, text: long }), NEVER);
    expect(said().map(({ content }) => content)).toEqual([REPEAT_NOTICE, long]);
    expect(messageId).toBe(fake.messages[1]?.id);
  });

  it("needs no notice where an edit has no room for one: it replaces", async () => {
    await adapter.send(delivery({ mayRepeat: true, text: long }), NEVER);
    expect(said().map(({ content }) => content)).toEqual([long]);
  });
});

it("an adapter keeps no process alive", () => {
  // Only timers that hold the process are listed.
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  create();
  expect(timers()).toBe(before);
});

describe("the options", () => {
  it.each([
    [{ botToken: new Secret("") }, "Expected a Discord bot token, got an empty one"],
    [{ apiUrl: "not a url" }, "Expected the Discord API address to be an http or https URL"],
    [{ apiUrl: "file:///etc" }, "Expected the Discord API address to be an http or https URL"],
    [{ publicKeys: ["x"] }, "Expected Discord public key 1 to be 64 hexadecimal digits, got 1 characters"],
  ])("are refused with a reason", (over, message) => {
    expect(() => create(over)).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringContaining(message) }),
    );
  });
});
