import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDiscordAdapter, type DiscordOptions } from "../../../adapters/discord/adapter.ts";
import { mintAddress, readAddress } from "../../../adapters/discord/address.ts";
import { REPEAT_NOTICE } from "../../../adapters/discord/notice.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { Delivery } from "../../../src/domain/reply.ts";
import type { Adapter } from "../../../src/ports/adapter.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { discordError, discordRateLimit, type FakeDiscord, fakeDiscord } from "../../fakes/discord.ts";
import { bodyOf, NOW_MS, PUBLIC_KEY, request } from "./fixture.ts";

const NEVER = new AbortController().signal;
const TOKEN_LIFE_MS = 15 * 60_000;
const HOUR_MS = 3_600_000;
const TOKEN = "aW50ZXJhY3Rpb246MQ";
const TABLE = "| Service | State |\n|-|-|\n| api | up |";
const MARKDOWN = `See [it](https://x.example/a):\n\n${TABLE}`;
const ABOVE = "See [it](<https://x.example/a>):";
const TEXT = "See [it](https://x.example/a):\n\n```\nService   State\n───────   ─────\napi       up\n```";
const EMBED = { title: "Service · State", fields: [{ name: "api", value: "up" }] };

let fake: FakeDiscord;
let nowMs: number;
let adapter: Adapter;

