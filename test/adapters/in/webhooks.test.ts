import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { createInboundAdapter } from "../../../adapters/in/adapter.ts";
import { inboundSampler } from "../../../adapters/in/sample.ts";
import { filled } from "../../../adapters/in/template.ts";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Inbound } from "../../../src/ports/adapter.ts";
import type { InboundWebhook } from "../../../src/ports/platform.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { asVerified, rawRequest, withHeader } from "../../contract/raw-request.ts";
import { fakeProgram } from "../../fakes/in.ts";
import { aWebhook, CALLBACK_SECRET, callbackTo, OTHER_SECRET, SECRET } from "./webhook.ts";

const NOW_MS = 1_780_000_000_000;
const clock = { nowMs: () => NOW_MS };

function opened(...webhooks: InboundWebhook[]) {
  return createInboundAdapter({ webhooks: () => webhooks, clock });
}

/** Signed by the library of Standard Webhooks, not by our sampler. */
function request(body: unknown, { secret = SECRET, id = "msg_1", name = "default", atMs = NOW_MS } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(atMs / 1000)),
    "webhook-signature": new Webhook(secret).sign(id, new Date(atMs), text),
  };
  const sample = { method: "POST" as const, path: `/webhooks/in/${name}`, headers, body: text };
  return rawRequest(sample, { nowMs: NOW_MS });
}

function eventIn(inbound: Inbound): TriggerEvent {
  if (inbound.kind !== "events" || inbound.events[0] === undefined)
    throw new Error(`Expected an event, got ${JSON.stringify(inbound)}`);
  return inbound.events[0];
}

describe("a request", () => {
  it.each([
    ["299 s old", -299, "genuine"],
    ["301 s old", -301, "stale"],
    ["299 s ahead", 299, "genuine"],
    ["301 s ahead", 301, "stale"],
  ])("that is %s is as Standard Webhooks says", (_, seconds, kind) => {
    const verdict = opened(aWebhook()).verify(request({ text: "x" }, { atMs: NOW_MS + seconds * 1000 }));
    expect(verdict).toMatchObject({ kind });
  });

  it("may be signed with either of two secrets while one is rotated, and no third one", () => {
    const webhook = aWebhook({ secrets: [new Secret(OTHER_SECRET), new Secret(SECRET)] });
    const verdict = (secret: string) => opened(webhook).verify(request({ text: "x" }, { secret }));
    expect([SECRET, OTHER_SECRET, CALLBACK_SECRET].map((secret) => verdict(secret))).toMatchObject([
      { kind: "genuine" },
      { kind: "genuine" },
      { kind: "forged", reason: "webhook-signature does not match the secret" },
    ]);
  });

  it("may have several signatures, one of which is right, and of other versions, too; but not thousands", () => {
    const adapter = opened(aWebhook());
    const genuine = request({ text: "x" });
    const right = genuine.header("webhook-signature") ?? "";
    const wrong = `v1,${"A".repeat(43)}=`;
    const signed = (header: string) => adapter.verify(withHeader(genuine, "webhook-signature", header)).kind;
    expect(signed(`v1a,abc ${wrong} ${right}`)).toBe("genuine");
    expect(signed(`${wrong} ${wrong}`)).toBe("forged");
    expect(signed(`v1a,abc`)).toBe("forged");
    expect(signed(`${`${wrong} `.repeat(5_000)}${right}`)).toBe("forged");
  });

  it("that was signed for another webhook, id or moment is forged", () => {
    const ci = aWebhook({ name: "ci" });
    const other = aWebhook({ name: "other", secrets: [new Secret(OTHER_SECRET)] });
    const genuine = request({ text: "x" }, { name: "ci" });
    expect(opened(ci, other).verify(genuine).kind).toBe("genuine");
    expect(opened(ci, other).verify({ ...genuine, target: "/webhooks/in/other" }).kind).toBe("forged");
    expect(opened(ci).verify(withHeader(genuine, "webhook-id", "msg_2")).kind).toBe("forged");
    const later = String(Math.floor(NOW_MS / 1000) + 1);
    expect(opened(ci).verify(withHeader(genuine, "webhook-timestamp", later)).kind).toBe("forged");
  });

  it("for a webhook that is gone is refused by its head", () => {
    let webhooks = [aWebhook()];
    const adapter = createInboundAdapter({ webhooks: () => webhooks, clock });
    webhooks = [];
    expect(adapter.screen(request({ text: "x" }))).toEqual({
      kind: "forged",
      reason: "no webhook of this name is configured any more",
    });
  });

  it.each([
    ["no content type", undefined, "unsupported", "Expected application/json, got no content type"],
    [
      "a form",
      "application/x-www-form-urlencoded",
      "unsupported",
      "Expected application/json, got another type",
    ],
  ])("with %s is not taken", (_, type, kind, message) => {
    const given = withHeader(request({ text: "x" }), "content-type", type);
    expect(opened(aWebhook()).parse(asVerified(given))).toEqual({ kind, message });
  });

  it.each(["[]", "7", "{", ""])("whose body is %j is malformed", (body) => {
    expect(opened(aWebhook()).parse(asVerified(request(body))).kind).toBe("malformed");
  });

  it("whose webhook-id is too long or cannot be printed is malformed", () => {
    for (const id of ["x".repeat(201), "a\u0007b"]) {
      const given = withHeader(request({ text: "x" }), "webhook-id", id);
      expect(opened(aWebhook()).parse(asVerified(given))).toMatchObject({
        kind: "malformed",
        message: expect.stringContaining("1 to 200 printable characters"),
      });
    }
  });
});

