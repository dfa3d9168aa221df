import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDiscordAdapter, type DiscordOptions } from "../../../adapters/discord/adapter.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { Delivery, ReplyPart } from "../../../src/domain/reply.ts";
import type { Adapter } from "../../../src/ports/adapter.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { discordError, type FakeDiscord, fakeDiscord } from "../../fakes/discord.ts";
import { fixture, NOW_MS, PUBLIC_KEY } from "./fixture.ts";

const NEVER = new AbortController().signal;
const TOKEN_LIFE_MS = 15 * 60_000;
const BOT_TOKEN = new Secret("bot-token-nobody-may-see");

let fake: FakeDiscord;
let nowMs: number;
let slept: number[];
beforeEach(async () => {
  nowMs = NOW_MS;
  slept = [];
  fake = await fakeDiscord({ botToken: BOT_TOKEN.reveal() });
});
afterEach(() => fake.close());

function create(over: Partial<DiscordOptions> = {}): Adapter {
  return createDiscordAdapter({
    publicKeys: [PUBLIC_KEY],
    botToken: BOT_TOKEN,
    applicationId: "900",
    apiUrl: fake.apiUrl,
    clock: {
      nowMs: () => nowMs,
      async sleep(durationMs) {
        slept.push(durationMs);
        nowMs += durationMs;
      },
    },
    timeoutMs: 30_000,
    random: () => 0.5,
    ...over,
  });
}

function address(name = "slash"): ReplyAddress {
  const inbound = create().parse(asVerified(fixture(name)));
  if (inbound.kind !== "events") throw new Error(`Expected events, got ${inbound.kind}`);
  return inbound.events[0]?.replyTo as ReplyAddress;
}

const delivery = (content: string, over: Partial<Delivery> = {}): Delivery => ({
  partId: "e1/0",
  to: address(),
  part: JSON.stringify({ content }) as ReplyPart,
  index: 0,
  sendsBefore: 0,
  mayRepeat: false,
  ...over,
});
const growing = (content: string) => delivery(content, { isGrowing: true });
const texts = () => fake.messages.map(({ kind, content }) => `${kind}: ${content}`);
const paths = () => fake.calls.map(({ method, path }) => `${method} ${path.slice("/api/v10".length)}`);

describe("an answer that grows in a deferred answer", () => {
  it("changes once in 1.1 seconds, and is whole no sooner than a second after that", async () => {
    const adapter = create();
    const to = address();
    expect(adapter.previewInMs?.(to, true)).toBe(0);
    const receipt = await adapter.send(growing("one …"), NEVER);
    expect(adapter.previewInMs?.(to, false)).toBe(1_100);
    nowMs += 1_100;
    await adapter.edit?.(receipt, growing("one two …"), NEVER);
    nowMs += 100;
    await adapter.edit?.(receipt, delivery("one two three"), NEVER);
    expect(slept).toEqual([900]);
    expect(texts()).toEqual(["original: one two three"]);
    expect(new Set(paths()).size).toBe(1);
    for (const { body } of fake.calls)
      expect(JSON.parse(body)).toMatchObject({ allowed_mentions: { parse: [] }, flags: 4 });
  });

  it("waits for nothing where nothing was shown, nor where that is long ago", async () => {
    const adapter = create();
    await adapter.send(delivery("all"), NEVER);
    await adapter.edit?.({ messageId: "1", via: "interaction.original" }, delivery("all"), NEVER);
    expect(slept).toEqual([]);
  });

  it("is edited by the bot itself once the interaction is over", async () => {
    const adapter = create();
    const receipt = await adapter.send(growing("one …"), NEVER);
    nowMs += TOKEN_LIFE_MS;
    expect(await adapter.edit?.(receipt, delivery("whole"), NEVER)).toEqual({
      messageId: receipt.messageId,
      via: "channel.message",
    });
    expect(texts()).toEqual(["original: whole"]);
    expect(paths().at(-1)).toBe(`PATCH /channels/20/messages/${receipt.messageId}`);
  });

  it("is edited by the bot when Discord says that the interaction is over", async () => {
    const adapter = create();
    const receipt = await adapter.send(growing("one …"), NEVER);
    fake.refuse("@original", discordError(401, 50_027));
    await adapter.edit?.(receipt, delivery("whole"), NEVER);
    expect(texts()).toEqual(["original: whole"]);
    expect(paths().at(-1)).toMatch(/^PATCH \/channels\/20\/messages\//);
  });

  it("is gone where the interaction is over and the bot is not there, or there is none", async () => {
    const adapter = create();
    const receipt = await adapter.send(growing("one …"), NEVER);
    nowMs += TOKEN_LIFE_MS;
    fake.outside.add("20");
    expect(await adapter.edit?.(receipt, delivery("whole"), NEVER)).toBe("gone");
    expect(await create({ botToken: null }).edit?.(receipt, delivery("whole"), NEVER)).toBe("gone");
  });

  it("that was deleted is followed by another message at once, and not by a doubt", async () => {
    const adapter = create();
    const receipt = await adapter.send(growing("one …"), NEVER);
    fake.messages.splice(0);
    expect(await adapter.edit?.(receipt, delivery("whole"), NEVER)).toBe("gone");
    expect(await adapter.recover(delivery("whole"), NEVER)).toBe("unknown");
    await adapter.send(delivery("whole"), NEVER);
    expect(texts()).toEqual(["followup: whole"]);
    expect(slept).toEqual([]);
  });
});

describe("where an answer is shown while it grows", () => {
  it.each([
    ["on", 0, 0],
    ["direct", 0, null],
    ["off", null, null],
  ] as const)(
    "with preview: %s in %s ms in direct messages, in %s in a server",
    (preview, direct, server) => {
      const inServer = address();
      const inPrivate = JSON.stringify({ ...JSON.parse(inServer), guildId: null }) as ReplyAddress;
      const adapter = create({ preview });
      expect(adapter.previewInMs?.(inPrivate, true)).toBe(direct);
      expect(adapter.previewInMs?.(inServer, true)).toBe(server);
    },
  );

  it("leaves a fifth of a channel's edits, and most of the bot's, to answers that are whole", () => {
    const adapter = create();
    const over = (channelId: string) =>
      JSON.stringify({ ...JSON.parse(address()), channelId, expiresAtMs: 0 }) as ReplyAddress;
    expect([1, 2, 3].map(() => adapter.previewInMs?.(over("20"), false))).toEqual([0, 1_250, 2_500]);
    const many = Array.from({ length: 100 }, (_, n) => adapter.previewInMs?.(over(`5${n}`), false) ?? 0);
    expect(Math.max(...many)).toBeGreaterThanOrEqual(100 * 50);
  });
});
