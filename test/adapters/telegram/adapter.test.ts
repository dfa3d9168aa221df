import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTelegramAdapter, learnUsername } from "../../../adapters/telegram/adapter.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { ReplyPart } from "../../../src/domain/reply.ts";
import { asVerified } from "../../contract/raw-request.ts";
import type { FakeTelegram } from "../../fakes/telegram.ts";
import { adapterFor, openFake, optionsFor } from "./fake.ts";
import { addressOf, BOT_TOKEN, fixture, NOW_MS, parse, post, secretOf } from "./setup.ts";

let fake: FakeTelegram;
beforeEach(async () => {
  fake = await openFake();
});
afterEach(() => fake.close());

describe("the adapter", () => {
  it.each([
    ["no token", { botToken: secretOf("") }, "bot token"],
    ["a token that would change the URL", { botToken: secretOf("77:AAH/../never-shown") }, "bot token"],
    ["no webhook secret", { webhookSecrets: [] }, "one or two Telegram webhook secrets"],
    ["three webhook secrets", { webhookSecrets: ["a", "b", "c"].map(secretOf) }, "one or two"],
    ["an empty webhook secret", { webhookSecrets: [secretOf("")] }, "1 to 256"],
    ["a webhook secret that setWebhook refuses", { webhookSecrets: [secretOf("never shown")] }, "1 to 256"],
    ["an API root that is no URL", { apiRoot: "never-shown" }, "http or https URL"],
    ["an API root of another scheme", { apiRoot: "file:///never-shown" }, "http or https URL"],
  ])("is not made with %s", (_, over, message) => {
    const make = () => createTelegramAdapter(optionsFor(fake, over));
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(make).not.toThrow("never-shown");
  });

  it("calls nobody until it is asked to", () => {
    adapterFor(fake);
    expect(fake.calls).toEqual([]);
  });

  it("does not show its secrets when printed", () => {
    expect(inspect(adapterFor(fake), { depth: 20, showHidden: true })).not.toContain(BOT_TOKEN);
  });

  it("knows a mention by name as soon as the name is learnt", async () => {
    const options = optionsFor(fake, { identity: { username: null } });
    const adapter = createTelegramAdapter(options);
    const triggerOf = (name: string) => {
      const inbound = adapter.parse(asVerified(post(fixture(name))));
      return inbound.kind === "events" ? inbound.events[0]?.trigger : inbound.kind;
    };
    expect(triggerOf("other-bot-command")).toBe("command");
    options.identity.username = await learnUsername(options);
    expect(options.identity.username).toBe("gw_bot");
    expect(triggerOf("other-bot-command")).toBe("ignored");
    expect(triggerOf("group-mention")).toBe("mention");
  });
});

describe("learning the name", () => {
  it.each([
    ["a wrong token", { botToken: secretOf("77:wrong") }],
    ["nobody there", { apiRoot: "http://127.0.0.1:1" }],
  ])("gives nothing with %s, without failing", async (_, over) => {
    expect(await learnUsername(optionsFor(fake, over))).toBeNull();
  });

  it("does not take the name of another bot", async () => {
    const body = { ok: true, result: { id: 78, is_bot: true, username: "other_bot" } };
    fake.faults.push({ kind: "status", status: 200, body });
    expect(await learnUsername(optionsFor(fake))).toBeNull();
  });

  it("stops when told to", async () => {
    const abort = new AbortController();
    fake.faults.push({ kind: "hang-after" });
    const learning = learnUsername(optionsFor(fake), abort.signal);
    await fake.waitFor((call) => call.fault === "hang-after");
    abort.abort();
    expect(await learning).toBeNull();
  });
});

