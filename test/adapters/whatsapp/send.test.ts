import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WhatsAppOptions } from "../../../adapters/whatsapp/adapter.ts";
import { whatsAppSampler } from "../../../adapters/whatsapp/sample.ts";
import { DeliveryError } from "../../../src/domain/errors.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { Delivery, ReplyPart } from "../../../src/domain/reply.ts";
import { asVerified, rawRequest } from "../../contract/raw-request.ts";
import { type FakeWhatsApp, fakeWhatsApp } from "../../fakes/whatsapp.ts";
import { ACCESS_TOKEN, APP_SECRET, adapterOf, NOW_MS, VERIFY_TOKEN } from "./setup.ts";

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;

let fake: FakeWhatsApp;
beforeEach(async () => {
  fake = await fakeWhatsApp({ accessToken: ACCESS_TOKEN, appSecret: APP_SECRET, phoneNumberId: "PN1" });
});
afterEach(() => fake.close());

const adapter = (over: Partial<WhatsAppOptions> = {}) => adapterOf({ apiUrl: fake.url, ...over });

function addressOf(over: object = {}): ReplyAddress {
  return JSON.stringify({
    kind: "message",
    phoneNumberId: "PN1",
    to: "+447700900123",
    messageId: "wamid.1",
    windowExpiresAtMs: NOW_MS + HOUR_MS,
    ...over,
  }) as ReplyAddress;
}

function deliveryOf(over: Partial<Delivery> = {}): Delivery {
  const part = JSON.stringify({ body: "done" }) as ReplyPart;
  return { partId: "event/0", to: addressOf(), part, index: 0, sendsBefore: 0, mayRepeat: false, ...over };
}

async function failureOf(sending: Promise<unknown>): Promise<DeliveryError> {
  const error: unknown = await sending.then(
    (receipt) => `sent: ${inspect(receipt)}`,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DeliveryError);
  expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(ACCESS_TOKEN);
  return error as DeliveryError;
}