describe("a body", () => {
  const BODY = {
    build: { id: 417, jobs: [{ name: "unit" }, { name: "e2e" }] },
    "a/b": { "c~d": "odd" },
    ok: false,
    nothing: null,
    brace: "{/build/id}",
  };

  it.each([
    ["{/build/id}", "417"],
    ["job {/build/jobs/1/name} of {/build/id}", "job e2e of 417"],
    ["{/a~1b/c~0d}", "odd"],
    ["{/ok}", "false"],
    ["<{/nothing}{/none}{/build/jobs/2/name}{/build/jobs/-1}{/build/jobs/length}>", "<>"],
    ["{/build/jobs}", '[{"name":"unit"},{"name":"e2e"}]'],
    ["{/__proto__}{/constructor}{/build/toString}", ""],
    ["{/brace}", "{/build/id}"],
  ])("makes of %s: %s", (template, text) => {
    expect(filled(template, BODY)).toBe(text);
  });

  it("as a whole is its JSON", () => {
    expect(filled("{}", { a: 1 })).toBe('{"a":1}');
  });

  it("is said once, where it is large, however often its template would say it", () => {
    const large = { a: "x".repeat(20_000) };
    expect(filled("{}".repeat(1_000), large)).toBe(JSON.stringify(large));
    expect(filled("{/a} and {/a}", large)).toBe(`${large.a} and `);
  });

  it("becomes an event, as the configuration has it", () => {
    const webhook = aWebhook({
      ...{ name: "ci", agent: "ops", text: "Why did {/build/id} fail?" },
      ...{ conversation: "{/repo}", user: "{/by}" },
    });
    const given = request({ build: { id: 7 }, repo: "parley:core\n", by: "ann" }, { name: "ci" });
    const inbound = opened(webhook).parse(asVerified(given));
    expect(eventIn(inbound)).toMatchObject({
      ...{ id: "in:ci:msg_1", platform: "in", tenant: "ci", place: "parley:core", agent: "ops" },
      ...{ conversation: "in:ci:parley%3Acore", sender: { id: "ann", name: "ann", isBot: false } },
      ...{ text: "Why did 7 fail?", trigger: "mention", isDirect: false, occurredAtMs: NOW_MS },
    });
    expect(inbound).toMatchObject({
      ack: { status: 200, body: '{"status":"accepted","id":"in:ci:msg_1"}' },
    });
  });

  it("that names neither conversation nor user stands alone, and is the webhook's own", () => {
    const webhook = aWebhook({ conversation: "{/repo}", user: "{/by}" });
    const event = eventIn(opened(webhook).parse(asVerified(request({ text: "x" }))));
    expect(event).toMatchObject({ place: "msg_1", sender: { id: "default" } });
    expect(event.agent).toBeUndefined();
  });

  it("with long names is of nobody else's conversation, however alike they begin", () => {
    const webhook = aWebhook({ conversation: "{/url}", user: "{/url}" });
    const eventOf = (url: string) => eventIn(opened(webhook).parse(asVerified(request({ text: "x", url }))));
    const long = `https://ci.example/${"x".repeat(181)}`;
    const places = [long, `${long}1`, `${long}2`].map((url) => eventOf(url).place);
    expect(places[0]).toBe(long);
    expect(new Set(places).size).toBe(3);
    for (const place of places) expect(place.length).toBeLessThanOrEqual(200);
    expect(eventOf(`${long}1`)).toMatchObject({ place: places[1], sender: { id: places[1] } });
  });

  it.each(["/reset", " !stop ", "/agent ops", "/notes erase all", "/usage"])(
    "that is nothing but a command to the gateway, %s, is ignored",
    (text) => {
      expect(opened(aWebhook()).parse(asVerified(request({ text })))).toMatchObject({
        kind: "ignored",
        reason: "in_command",
      });
    },
  );

  it.each(["/approve apr_1", "the /reset of the board failed", "/resetting"])(
    "%s is what it says",
    (text) => {
      expect(eventIn(opened(aWebhook()).parse(asVerified(request({ text }))))).toMatchObject({ text });
    },
  );

  it("that says nothing is ignored", () => {
    expect(opened(aWebhook()).parse(asVerified(request({ txt: "x" })))).toMatchObject({
      kind: "ignored",
      reason: "in_no_text",
    });
  });
});

