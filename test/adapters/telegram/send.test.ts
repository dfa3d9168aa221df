import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeliveryError } from "../../../src/domain/errors.ts";
import type { Delivery, ReplyPart } from "../../../src/domain/reply.ts";
import type { Fault } from "../../fakes/server.ts";
import type { FakeTelegram } from "../../fakes/telegram.ts";
import { adapterFor, openFake } from "./fake.ts";
import { addressOf, BOT_TOKEN, secretOf } from "./setup.ts";

const GROUP = { chatId: "-1001234567890", isPrivate: false, messageId: 7 };
const never = new AbortController().signal;

let fake: FakeTelegram;
beforeEach(async () => {
  fake = await openFake();
});
afterEach(() => fake.close());

function delivery(over: Partial<Delivery> = {}, html = "Hello, <b>Ann</b>", plain = "Hello, Ann"): Delivery {
  const part = JSON.stringify({ html, plain }) as ReplyPart;
  const base = { partId: "event/0", to: addressOf({}), part };
  return { ...base, index: 0, sendsBefore: 0, mayRepeat: false, ...over };
}

async function failureOf(what: Delivery, adapter = adapterFor(fake)): Promise<DeliveryError> {
  const error: unknown = await adapter.send(what, never).catch((reason: unknown) => reason);
  if (!(error instanceof DeliveryError)) throw new Error(`Expected a DeliveryError, got ${inspect(error)}`);
  const everything = inspect(error, { depth: 20, showHidden: true });
  expect(everything).not.toContain(BOT_TOKEN);
  expect(everything).not.toContain("token-never-shown");
  expect(everything).not.toContain("Hello");
  return error;
}

const bodies = () => fake.calls.map((call) => JSON.parse(call.body) as Record<string, unknown>);
const methods = () => fake.calls.map((call) => call.path.split("/").at(-1));
const answer = (status: number, description: string, parameters?: object): Fault => ({
  kind: "status",
  status,
  body: { ok: false, error_code: status, description, ...(parameters && { parameters }) },
});

