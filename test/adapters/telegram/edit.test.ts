import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeliveryError } from "../../../src/domain/errors.ts";
import type { Delivery, Receipt, ReplyPart } from "../../../src/domain/reply.ts";
import { type FakeTelegram, tooManyRequests } from "../../fakes/telegram.ts";
import { FakeClock } from "../../support/clock.ts";
import { adapterFor, openFake } from "./fake.ts";
import { addressOf, NOW_MS } from "./setup.ts";

const GROUP = addressOf({ chatId: "-1001234567890", isPrivate: false, messageId: 7 });
const signal = new AbortController().signal;

let fake: FakeTelegram;
beforeEach(async () => {
  fake = await openFake();
});
afterEach(() => fake.close());

function delivery(text: string, over: Partial<Delivery> = {}): Delivery {
  const part = JSON.stringify({ html: text, plain: text.replaceAll(/<[^>]*>/g, "") }) as ReplyPart;
  return { partId: "e/0", to: addressOf({}), part, index: 0, sendsBefore: 0, mayRepeat: false, ...over };
}

const methods = () => fake.calls.map((call) => call.path.split("/").at(-1));

async function edit(receipt: Receipt, what: Delivery, adapter = adapterFor(fake)): Promise<Receipt | "gone"> {
  const changed = await adapter.edit?.(receipt, what, signal);
  if (changed === undefined) throw new Error("Expected an adapter that edits");
  return changed;
}

const failureOf = async (call: Promise<unknown>) => {
  const error: unknown = await call.catch((reason: unknown) => reason);
  if (!(error instanceof DeliveryError)) throw new Error(`Expected a DeliveryError, got ${String(error)}`);
  return error;
};

describe("a message that was sent", () => {
  it("is changed in its place, and shows no preview of links", async () => {
    const receipt = await adapterFor(fake).send(delivery("Hel …", { to: GROUP }), signal);
    expect(await edit(receipt, delivery("Hello, <b>Ann</b>", { to: GROUP }))).toEqual({
      messageId: "101",
      via: "editMessageText",
    });
    expect(fake.messages).toMatchObject([{ messageId: 101, text: "Hello, Ann", asHtml: true, replyTo: 7 }]);
    expect(JSON.parse(fake.calls[1]?.body ?? "")).toEqual({
      chat_id: -1001234567890,
      message_id: 101,
      text: "Hello, <b>Ann</b>",
      parse_mode: "HTML",
      link_preview_options: { is_disabled: true },
    });
  });

  it("that says this already is well as it is", async () => {
    const receipt = await adapterFor(fake).send(delivery("Hello"), signal);
    expect(await edit(receipt, delivery("Hello"))).toEqual({ messageId: "101", via: "editMessageText" });
  });

  it("is changed plainly where Telegram cannot parse the markup", async () => {
    const receipt = await adapterFor(fake).send(delivery("Hel …"), signal);
    await edit(receipt, delivery("Hello, <b>Ann"));
    expect(fake.messages).toMatchObject([{ text: "Hello, Ann", asHtml: false }]);
  });

  it.each([
    "Bad Request: message to edit not found",
    "Bad Request: message can't be edited",
    "Bad Request: MESSAGE_ID_INVALID",
  ])("is gone when Telegram says: %s", async (description) => {
    const body = { ok: false, error_code: 400, description };
    fake.faults.push({ kind: "status", status: 400, body });
    expect(await edit({ messageId: "101", via: "sendMessage" }, delivery("Hello"))).toBe("gone");
    expect(methods()).toEqual(["editMessageText"]);
  });

  it("is gone with a group that became a supergroup, and where nobody knows its id", async () => {
    fake.migrated.set(-500, -1009);
    const to = addressOf({ chatId: "-500", isPrivate: false });
    expect(await edit({ messageId: "101", via: "sendMessage" }, delivery("Hello", { to }))).toBe("gone");
    expect(await edit({ messageId: null, via: "sendMessage" }, delivery("Hello"))).toBe("gone");
  });

  it("is refused for what refuses any message", async () => {
    fake.blocked.add(30);
    const refused = await failureOf(edit({ messageId: "101", via: "sendMessage" }, delivery("Hello")));
    expect(refused).toMatchObject({ kind: "rejected", status: 403 });
  });

  it("of another adapter is not touched", async () => {
    const foreign = delivery("x", { part: "{}" as ReplyPart });
    expect(await failureOf(edit({ messageId: "101", via: "sendMessage" }, foreign))).toMatchObject({
      kind: "rejected",
    });
    expect(fake.calls).toEqual([]);
  });
});

describe("a chat in which Telegram asks for a pause", () => {
  it("hears nothing until that is over, whatever was to be said there; others do", async () => {
    let nowMs = NOW_MS;
    const clock = { sleep: async () => {}, nowMs: () => nowMs };
    const adapter = adapterFor(fake, { clock });
    const receipt = await adapter.send(delivery("Hel …"), signal);
    fake.faults.push({ kind: "status", ...tooManyRequests(7), status: 429 });
    expect(await failureOf(edit(receipt, delivery("Hello …"), adapter))).toMatchObject({
      kind: "retry",
      retryAfterMs: 7_000,
    });
    nowMs += 4_000;
    const early = { kind: "retry", status: 429, retryAfterMs: 3_000 };
    expect(await failureOf(edit(receipt, delivery("Hello, Ann"), adapter))).toMatchObject(early);
    expect(await failureOf(adapter.send(delivery("More"), signal))).toMatchObject(early);
    await adapter.send(delivery("Elsewhere", { to: GROUP }), signal);
    nowMs += 3_000;
    await edit(receipt, delivery("Hello, Ann"), adapter);
    expect(methods()).toEqual(["sendMessage", "editMessageText", "sendMessage", "editMessageText"]);
    expect(fake.messages.map(({ text }) => text)).toEqual(["Hello, Ann", "Elsewhere"]);
  });
});

describe("an answer that grows", () => {
  it.each([
    ["direct", 1_100, null],
    ["on", 1_100, 3_100],
    ["off", null, null],
  ] as const)(
    "with preview: %s is shown at once and then every %s ms in private, every %s in a group",
    (preview, one, many) => {
      const adapter = adapterFor(fake, { preview, clock: new FakeClock(NOW_MS) });
      for (const [to, everyMs] of [
        [addressOf({}), one],
        [GROUP, many],
      ] as const) {
        expect(adapter.previewInMs?.(to, true)).toBe(everyMs === null ? null : 0);
        expect(adapter.previewInMs?.(to, false)).toBe(everyMs);
      }
    },
  );
});