describe("a reply", () => {
  it("is one call: text to the person, quoting the question, without a preview", async () => {
    const receipt = await adapter().send(deliveryOf(), never);
    expect(receipt).toEqual({ messageId: "wamid.OUT1", via: "messages" });
    expect(fake.messages.map(({ body }) => body)).toEqual([
      {
        messaging_product: "whatsapp",
        recipient_type: "individual",
        to: "+447700900123",
        context: { message_id: "wamid.1" },
        type: "text",
        text: { preview_url: false, body: "done" },
        biz_opaque_callback_data: "event/0",
      },
    ]);
    expect(fake.calls.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /v26.0/PN1/messages"]);
  });

  it("quotes the question in its first part only", async () => {
    await adapter().send(deliveryOf({ index: 1, partId: "event/1" }), never);
    expect(fake.messages[0]?.body).not.toHaveProperty("context");
  });

  it("reaches a person without a number by scoped id", async () => {
    const to = addressOf({ to: undefined, recipient: "GB.1349" });
    await adapter().send(deliveryOf({ to }), never);
    expect(fake.messages[0]?.body).toMatchObject({ recipient: "GB.1349" });
    expect(fake.messages[0]?.body).not.toHaveProperty("to");
  });

  it("goes to the configured version, whatever slash ends the address", async () => {
    await failureOf(adapter({ apiUrl: `${fake.url}/`, apiVersion: "v27.0" }).send(deliveryOf(), never));
    expect(fake.calls[0]?.path).toBe("/v27.0/PN1/messages");
  });

  it("that may be a repeat says so, in the same message", async () => {
    await adapter().send(deliveryOf({ mayRepeat: true }), never);
    expect(fake.messages).toHaveLength(1);
    expect(fake.messages[0]?.body.text).toMatchObject({ body: expect.stringMatching(/repeat.*\n\ndone$/s) });
  });

  it("that may be a repeat and fills a whole message says so in a message before it", async () => {
    const part = JSON.stringify({ body: "a".repeat(4_096) }) as ReplyPart;
    const receipt = await adapter().send(deliveryOf({ part, mayRepeat: true }), never);
    expect(fake.messages.map(({ body }) => (body.text as { body: string }).body)).toEqual([
      expect.stringContaining("repeat"),
      "a".repeat(4_096),
    ]);
    expect(receipt.messageId).toBe("wamid.OUT2");
  });
});

describe("the 24-hour window", () => {
  it("is still open in its last millisecond", async () => {
    await adapter().send(deliveryOf({ to: addressOf({ windowExpiresAtMs: NOW_MS + 1 }) }), never);
    expect(fake.messages).toHaveLength(1);
  });

  it("once closed refuses the reply before any call", async () => {
    const to = addressOf({ windowExpiresAtMs: NOW_MS });
    const error = await failureOf(adapter().send(deliveryOf({ to }), never));
    expect(error).toMatchObject({ kind: "rejected", message: expect.stringContaining("24-hour window") });
    expect(fake.calls).toEqual([]);
  });

  it("is long closed for a message a week old", async () => {
    const sample = whatsAppSampler.build({
      kind: "message",
      text: "hello",
      id: "1",
      nowMs: NOW_MS - 7 * 24 * HOUR_MS,
      secret: APP_SECRET,
    });
    const inbound = adapter().parse(asVerified(rawRequest(sample, { nowMs: NOW_MS })));
    const to = inbound.kind === "events" ? inbound.events[0]?.replyTo : undefined;
    if (to === undefined) throw new Error(`Expected an event, got ${inbound.kind}`);
    expect(await failureOf(adapter().send(deliveryOf({ to }), never))).toMatchObject({ kind: "rejected" });
    expect(fake.calls).toEqual([]);
  });
});

describe("an address or a part of another adapter", () => {
  it.each([
    ["no JSON", { to: "slack:C1" as ReplyAddress }],
    ["another kind", { to: addressOf({ kind: "interaction" }) }],
    ["no recipient", { to: addressOf({ to: undefined }) }],
    ["no window", { to: addressOf({ windowExpiresAtMs: undefined }) }],
    ["no number", { to: addressOf({ phoneNumberId: undefined }) }],
    ["no message", { to: addressOf({ messageId: undefined }) }],
    ["a part without body", { part: "{}" as ReplyPart }],
    ["a part that is no JSON", { part: "done" as ReplyPart }],
  ])("(%s) is rejected before any call", async (_, over) => {
    expect(await failureOf(adapter().send(deliveryOf(over), never))).toMatchObject({ kind: "rejected" });
    expect(fake.calls).toEqual([]);
  });
});

describe("an error code of Meta", () => {
  it.each([
    [1, "retry", 400, null],
    [2, "retry", 400, null],
    [131000, "retry", 400, null],
    [131016, "retry", 400, null],
    [131057, "retry", 400, null],
    [4, "retry", 429, null],
    [80007, "retry", 429, null],
    [130429, "retry", 429, null],
    [131056, "retry", 429, 6_000],
    [190, "refused", 401, null],
    [10, "rejected", 400, null],
    [0, "refused", 400, null],
    [3, "rejected", 400, null],
    [10, "rejected", 400, null],
    [200, "rejected", 400, null],
    [299, "rejected", 400, null],
    [100, "rejected", 400, null],
    [368, "rejected", 400, null],
    [130472, "rejected", 400, null],
    [131005, "rejected", 400, null],
    [131008, "rejected", 400, null],
    [131009, "rejected", 400, null],
    [131021, "rejected", 400, null],
    [131026, "rejected", 400, null],
    [131030, "rejected", 400, null],
    [131031, "rejected", 400, null],
    [131042, "rejected", 400, null],
    [131045, "rejected", 400, null],
    [131047, "rejected", 400, null],
    [131048, "rejected", 400, null],
    [131049, "rejected", 400, null],
    [131050, "rejected", 400, null],
    [133010, "rejected", 400, null],
    [999999, "rejected", 400, null],
  ] as const)("%i is %s", async (code, kind, status, retryAfterMs) => {
    fake.fail(code);
    const error = await failureOf(adapter().send(deliveryOf(), never));
    expect(error).toMatchObject({ kind, status, retryAfterMs });
    expect(error.message).toContain(`error ${code}`);
    expect(fake.messages).toEqual([]);
  });

  it("for a wrong token tells the operator which setting to look at", async () => {
    const other = await fakeWhatsApp({ accessToken: "another", appSecret: APP_SECRET, phoneNumberId: "PN1" });
    const error = await failureOf(adapter({ apiUrl: other.url }).send(deliveryOf(), never));
    await other.close();
    expect(error).toMatchObject({ kind: "refused", status: 401 });
    expect(error.message).toContain("WHATSAPP_ACCESS_TOKEN");
  });

  it("does not bring Meta's wording along, which may repeat the token", async () => {
    const body = { error: { message: `Malformed access token ${ACCESS_TOKEN}`, code: 190 } };
    fake.faults.push({ kind: "status", status: 401, body });
    await failureOf(adapter().send(deliveryOf(), never));
  });

  it("that trouble passes lets the second try through", async () => {
    fake.fail(130429);
    await failureOf(adapter().send(deliveryOf(), never));
    await adapter().send(deliveryOf({ sendsBefore: 1 }), never);
    expect(fake.messages).toHaveLength(1);
  });

  it("may come later, as a failed status that names the part", async () => {
    fake.fail(131026, { as: "status" });
    await adapter().send(deliveryOf(), never);
    expect(fake.messages).toEqual([]);
    const [webhook] = fake.takeWebhooks();
    if (webhook === undefined) throw new Error("Expected a webhook, got none");
    expect(webhook.body).toContain('"biz_opaque_callback_data":"event/0"');
    const request = rawRequest({ method: "POST", path: "/webhooks/whatsapp", ...webhook }, { nowMs: NOW_MS });
    expect(adapter().verify(request).kind).toBe("genuine");
    expect(adapter().parse(asVerified(request))).toMatchObject({ kind: "ignored", reason: "status_failed" });
  });
});

describe("an answer that is none", () => {
  it.each([
    [429, {}, { kind: "retry", status: 429 }],
    [500, "<html>", { kind: "retry", status: 500 }],
    [503, "", { kind: "retry", status: 503 }],
    [408, "", { kind: "unknown", status: 408 }],
    [524, "<html>", { kind: "unknown", status: 524 }],
    [504, "<html>", { kind: "unknown", status: 504 }],
    [401, "", { kind: "refused", status: 401 }],
    [404, "[]", { kind: "rejected", status: 404 }],
    [400, '{"error":{"code":"190"}}', { kind: "rejected", status: 400 }],
    [200, "<html>", { kind: "unknown" }],
    [200, '{"messages":[]}', { kind: "unknown" }],
    [200, "a".repeat(70_000), { kind: "unknown" }],
    [400, "a".repeat(70_000), { kind: "rejected", status: 400 }],
  ] as const)("%i with %j is judged by what is certain", async (status, body, wanted) => {
    fake.faults.push({ kind: "status", status, body });
    expect(await failureOf(adapter().send(deliveryOf(), never))).toMatchObject(wanted);
  });

  it("is waited for as long as Retry-After says", async () => {
    fake.faults.push({ kind: "status", status: 503, headers: { "retry-after": "11" } });
    expect(await failureOf(adapter().send(deliveryOf(), never))).toMatchObject({ retryAfterMs: 11_000 });
  });

  it("is not followed elsewhere, where the token would go along", async () => {
    fake.faults.push({
      kind: "status",
      status: 307,
      headers: { location: `${fake.url}/v26.0/PN1/messages` },
    });
    const error = await failureOf(adapter().send(deliveryOf(), never));
    expect(error).toMatchObject({ kind: "rejected", status: 307 });
    expect(error.message).toContain("WHATSAPP_API_URL");
    expect(fake.calls).toHaveLength(1);
  });

  it("leaves the reply in doubt when the connection breaks inside it", async () => {
    const cut = createServer((incoming, outgoing) => {
      incoming.resume().on("end", () => {
        outgoing.writeHead(200, { "content-length": "100" });
        outgoing.write('{"messages":', () => outgoing.destroy());
      });
    });
    await new Promise<void>((resolve) => cut.listen(0, "127.0.0.1", resolve));
    const apiUrl = `http://127.0.0.1:${(cut.address() as AddressInfo).port}`;
    const error = await failureOf(adapter({ apiUrl }).send(deliveryOf(), never));
    await new Promise((resolve) => cut.close(resolve));
    expect(error.kind).toBe("unknown");
  });

  it("leaves the reply in doubt when the time is up", async () => {
    fake.faults.push({ kind: "hang-after" });
    expect(await failureOf(adapter({ timeoutMs: 60 }).send(deliveryOf(), never))).toMatchObject({
      kind: "unknown",
    });
    expect(fake.messages).toHaveLength(1);
    expect(await adapter().recover(deliveryOf(), never)).toBe("unknown");
  });

  it("is not asked for once the work was stopped", async () => {
    const error = await failureOf(adapter().send(deliveryOf(), AbortSignal.abort()));
    expect(error.kind).toBe("retry");
    expect(fake.calls).toEqual([]);
  });
});

describe("the typing indicator", () => {
  it("is one call that also marks the message as read", async () => {
    await adapter().typing?.(addressOf(), never);
    expect(fake.reads).toEqual([{ messageId: "wamid.1", typing: true }]);
    expect(fake.calls).toHaveLength(1);
  });

  it("never throws, whatever goes wrong", async () => {
    fake.faults.push({ kind: "status", status: 500 }, { kind: "reset" }, { kind: "hang-after" });
    for (let i = 0; i < 3; i++) await adapter({ timeoutMs: 60 }).typing?.(addressOf(), never);
    expect(fake.calls.map(({ fault }) => fault)).toEqual(["status", "reset", "hang-after"]);
    await adapter().typing?.("nowhere" as ReplyAddress, never);
    await adapter().typing?.(addressOf(), AbortSignal.abort());
    expect(fake.calls).toHaveLength(3);
  });
});

describe("the samples", () => {
  const build = (kind: string, secret = APP_SECRET) =>
    rawRequest(whatsAppSampler.build({ kind, text: "hello", id: "42", nowMs: NOW_MS, secret }), {
      nowMs: NOW_MS,
    });

  it("of a batch are three events of two people and two statuses", () => {
    const request = build("batch");
    expect(adapter().verify(request).kind).toBe("genuine");
    const inbound = adapter().parse(asVerified(request));
    if (inbound.kind !== "events") throw new Error(`Expected events, got ${inbound.kind}`);
    expect(inbound.events.map(({ sender }) => sender.id)).toEqual([
      "447700900123",
      "447700900456",
      "447700900123",
    ]);
    expect(new Set(inbound.events.map(({ id }) => id)).size).toBe(3);
    expect(inbound.ignored).toEqual(["status_delivered", "status_delivered"]);
  });

  it("of a status trigger nothing", () => {
    const request = build("status");
    expect(adapter().verify(request).kind).toBe("genuine");
    expect(adapter().parse(asVerified(request))).toMatchObject({
      kind: "ignored",
      reason: "status_delivered",
    });
  });

  it("of the handshake get their id back as the challenge", () => {
    const request = build("verify", VERIFY_TOKEN);
    expect(adapter().verify(request).kind).toBe("genuine");
    expect(adapter().parse(asVerified(request))).toMatchObject({ kind: "handshake", ack: { body: "42" } });
    expect(adapter().verify(build("verify", "another")).kind).toBe("refused");
  });

  it("carry the number and the person asked for", () => {
    const options = { kind: "message", text: "hi", id: "1", nowMs: NOW_MS, secret: APP_SECRET };
    const sample = whatsAppSampler.build({ ...options, channel: "PN7", user: "4915112345678" });
    const inbound = adapterOf({ phoneNumberId: "PN7" }).parse(
      asVerified(rawRequest(sample, { nowMs: NOW_MS })),
    );
    expect(inbound).toMatchObject({ events: [{ place: "PN7", sender: { id: "4915112345678" } }] });
  });

  it("of an unknown kind are refused with the kinds there are", () => {
    expect(() => build("carrier-pigeon")).toThrow(/message, button, list/);
  });
});

describe("a long answer", () => {
  const long = `${"Some words of an answer. ".repeat(900)}end`;
  const file = () => adapter().render(long, addressOf()).at(-1) as ReplyPart;

  it("is a document that is uploaded and named by one message, marked where it may be a repeat", async () => {
    const receipt = await adapter().send(deliveryOf({ part: file(), index: 1, mayRepeat: true }), never);
    expect(receipt).toEqual({ messageId: "wamid.OUT1", via: "messages" });
    expect(fake.calls.map(({ path }) => path)).toEqual(["/v26.0/PN1/media", "/v26.0/PN1/messages"]);
    expect(fake.messages.map(({ body }) => body)).toEqual([
      {
        ...{ messaging_product: "whatsapp", recipient_type: "individual", to: "+447700900123" },
        type: "document",
        document: {
          ...{ id: "MEDIA1", filename: "answer.md" },
          caption: "_This may be a repeat: the first delivery was not confirmed._",
        },
        biz_opaque_callback_data: "event/0",
      },
    ]);
    expect(fake.documents).toEqual([{ name: "answer.md", mime: "text/plain", text: long }]);
  });

  it("is begun anew when nobody knows what became of the upload, and in doubt after the message", async () => {
    fake.faults.push({ kind: "reset-after", match: ({ path }) => path.endsWith("/media") });
    const sent = () => adapter().send(deliveryOf({ part: file(), index: 1 }), never);
    expect(await failureOf(sent())).toMatchObject({ kind: "retry" });
    expect(fake.messages).toEqual([]);
    fake.faults.push({ kind: "reset-after", match: ({ path }) => path.endsWith("/messages") });
    expect(await failureOf(sent())).toMatchObject({ kind: "unknown" });
    expect(fake.documents).toHaveLength(1);
  });

  it("is not uploaded once the window is closed", async () => {
    const to = addressOf({ windowExpiresAtMs: NOW_MS });
    const sent = adapter().send(deliveryOf({ part: file(), to, index: 1 }), never);
    expect(await failureOf(sent)).toMatchObject({ kind: "rejected" });
    expect(fake.calls).toEqual([]);
  });
});