describe("an answer", () => {
  const signal = new AbortController().signal;
  const deliveryTo = (webhook: InboundWebhook, partId = "in:default:msg_1/0") => {
    const adapter = opened(webhook);
    const event = eventIn(adapter.parse(asVerified(request({ text: "x" }))));
    const [part] = adapter.render("It is *done*.", event.replyTo);
    if (part === undefined) throw new Error("Expected a part");
    return { partId, to: event.replyTo, part, index: 0, sendsBefore: 0, mayRepeat: false };
  };

  it("goes to the callback alone, signed, and says what it answers; a copy has the same id", async () => {
    const program = await fakeProgram(CALLBACK_SECRET);
    const webhook = aWebhook({ callback: callbackTo(program.url) });
    const delivery = deliveryTo(webhook);
    await opened(webhook).send(delivery, signal);
    await opened(webhook).send({ ...delivery, mayRepeat: true }, signal);
    await opened(webhook).send({ ...delivery, partId: "in:default:msg_1/1" }, signal);
    expect(program.said).toMatchObject([
      {
        ...{ webhook: "default", id: "msg_1", event_id: "in:default:msg_1", conversation: "msg_1" },
        ...{ text: "It is *done*.", may_repeat: false },
      },
      { text: "It is *done*." },
    ]);
    expect(program.copies()).toBe(1);
    await program.close();
  });

  it("goes nowhere without a callback, and to none that is not configured any more", async () => {
    const delivery = deliveryTo(aWebhook());
    expect(await opened(aWebhook()).send(delivery, signal)).toEqual({ messageId: null, via: "kept" });
    await expect(opened().send(delivery, signal)).rejects.toMatchObject({ kind: "rejected" });
  });

  it("has a breaker of its webhook's own", () => {
    const adapter = opened(aWebhook());
    const event = eventIn(adapter.parse(asVerified(request({ text: "x" }))));
    expect(adapter.destinationOf?.(event.replyTo)).toBe("in:default");
  });
});

it("the sampler signs as the library of Standard Webhooks does", () => {
  const options = { kind: "message", text: "é", id: "a", nowMs: NOW_MS, secret: SECRET, channel: "ci" };
  const { path, headers, body } = inboundSampler.build(options);
  expect(path).toBe("/webhooks/in/ci");
  expect(headers["webhook-signature"]).toBe(new Webhook(SECRET).sign("a", new Date(NOW_MS), body));
  expect(() => inboundSampler.build({ ...options, secret: "secret" })).toThrow(
    "expected whsec_ and at least 16 bytes",
  );
});