describe("a message", () => {
  it("in a private chat is HTML without preview, and quotes nothing", async () => {
    const receipt = await adapterFor(fake).send(delivery({ to: addressOf({ messageId: 5 }) }), never);
    expect(receipt).toEqual({ messageId: "101", via: "sendMessage" });
    expect(bodies()).toEqual([
      {
        chat_id: 30,
        text: "Hello, <b>Ann</b>",
        parse_mode: "HTML",
        link_preview_options: { is_disabled: true },
      },
    ]);
    expect(fake.messages).toMatchObject([{ chatId: 30, text: "Hello, Ann", asHtml: true }]);
  });

  it("in a topic stays in it, and its first part shows what it answers", async () => {
    const to = addressOf({ ...GROUP, messageThreadId: 3 });
    const adapter = adapterFor(fake);
    await adapter.send(delivery({ to }), never);
    await adapter.send(delivery({ to, index: 1 }), never);
    expect(fake.messages).toMatchObject([
      { chatId: -1001234567890, threadId: 3, replyTo: 7 },
      { chatId: -1001234567890, threadId: 3, replyTo: null },
    ]);
    expect(bodies()[0]).toMatchObject({ reply_parameters: { allow_sending_without_reply: true } });
  });

  it("in the direct messages of a channel goes to the one person's topic, however it is said", async () => {
    fake.directMessages.add(-1009100);
    const at = { chatId: "-1009100", isPrivate: false, messageId: 81 };
    const to = addressOf({ ...at, directTopicId: 501 });
    const adapter = adapterFor(fake);
    await adapter.send(delivery({ to }), never);
    await adapter.send(delivery({ to, index: 1, mayRepeat: true }, "<oops>", "oops"), never);
    expect(fake.messages).toMatchObject([
      { chatId: -1009100, directTopicId: 501, threadId: null, replyTo: 81, asHtml: true },
      { chatId: -1009100, directTopicId: 501, threadId: null, replyTo: null, asHtml: false },
    ]);
    fake.migrated.set(-1009100, -1009200);
    expect(await failureOf(delivery({ to }))).toMatchObject({ kind: "rejected", status: 400 });
    expect(fake.messages).toHaveLength(2);
  });

  it("that Telegram cannot parse is said plainly", async () => {
    await adapterFor(fake).send(delivery({ to: addressOf(GROUP) }, "Hello, <b>Ann", "Hello, Ann"), never);
    expect(fake.messages).toMatchObject([{ text: "Hello, Ann", asHtml: false, replyTo: 7 }]);
  });

  it("that may have been said carries a notice", async () => {
    await adapterFor(fake).send(delivery({ mayRepeat: true }), never);
    expect(fake.messages.map(({ text }) => text)).toEqual([
      "This may be a repeat: the first delivery was not confirmed.\n\nHello, Ann",
    ]);
  });

  it("that fills a whole message has its notice before it", async () => {
    const full = "x".repeat(4_096);
    await adapterFor(fake).send(delivery({ mayRepeat: true }, full, full), never);
    expect(fake.messages.map(({ text }) => text)).toEqual([
      "This may be a repeat: the first delivery was not confirmed.",
      full,
    ]);
  });

  it("follows a group that became a supergroup", async () => {
    fake.migrated.set(-500, -1001234567890);
    const to = addressOf({ chatId: "-500", isPrivate: false, messageId: 7, messageThreadId: 2 });
    await adapterFor(fake).send(delivery({ to }), never);
    expect(fake.messages).toMatchObject([
      { chatId: -1001234567890, threadId: null, replyTo: null, text: "Hello, Ann", asHtml: true },
    ]);
  });

  it("may need both: other markup, and the chat's new place", async () => {
    fake.migrated.set(-500, -1001234567890);
    const to = addressOf({ chatId: "-500", isPrivate: false });
    await adapterFor(fake).send(delivery({ to }, "<oops>", "oops"), never);
    expect(fake.messages).toMatchObject([{ chatId: -1001234567890, text: "oops", asHtml: false }]);
  });

  it("does not chase a chat that moves on and on", async () => {
    fake.migrated.set(-500, -501).set(-501, -502).set(-502, -503);
    const to = addressOf({ chatId: "-500", isPrivate: false });
    expect(await failureOf(delivery({ to }))).toMatchObject({ kind: "rejected", status: 400 });
    expect(fake.calls).toHaveLength(3);
  });
});

describe("a button's answer", () => {
  const to = addressOf({ messageId: 9, callbackQueryId: "4382" });

  it("stops the spinner once, before the first part", async () => {
    const adapter = adapterFor(fake);
    await adapter.send(delivery({ to }), never);
    await adapter.send(delivery({ to, index: 1 }), never);
    expect(methods()).toEqual(["answerCallbackQuery", "sendMessage", "sendMessage"]);
    expect(fake.answered).toEqual(["4382"]);
  });

  it("is said although the spinner has given up", async () => {
    fake.tooOld.add("4382");
    await adapterFor(fake).send(delivery({ to }), never);
    expect(fake.answered).toEqual([]);
    expect(fake.messages).toHaveLength(1);
  });

  it("is said although the spinner could not be reached, and then tries again", async () => {
    const adapter = adapterFor(fake);
    fake.faults.push({ kind: "reset" });
    await adapter.send(delivery({ to }), never);
    await adapter.send(delivery({ to }), never);
    expect(fake.messages).toHaveLength(2);
    expect(fake.answered).toEqual(["4382"]);
  });
});

