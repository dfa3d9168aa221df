import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDiscordAdapter } from "../../../adapters/discord/adapter.ts";
import { type MessageAddress, mintAddress } from "../../../adapters/discord/address.ts";
import type { Delivery, ReplyPart } from "../../../src/domain/reply.ts";
import type { Adapter } from "../../../src/ports/adapter.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { discordError, type FakeDiscord, fakeDiscord } from "../../fakes/discord.ts";
import { PUBLIC_KEY } from "./fixture.ts";

const NEVER = new AbortController().signal;
const MINUTE_MS = 60_000;

let fake: FakeDiscord;
let nowMs: number;
beforeEach(async () => {
  nowMs = Date.now();
  fake = await fakeDiscord({ botToken: "token" });
});
afterEach(() => fake.close());

/** As one process after the other has it. */
function adapter(): Adapter {
  return createDiscordAdapter({
    publicKeys: [PUBLIC_KEY],
    botToken: new Secret("token"),
    applicationId: "900",
    apiUrl: fake.apiUrl,
    clock: { nowMs: () => nowMs, sleep: async () => {} },
    timeoutMs: 5_000,
    random: () => 0,
  });
}

function delivery(over: Partial<Delivery & MessageAddress & { text: string }> = {}): Delivery {
  const { text = "done", id = fake.gateway.nextId(), channelId = "20", opensThread, ...rest } = over;
  const address = { kind: "message", id, channelId, guildId: "10" } as const;
  return {
    partId: "e1/0",
    to: mintAddress(opensThread === undefined ? address : { ...address, opensThread }),
    part: JSON.stringify({ content: text }) as ReplyPart,
    index: 0,
    sendsBefore: 0,
    mayRepeat: false,
    ...rest,
  };
}

const posted = () => fake.messages.map(({ channelId, content, body }) => ({ channelId, content, body }));

describe("an answer to what somebody wrote", () => {
  it("is a reply to it, its further parts follow, and nobody is pinged", async () => {
    const under = adapter();
    await under.send(delivery({ id: "52", text: "one" }), NEVER);
    await under.send(delivery({ id: "52", text: "two", index: 1, partId: "e1/1" }), NEVER);
    expect(posted()).toMatchObject([
      {
        channelId: "20",
        content: "one",
        body: {
          message_reference: { message_id: "52", channel_id: "20", fail_if_not_exists: false },
          allowed_mentions: { parse: [] },
          enforce_nonce: true,
        },
      },
      { channelId: "20", content: "two" },
    ]);
    expect(fake.messages[1]?.body).not.toHaveProperty("message_reference");
    expect(fake.messages[1]?.body.nonce).not.toBe(fake.messages[0]?.body.nonce);
  });

  it("is said once however often it is sent", async () => {
    const once = delivery({ id: "52" });
    const first = await adapter().send(once, NEVER);
    const second = await adapter().send(once, NEVER);
    expect(second).toEqual(first);
    expect(fake.messages).toHaveLength(1);
  });

  it("goes into a thread of its own, which is opened once", async () => {
    const inThread = { id: "52", opensThread: "deploy api" };
    const under = adapter();
    await under.send(delivery({ ...inThread, text: "one" }), NEVER);
    await under.send(delivery({ ...inThread, text: "two", index: 1, partId: "e1/1" }), NEVER);
    // Another process does not know that there is one.
    await adapter().send(delivery({ ...inThread, text: "three", index: 2, partId: "e1/2" }), NEVER);
    expect([...fake.opened]).toEqual([["52", "deploy api"]]);
    expect(posted().map(({ channelId, content }) => [channelId, content])).toEqual([
      ["52", "one"],
      ["52", "two"],
      ["52", "three"],
    ]);
  });

  it("is a reply where the bot may open no thread", async () => {
    fake.refuse("/threads", discordError(403, 50_013));
    const receipt = await adapter().send(delivery({ id: "52", opensThread: "x" }), NEVER);
    expect(receipt.via).toBe("channel.message");
    expect(posted()).toMatchObject([{ channelId: "20", body: { message_reference: { message_id: "52" } } }]);
  });

  it("can be changed where it was said", async () => {
    const under = adapter();
    const one = delivery({ id: "52", opensThread: "x" });
    const receipt = await under.send(one, NEVER);
    const changed = await under.edit?.(
      receipt,
      { ...one, part: JSON.stringify({ content: "more" }) as ReplyPart },
      NEVER,
    );
    expect(changed).toEqual(receipt);
    expect(posted()).toMatchObject([{ channelId: "52", content: "more" }]);
  });
});

describe("an answer that may have been said", () => {
  it("may be sent again as long as its nonce is known", async () => {
    const under = adapter();
    const one = delivery();
    await under.send(one, NEVER);
    expect(await under.recover(one, NEVER)).toBe("repeatable");
  });

  it("is looked for by another process, and once its nonce is forgotten", async () => {
    const question = fake.gateway.say({ content: "<@900> hi" });
    const under = adapter();
    const one = delivery({ id: question.id });
    const receipt = await under.send(one, NEVER);
    expect(await adapter().recover(one, NEVER)).toEqual(receipt);
    nowMs += 3 * MINUTE_MS;
    expect(await under.recover(one, NEVER)).toEqual(receipt);
  });

  it("is absent when nothing of it is there, and other answers are not taken for it", async () => {
    const question = fake.gateway.say({ content: "<@900> hi" });
    const other = fake.gateway.say({ content: "<@900> hello" });
    await adapter().send(delivery({ id: other.id, partId: "e2/0" }), NEVER);
    expect(await adapter().recover(delivery({ id: question.id }), NEVER)).toBe("absent");
  });

  it("is found in its thread", async () => {
    const question = fake.gateway.say({ content: "<@900> hi" });
    const one = delivery({ id: question.id, opensThread: "hi" });
    const receipt = await adapter().send(one, NEVER);
    expect(receipt.via).toBe("thread.message");
    expect(await adapter().recover(one, NEVER)).toEqual(receipt);
  });

  it("stays in doubt where the bot may not read", async () => {
    fake.refuse("/messages", discordError(403, 50_001), 9);
    expect(await adapter().recover(delivery(), NEVER)).toBe("unknown");
  });
});