function create(over: Partial<DiscordOptions> = {}): Adapter {
  return createDiscordAdapter({
    publicKeys: [PUBLIC_KEY],
    botToken: new Secret("token"),
    applicationId: "900",
    apiUrl: fake.apiUrl,
    structured: "embeds",
    clock: {
      nowMs: () => nowMs,
      async sleep(durationMs) {
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
  fake = await fakeDiscord({ botToken: "token" });
  adapter = create();
});
afterEach(() => fake.close());

function addressOf(over: Record<string, unknown> = {}, by = adapter): ReplyAddress {
  const inbound = by.parse(asVerified(request({ ...bodyOf("slash"), ...over })));
  if (inbound.kind !== "events") throw new Error(`Expected events, got ${inbound.kind}`);
  return inbound.events[0]?.replyTo as ReplyAddress;
}

const alone = () => mintAddress({ ...(JSON.parse(addressOf()) as object), onlyFor: "30" } as never);
const written = mintAddress({ kind: "message", id: "52", channelId: "20", guildId: "10", embeds: true });

function delivery(markdown = MARKDOWN, over: Partial<Delivery> = {}): Delivery {
  const to = over.to ?? addressOf();
  const [part, ...more] = adapter.render(markdown, to);
  if (part === undefined || more.length > 0) throw new Error("Expected one part");
  return { partId: "e1/0", to, part, index: 0, sendsBefore: 0, mayRepeat: false, ...over };
}

function growing(markdown: string, to = addressOf()): Delivery {
  const [part] = adapter.render(markdown, adapter.growingAt?.(to) ?? to);
  if (part === undefined) throw new Error("Expected a part");
  return { ...delivery(MARKDOWN, { to }), part, isGrowing: true };
}

const said = () => fake.messages.map(({ kind, content, embeds }) => [kind, content, ...embeds]);
const calls = () => fake.calls.map(({ method, path }) => `${method} ${path.slice("/api/v10".length)}`);
const bodies = () => fake.calls.map(({ body }) => JSON.parse(body) as Record<string, unknown>);

describe("whether tables of an answer are embeds", () => {
  it("is asked for, and allowed there, as far as Discord tells", () => {
    const has = (over: Record<string, unknown>, by = adapter) => readAddress(addressOf(over, by))?.embeds;
    expect(has({}, create({ structured: "text" }))).toBeUndefined();
    expect(has({ app_permissions: undefined })).toBe(true);
    expect(has({ app_permissions: String((1n << 14n) | (1n << 11n)) })).toBe(true);
    expect(has({ app_permissions: String(1n << 3n) })).toBe(true);
    expect(has({ app_permissions: String(~(1n << 14n) & ((1n << 31n) - 1n) & ~(1n << 3n)) })).toBeUndefined();
    expect(has({ app_permissions: 7 })).toBe(true);
    // Of six messages none is spent on what stands behind a table.
    expect(has({ authorizing_integration_owners: { "1": "30" } })).toBeUndefined();
  });

  it("holds also where nobody has asked", () => {
    const place = { tenant: "10", channel: "20", thread: null, eventId: "e1" };
    expect(readAddress(adapter.addressOf?.(place) as ReplyAddress)?.embeds).toBe(true);
    expect(
      readAddress(create({ structured: "text" }).addressOf?.(place) as ReplyAddress)?.embeds,
    ).toBeUndefined();
  });
});

describe("an answer with a table", () => {
  it("is one embed in the deferred answer, whose links have no previews", async () => {
    expect((await adapter.send(delivery(), NEVER)).via).toBe("interaction.original");
    expect(said()).toEqual([["original", ABOVE, EMBED]]);
    expect(bodies()).toEqual([
      { content: ABOVE, embeds: [EMBED], flags: 0, allowed_mentions: { parse: [] }, components: [] },
    ]);
    expect(fake.messages[0]?.previews).toEqual([]);
  });

  it("is one in a follow-up, also in one that a single person sees", async () => {
    await adapter.send(delivery(MARKDOWN, { index: 1 }), NEVER);
    await adapter.send(delivery(MARKDOWN, { index: 1, to: alone() }), NEVER);
    expect(said()).toEqual(Array(2).fill(["followup", ABOVE, EMBED]));
    expect(bodies().map(({ flags }) => flags)).toEqual([0, 64]);
  });

  it("is one in the channel, where the interaction is over", async () => {
    nowMs += TOKEN_LIFE_MS;
    expect((await adapter.send(delivery(), NEVER)).via).toBe("channel.message");
    expect(said()).toEqual([["bot", ABOVE, EMBED]]);
  });

  it("is one beneath what somebody wrote, with its nonce", async () => {
    await adapter.send(delivery(MARKDOWN, { to: written }), NEVER);
    expect(said()).toEqual([["bot", ABOVE, EMBED]]);
    expect(bodies()[0]).toMatchObject({
      flags: 0,
      enforce_nonce: true,
      message_reference: { message_id: "52" },
    });
  });

  it("is an embed alone, where nothing is said before it", async () => {
    await adapter.send(delivery(TABLE), NEVER);
    await adapter.send(delivery(TABLE, { to: written }), NEVER);
    expect(said().map(([, ...seen]) => seen)).toEqual(Array(2).fill(["", EMBED]));
  });

  it("has its buttons below it", async () => {
    const to = addressOf();
    const [part] = adapter.render(MARKDOWN, to, [{ id: "yes", label: "Yes" }]);
    if (part === undefined) throw new Error("Expected a part");
    await adapter.send({ ...delivery(), part }, NEVER);
    expect(bodies()[0]).toMatchObject({ embeds: [EMBED], components: [{ components: [{ label: "Yes" }] }] });
  });

  it("is text while it grows, and its last change brings the embed", async () => {
    const more = `${MARKDOWN}\n\nAnd what …`;
    const receipt = await adapter.send(growing(more), NEVER);
    expect(said()).toEqual([["original", `${TEXT}\n\nAnd what …`]]);
    expect(bodies()[0]).toMatchObject({ flags: 4 });
    await adapter.edit?.(receipt, delivery(), NEVER);
    expect(said()).toEqual([["original", ABOVE, EMBED]]);
  });

  it("that has grown is changed by the bot, where the interaction is over", async () => {
    const receipt = await adapter.send(growing(MARKDOWN), NEVER);
    nowMs += TOKEN_LIFE_MS;
    await adapter.edit?.(receipt, delivery(), NEVER);
    expect(said()).toEqual([["original", ABOVE, EMBED]]);
    expect(calls().at(-1)).toBe(`PATCH /channels/20/messages/${receipt.messageId}`);
  });

  it("that was said in the channel is changed there", async () => {
    const receipt = await adapter.send(growing(MARKDOWN, written), NEVER);
    await adapter.edit?.(receipt, delivery(MARKDOWN, { to: written }), NEVER);
    expect(said()).toEqual([["bot", ABOVE, EMBED]]);
  });

  it("that may be a repeat says so above the embed", async () => {
    await adapter.send(delivery(MARKDOWN, { index: 1, mayRepeat: true }), NEVER);
    await adapter.send(delivery(MARKDOWN, { to: written, mayRepeat: true }), NEVER);
    expect(said()).toEqual([
      ["followup", `${REPEAT_NOTICE}\n${ABOVE}`, EMBED],
      ["bot", `${REPEAT_NOTICE}\n${ABOVE}`, EMBED],
    ]);
  });
});

describe("where the bot may show no embeds", () => {
  const WAYS: readonly (readonly [string, () => Partial<Delivery>])[] = [
    ["the deferred answer", () => ({})],
    ["a follow-up", () => ({ index: 1 })],
    ["a follow-up for one person", () => ({ index: 1, to: alone() })],
    ["the channel", () => ({ to: written })],
  ];

  const WORDS = [
    ["with words above it", MARKDOWN, TEXT],
    ["alone", TABLE, TEXT.slice(TEXT.indexOf("```"))],
  ] as const;

  it.each(WAYS.flatMap(([way, over]) => WORDS.map((words) => [way, ...words, over] as const)))(
    "%s with a table %s is text, and so is the next one at once",
    async (_way, _words, markdown, text, over) => {
      for (const place of ["20", TOKEN]) fake.noEmbeds.add(place);
      const { messageId } = await adapter.send(delivery(markdown, over()), NEVER);
      expect(fake.messages).toMatchObject([{ id: messageId, content: text, embeds: [], previews: [] }]);
      expect(calls()).toHaveLength(2);
      await adapter.send(delivery(markdown, { ...over(), partId: "e2/0" }), NEVER);
      expect(calls()).toHaveLength(3);
      expect(fake.messages.at(-1)).toMatchObject({ content: text, embeds: [] });
    },
  );

  it("a change is text, whoever makes it", async () => {
    fake.noEmbeds.add("20").add(TOKEN);
    const receipt = await adapter.send(growing(MARKDOWN), NEVER);
    await adapter.edit?.(receipt, delivery(), NEVER);
    expect(said()).toEqual([["original", TEXT]]);
    nowMs += TOKEN_LIFE_MS;
    adapter = create();
    await adapter.edit?.(receipt, delivery(), NEVER);
    expect(said()).toEqual([["original", TEXT]]);
  });

  it("is found out again after an hour, and of each channel by itself", async () => {
    fake.noEmbeds.add("20");
    await adapter.send(delivery(MARKDOWN, { to: written }), NEVER);
    const elsewhere = mintAddress({
      kind: "message",
      id: "53",
      channelId: "21",
      guildId: "10",
      embeds: true,
    });
    await adapter.send(delivery(MARKDOWN, { to: elsewhere, partId: "e2/0" }), NEVER);
    expect(said().at(-1)).toEqual(["bot", ABOVE, EMBED]);
    fake.noEmbeds.clear();
    nowMs += HOUR_MS;
    await adapter.send(delivery(MARKDOWN, { to: written, partId: "e3/0" }), NEVER);
    expect(said().at(-1)).toEqual(["bot", ABOVE, EMBED]);
  });

  it("a message that could not be made text is in doubt, and made so later, in its place", async () => {
    fake.noEmbeds.add("20");
    const one = delivery(MARKDOWN, { to: written });
    fake.refuse("/channels/20/messages/", discordRateLimit(5));
    await expect(adapter.send(one, NEVER)).rejects.toMatchObject({ kind: "unknown", retryAfterMs: 5_000 });
    expect(said()).toEqual([["bot", ABOVE]]);
    nowMs += HOUR_MS;
    const found = await create().recover(one, NEVER);
    expect(found).toEqual({ messageId: fake.messages[0]?.id, via: "channel.message" });
    await adapter.edit?.(found as never, one, NEVER);
    expect(said()).toEqual([["bot", TEXT]]);
  });

  it("a message that Discord does not take at all is given up as before", async () => {
    fake.refuse("/channels/20/messages", discordError(403, 50_013), 9);
    await expect(adapter.send(delivery(MARKDOWN, { to: written }), NEVER)).rejects.toMatchObject({
      kind: "rejected",
    });
    expect(calls()).toHaveLength(2);
  });

  it.each([
    [429, discordRateLimit(3)],
    [404, discordError(404, 10_003)],
    [503, { status: 503, body: "" }],
  ])("nothing else that Discord says (%s) is taken for that", async (_, answer) => {
    fake.refuse("/channels/20/messages", answer);
    await expect(adapter.send(delivery(MARKDOWN, { to: written }), NEVER)).rejects.toThrow();
    expect(calls()).toHaveLength(1);
  });
});

describe("an embed in doubt", () => {
  it("is found by its words among others of the same bot", async () => {
    const table = (name: string) =>
      delivery(TABLE.replace("api", name), { to: written, partId: name, index: 1 });
    for (const name of ["api", "web"]) await adapter.send(table(name), NEVER);
    const another = create();
    for (const [at, name] of ["api", "web"].entries())
      expect(await another.recover(table(name), NEVER)).toMatchObject({ messageId: fake.messages[at]?.id });
    expect(await another.recover(table("db"), NEVER)).toBe("absent");
  });

  it("is repeated in its place, where that is the deferred answer", async () => {
    const one = delivery();
    await adapter.send(one, NEVER);
    expect(await adapter.recover(one, NEVER)).toBe("repeatable");
    await adapter.send({ ...one, mayRepeat: true }, NEVER);
    expect(said()).toEqual([["original", `${REPEAT_NOTICE}\n${ABOVE}`, EMBED]]);
  });
});