describe("a failure", () => {
  it.each([
    ["a flood", answer(429, "Too Many Requests: retry after 7", { retry_after: 7 }), "retry", 429, 7_000],
    ["a flood without an end", answer(429, "Too Many Requests"), "retry", 429, null],
    ["a flood for days", answer(429, "…", { retry_after: 900_000 }), "retry", 429, 3_600_000],
    ["trouble at Telegram", answer(500, "Internal Server Error"), "retry", 500, null],
    ["trouble in front of it", { kind: "status", status: 502, body: "<html>" }, "retry", 502, null],
    ["another proxy", { kind: "status", status: 524 }, "unknown", 524, null],
    ["a proxy that stopped waiting", { kind: "status", status: 504 }, "unknown", 504, null],
    ["a revoked token", answer(401, "Unauthorized"), "refused", 401, null],
    ["no token at all", answer(404, "Not Found"), "refused", 404, null],
    ["a proxy's page", { kind: "status", status: 200, body: "<html>hello</html>" }, "unknown", null, null],
    ["an answer of another kind", { kind: "status", status: 200, body: "[]" }, "unknown", null, null],
    ["an empty answer", { kind: "status", status: 200, body: "" }, "unknown", null, null],
    ["no as a text", { kind: "status", status: 400, body: { ok: false } }, "unknown", null, null],
    ["null", { kind: "status", status: 200, body: "null" }, "unknown", null, null],
    ["a cut connection", { kind: "reset" }, "unknown", null, null],
    ["a connection cut afterwards", { kind: "reset-after" }, "unknown", null, null],
  ] as const)("after %s says what may have been said", async (_, fault, kind, status, retryAfterMs) => {
    fake.faults.push({ ...fault });
    expect(await failureOf(delivery())).toMatchObject({ kind, status, retryAfterMs });
    expect(fake.calls).toHaveLength(1);
  });

  it("is in doubt when no answer comes in time", async () => {
    fake.faults.push({ kind: "hang-after" });
    const error = await failureOf(delivery(), adapterFor(fake, { timeoutMs: 100 }));
    expect(error).toMatchObject({ kind: "unknown", status: null });
  });

  it("is in doubt when the answer stops halfway and no end comes in time", async () => {
    const halfway = createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).write('{"ok":true,"resu');
    });
    await new Promise<void>((resolve) => halfway.listen(0, "127.0.0.1", resolve));
    const { port } = halfway.address() as AddressInfo;
    const adapter = adapterFor({ url: `http://127.0.0.1:${port}` }, { timeoutMs: 200 });
    const error = await failureOf(delivery(), adapter);
    halfway.closeAllConnections();
    halfway.close();
    expect(error).toMatchObject({ kind: "unknown", status: null });
  });

  it("is certain when there is nobody to connect to", async () => {
    await fake.close();
    expect(await failureOf(delivery())).toMatchObject({ kind: "retry", status: null });
  });

  it("is certain when it was stopped before it began", async () => {
    const sent = adapterFor(fake).send(delivery(), AbortSignal.abort());
    await expect(sent).rejects.toMatchObject({ kind: "retry" });
    expect(fake.calls).toEqual([]);
  });

  it("is final when the person has blocked the bot", async () => {
    fake.blocked.add(30);
    expect(await failureOf(delivery())).toMatchObject({ kind: "rejected", status: 403 });
  });

  it("is final when the chat is gone", async () => {
    fake.missing.add(30);
    expect(await failureOf(delivery())).toMatchObject({ kind: "rejected", status: 400 });
  });

  it("is final when the topic is gone: General is not asked to read it", async () => {
    fake.deletedTopics.add("-1001234567890:3");
    const to = addressOf({ ...GROUP, messageThreadId: 3 });
    expect(await failureOf(delivery({ to }))).toMatchObject({ kind: "rejected", status: 400 });
    expect(fake.messages).toEqual([]);
  });

  it("is final when the message is too long even without markup", async () => {
    const long = "y".repeat(4_097);
    expect(await failureOf(delivery({}, long, long))).toMatchObject({ kind: "rejected", status: 400 });
  });

  it("is final with an address or a part of another adapter", async () => {
    for (const to of ["", "{}", '{"kind":"channel","chatId":"1"}', '{"kind":"message","chatId":"x"}']) {
      const error = await failureOf(delivery({ to: to as Delivery["to"] }));
      expect(error).toMatchObject({ kind: "rejected" });
    }
    const part = '{"text":"hi"}' as ReplyPart;
    expect(await failureOf(delivery({ part }))).toMatchObject({ kind: "rejected" });
    expect(fake.calls).toEqual([]);
  });

  it("never shows the token, even when the answer repeats the URL", async () => {
    const url = `https://api.telegram.org/bot${BOT_TOKEN}/sendMessage`;
    fake.faults.push(answer(404, `Not Found: ${url}\n${encodeURIComponent(url)}`));
    const error = await failureOf(delivery());
    expect(error.message).toBe(
      "Telegram sendMessage: 404 Not Found: https://api.telegram.org/bot***/sendMessage " +
        "https%3A%2F%2Fapi.telegram.org%2Fbot***%2FsendMessage",
    );
  });

  it("never shows the token when the API is elsewhere and the path has one too", async () => {
    const adapter = adapterFor({ url: `${fake.url}/proxy` }, { botToken: secretOf(BOT_TOKEN) });
    expect(await failureOf(delivery(), adapter)).toMatchObject({ kind: "refused", status: 404 });
    expect(fake.calls[0]?.path).toBe(`/proxy/bot${BOT_TOKEN}/sendMessage`);
  });
});