describe("typing", () => {
  /** Shows it over `rounds` pauses, then stops it; gives the pauses. */
  async function type(to: ReplyAddress, rounds: number): Promise<number[]> {
    const abort = new AbortController();
    const pauses: number[] = [];
    const sleep = async (durationMs: number) => {
      pauses.push(durationMs);
      if (pauses.length >= rounds) abort.abort();
    };
    await adapterFor(fake, { clock: { sleep, nowMs: () => NOW_MS } }).typing?.(to, abort.signal);
    return pauses;
  }

  it("is shown every four seconds, in the topic, until stopped", async () => {
    const to = addressOf({ chatId: "-1001234567890", isPrivate: false, messageThreadId: 3 });
    expect(await type(to, 3)).toEqual([4_000, 4_000, 4_000]);
    const action = { chatId: -1001234567890, threadId: 3, action: "typing" };
    expect(fake.actions).toEqual([action, action, action]);
  });

  it("is not shown in the direct messages of a channel, where Telegram has none", async () => {
    const to = addressOf({ chatId: "-1009100", isPrivate: false, directTopicId: 501 });
    expect(await type(to, 1)).toEqual([]);
    expect(fake.calls).toEqual([]);
  });

  it("stops the spinner of a button at once, and the reply does not do it again", async () => {
    const to = addressOf({ messageId: 9, callbackQueryId: "4382" });
    const abort = new AbortController();
    const adapter = adapterFor(fake, { clock: { sleep: async () => abort.abort(), nowMs: () => NOW_MS } });
    await adapter.typing?.(to, abort.signal);
    const [part] = adapter.render("done", to);
    if (part === undefined) throw new Error("Expected a part, got none");
    const delivery = { partId: "event/0", to, part, index: 0, sendsBefore: 0, mayRepeat: false };
    await adapter.send(delivery, new AbortController().signal);
    expect(fake.calls.map((call) => call.path.split("/").at(-1))).toEqual([
      "answerCallbackQuery",
      "sendChatAction",
      "sendMessage",
    ]);
    expect(fake.answered).toEqual(["4382"]);
  });

  it("goes on after trouble, waits out a flood, and never throws", async () => {
    const flood = { ok: false, error_code: 429, description: "…", parameters: { retry_after: 9 } };
    fake.faults.push(
      { kind: "status", status: 502 },
      { kind: "reset" },
      { kind: "status", status: 429, body: flood },
    );
    expect(await type(addressOf({}), 4)).toEqual([4_000, 4_000, 9_000, 4_000]);
    expect(fake.actions).toHaveLength(1);
  });

  it("ends by itself where the bot may not write", async () => {
    fake.blocked.add(30);
    expect(await type(addressOf({}), 3)).toEqual([]);
    expect(fake.calls).toHaveLength(1);
  });

  it("does nothing when stopped before it began, or with the address of another adapter", async () => {
    await adapterFor(fake).typing?.(addressOf({}), AbortSignal.abort());
    await type("{}" as ReplyAddress, 1);
    expect(fake.calls).toEqual([]);
  });

  it("ends when stopped during a pause", async () => {
    const abort = new AbortController();
    const { sleep } = optionsFor(fake).clock;
    const pausing = Promise.withResolvers<void>();
    const clock = {
      nowMs: () => NOW_MS,
      sleep(durationMs: number, signal?: AbortSignal) {
        pausing.resolve();
        return sleep(durationMs, signal);
      },
    };
    const typing = adapterFor(fake, { clock }).typing?.(addressOf({}), abort.signal);
    await pausing.promise;
    abort.abort();
    await expect(typing).resolves.toBeUndefined();
    expect(fake.actions).toHaveLength(1);
  });

  it("lets a call on its way end by itself when stopped, keeps the connection, and makes no other", async () => {
    const abort = new AbortController();
    const answered = Promise.withResolvers<void>();
    fake.faults.push({ kind: "slow", until: answered.promise });
    const adapter = adapterFor(fake);
    const typing = adapter.typing?.(addressOf({}), abort.signal);
    await fake.waitFor((call) => call.fault === "slow");
    abort.abort();
    answered.resolve();
    await expect(typing).resolves.toBeUndefined();
    expect(fake.actions).toHaveLength(1);
    expect(fake.connections()).toBe(1);
    await adapter.send(
      {
        ...{ partId: "event/0", to: addressOf({}), index: 0, sendsBefore: 0, mayRepeat: false },
        part: adapter.render("done", addressOf({}))[0] as ReplyPart,
      },
      new AbortController().signal,
    );
    expect(fake.connections()).toBe(1);
  });
});

describe("a press that comes to nothing", () => {
  const query = { id: "4382", from: { id: 30, is_bot: false, first_name: "Ann" }, chat_instance: "-77" };
  it.each<[string, object]>([
    ["without a message", { ...query, inline_message_id: "AgAA", data: "x" }],
    ["without data", { ...query, message: { message_id: 9, date: 1, chat: { id: 30, type: "private" } } }],
    ["of a game", { ...query, inline_message_id: "AgAA", game_short_name: "chess" }],
    ["without a sender", { id: "4382", data: "x" }],
    ["on a message without a chat", { ...query, data: "x", message: { message_id: 9 } }],
    [
      "of a business chat",
      { ...query, data: "x", message: { chat: { id: 30 }, business_connection_id: "b" } },
    ],
  ])("%s is answered, once", async (_, callback) => {
    const adapter = adapterFor(fake);
    const inbound = parse(JSON.stringify({ update_id: 1, callback_query: callback }));
    if (inbound.kind !== "ignored" || inbound.awaited === undefined)
      throw new Error(`Expected a press that is awaited, got ${JSON.stringify(inbound)}`);
    await adapter.dismiss?.(inbound.awaited);
    await adapter.dismiss?.(inbound.awaited);
    expect(fake.answered).toEqual(["4382"]);
    expect(fake.calls).toHaveLength(1);
  });
});