describe("recovery", () => {
  it("cannot know: Telegram has nothing to look a message up by", async () => {
    expect(await adapterFor(fake).recover(delivery(), never)).toBe("unknown");
    expect(fake.calls).toEqual([]);
  });
});

describe("a long answer", () => {
  const long = `${"Some words of an answer. ".repeat(900)}end`;
  const parts = () => adapterFor(fake).render(long, addressOf({}));

  it("is a document in the topic of the question, marked where it may be a repeat", async () => {
    const [, file] = parts() as [ReplyPart, ReplyPart];
    const to = addressOf({ ...GROUP, messageThreadId: 3 });
    const receipt = await adapterFor(fake).send(
      delivery({ to, part: file, index: 1, mayRepeat: true }),
      never,
    );
    expect(receipt).toEqual({ messageId: "101", via: "sendDocument" });
    expect(fake.messages).toMatchObject([
      {
        ...{ chatId: -1_001_234_567_890, threadId: 3 },
        text: "This may be a repeat: the first delivery was not confirmed.",
        document: { name: "answer.md", mime: "text/markdown", text: long },
      },
    ]);
  });

  it("follows a group that has become another", async () => {
    fake.migrated.set(-1_001_234_567_890, -1_009);
    const [, file] = parts() as [ReplyPart, ReplyPart];
    await adapterFor(fake).send(delivery({ to: addressOf(GROUP), part: file, index: 1 }), never);
    expect(fake.messages.map(({ chatId, document }) => [chatId, document?.name])).toEqual([
      [-1_009, "answer.md"],
    ]);
  });

  it("is given up where the person has blocked the bot, and in doubt when the answer is lost", async () => {
    const [, file] = parts() as [ReplyPart, ReplyPart];
    fake.faults.push({ kind: "reset-after" });
    expect(await failureOf(delivery({ part: file, index: 1 }))).toMatchObject({ kind: "unknown" });
    fake.blocked.add(30);
    expect(await failureOf(delivery({ part: file, index: 1 }))).toMatchObject({
      kind: "rejected",
      status: 403,
    });
  });

  it("is messages while it is short enough, and above buttons", () => {
    const isFile = (part: ReplyPart) => "file" in JSON.parse(part);
    expect(adapterFor(fake).render(long.slice(0, 20_000), addressOf({})).some(isFile)).toBe(false);
    expect(
      adapterFor(fake)
        .render(long, addressOf({}), [{ id: "go", label: "Go" }])
        .some(isFile),
    ).toBe(false);
  });

  it("of a version before this one is words in every part", () => {
    for (const part of parts()) expect(JSON.parse(part).html.trim()).not.toBe("");
  });
});
