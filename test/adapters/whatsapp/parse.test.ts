import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Inbound } from "../../../src/ports/adapter.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { adapterOf, fixture, post } from "./setup.ts";

const adapter = adapterOf();
const parse = (body: string | Buffer): Inbound => adapter.parse(asVerified(post(body)));

function eventOf(name: string): TriggerEvent {
  const inbound = parse(fixture(name));
  if (inbound.kind !== "events" || inbound.events[0] === undefined) {
    throw new Error(`Expected events, got ${JSON.stringify(inbound)}`);
  }
  expect(inbound.events).toHaveLength(1);
  expect(inbound.ignored).toEqual([]);
  return inbound.events[0];
}

/** A webhook around one change of number PN1. */
function hook(value: object): string {
  const metadata = { phone_number_id: "PN1", display_phone_number: "+1 (555) 000-1111" };
  const change = { field: "messages", value: { metadata, ...value } };
  return JSON.stringify({ object: "whatsapp_business_account", entry: [{ id: "WABA1", changes: [change] }] });
}
const named = (id: string) => ({ id, conversation: `whatsapp:WABA1:PN1:${id}` });
const ANN = { lasting: named("GB.13491208655302741918"), passing: named("447700900123") };
const message = (over: object) => ({
  from: "447700900123",
  id: "wamid.1",
  timestamp: "1717000000",
  type: "text",
  text: { body: "hello" },
  ...over,
});

describe("a message", () => {
  it("becomes an event with all its parts", () => {
    expect(eventOf("text")).toEqual({
      id: "whatsapp:PN1:wamid.HBgM1",
      aliases: [],
      platform: "whatsapp",
      tenant: "WABA1",
      place: "PN1",
      thread: null,
      conversation: "whatsapp:WABA1:PN1:GB.13491208655302741918",
      isDirect: true,
      sender: { id: "GB.13491208655302741918", name: "Ann", isBot: false },
      person: ANN,
      trigger: "direct",
      command: null,
      text: "hello",
      attachments: [],
      replyTo: JSON.stringify({
        kind: "message",
        phoneNumberId: "PN1",
        messageId: "wamid.HBgM1",
        windowExpiresAtMs: 1_717_086_400_000,
        to: "+447700900123",
      }),
      occurredAtMs: 1_717_000_000_000,
    });
  });

  it.each([
    ["reply-to-bot", { trigger: "direct", command: null, text: "yes" }],
    ["button", { trigger: "button", command: "retry:42", text: "Retry" }],
    ["list", { trigger: "button", command: "svc:api", text: "API" }],
    ["template-button", { trigger: "button", command: "STOP", text: "Stop" }],
    ["form", { trigger: "button", command: "flow", text: 'Sent\n{"a":1}' }],
  ])("%s says what was meant", (name, expected) => {
    expect(eventOf(name)).toMatchObject({ ...expected, attachments: [] });
  });

  it.each([
    ["image", "see", { id: "MEDIA1", kind: "image", name: null, mime: "image/jpeg" }],
    ["audio", "", { id: "MEDIA2", kind: "audio", name: null, mime: "audio/ogg; codecs=opus" }],
    ["document", "", { id: "MEDIA3", kind: "document", name: "a.pdf", mime: "application/pdf" }],
    ["location", "Office 1 St 51.5,-0.1", { id: "51.5,-0.1", kind: "location", name: "Office", mime: null }],
  ])("%s carries its file or place", (name, text, attachment) => {
    expect(eventOf(name)).toMatchObject({ text, attachments: [{ ...attachment, sizeBytes: null }] });
  });

  it("with contacts lists their names and numbers", () => {
    const event = eventOf("contacts");
    expect(event.text).toBe("Bob Smith +44 7700 900789\nCat");
    expect(event.attachments.map(({ id, kind }) => [id, kind])).toEqual([
      ["+44 7700 900789", "contact"],
      ["Cat", "contact"],
    ]);
  });

  it("of a person who hides the number is answered by scoped id", () => {
    const event = eventOf("hidden-number");
    expect(event.sender).toEqual({ id: "GB.13491208655302741918", name: "Ann", isBot: false });
    const address = JSON.parse(event.replyTo) as object;
    expect(address).toMatchObject({ recipient: "GB.13491208655302741918", messageId: "wamid.16" });
    expect(address).not.toHaveProperty("to");
  });

  it("from the same person with and without the number is one conversation", () => {
    expect(eventOf("hidden-number").conversation).toBe(eventOf("text").conversation);
  });

  it("of an unnamed person carries the id as the name", () => {
    const inbound = parse(hook({ messages: [message({})] }));
    expect(inbound).toMatchObject({ events: [{ sender: { id: "447700900123", name: "447700900123" } }] });
  });

  it("keeps the time it was sent, however late it comes", () => {
    const inbound = parse(hook({ messages: [message({ timestamp: "1716395200" })] }));
    expect(inbound).toMatchObject({ events: [{ occurredAtMs: 1_716_395_200_000 }] });
  });
});

describe("what a message refers to", () => {
  const of = (over: object) => {
    const inbound = parse(hook({ messages: [message(over)] }));
    if (inbound.kind !== "events") throw new Error(`Expected an event, got ${JSON.stringify(inbound)}`);
    return inbound.events[0];
  };

  it("is the advertisement that the person came from", () => {
    const referral = {
      source_url: "https://fb.me/3x",
      source_type: "ad",
      source_id: "1201",
      headline: "Red pump, 20 % off",
      body: "Only this week",
      media_type: "image",
      ctwa_clid: "Aff1",
    };
    expect(of({ text: { body: "Is this still available?" }, referral })).toMatchObject({
      text: "Is this still available?",
      context: [
        {
          kind: "embedded",
          text: "Red pump, 20 % off\nOnly this week\nhttps://fb.me/3x",
          author: { id: null, name: "advertisement" },
        },
      ],
    });
    expect(of({ referral: { source_type: "post", body: "Our works" } })).toMatchObject({
      context: [{ text: "Our works", author: { name: "post" } }],
    });
  });

  it("is the product that was asked about", () => {
    const context = { referred_product: { catalog_id: "C7", product_retailer_id: "PUMP-RED-2" } };
    expect(of({ context })).toMatchObject({
      text: "hello",
      context: [{ kind: "product", text: "PUMP-RED-2 (catalogue C7)", author: null }],
    });
    // As WhatsApp sends it, with the message that shows the product.
    const whole = { from: "15550001111", id: "wamid.OUT1", ...context };
    expect(of({ context: whole })?.context).toEqual(of({ context })?.context);
  });

  it("is what was ordered, before the words that came with it", () => {
    const product_items = [
      { product_retailer_id: "PUMP-RED-2", quantity: 2, item_price: 49.5, currency: "EUR" },
      { product_retailer_id: "SEAL", quantity: "1", item_price: "3.20", currency: "EUR" },
      { quantity: 3 },
      null,
    ];
    const order = { catalog_id: "C7", text: "By Friday please", product_items };
    expect(of({ type: "order", text: undefined, order })).toMatchObject({
      trigger: "direct",
      text: "By Friday please",
      context: [
        { kind: "product", text: "2 × PUMP-RED-2 (catalogue C7) at 49.5 EUR" },
        { kind: "product", text: "1 × SEAL (catalogue C7) at 3.20 EUR" },
      ],
    });
    expect(of({ type: "order", order: { ...order, text: undefined } })?.text).toBe("");
  });

  it("is told of a reply, of which WhatsApp does not repeat the words", () => {
    const note = (from: string) => of({ context: { from, id: "wamid.OUT1" } })?.context;
    expect(note("15550001111")).toMatchObject([{ kind: "note", text: expect.stringContaining("of yours") }]);
    expect(note("447700900123")).toMatchObject([
      { kind: "note", text: expect.stringContaining("of this conversation") },
    ]);
  });

  it("is the message that is answered, where it was seen lately, and only in the same chat", () => {
    const own = adapterOf();
    const from = (person: string, over: object) => {
      const inbound = own.parse(asVerified(post(hook({ messages: [message({ from: person, ...over })] }))));
      if (inbound.kind !== "events") return inbound;
      for (const event of inbound.events) own.accepted?.(event);
      return inbound.events[0]?.context;
    };
    const context = { from: "447700900123", id: "wamid.q1" };
    expect(from("447700900123", { id: "wamid.q1", text: { body: "Boiler two is at 140" } })).toBeUndefined();
    expect(from("447700900123", { id: "wamid.q2", context })).toMatchObject([
      { kind: "quoted", text: "Boiler two is at 140", author: { id: "447700900123" } },
    ]);
    expect(from("447700900456", { id: "wamid.q3", context })).toMatchObject([{ kind: "note" }]);
    const long = { id: "wamid.q4", text: { body: "x".repeat(5_000) } };
    from("447700900123", long);
    const again = from("447700900123", { id: "wamid.q5", context: { ...context, id: "wamid.q4" } });
    expect(again).toMatchObject([{ text: `${"x".repeat(1_000)} […]` }]);
  });

  it("is not what was said in a message that was not taken: parsing leaves nothing behind", () => {
    const own = adapterOf();
    const context = { from: "447700900123", id: "wamid.q1" };
    const messages = [message({ id: "wamid.q1", text: { body: "refused" } })];
    const read = (body: object) => own.parse(asVerified(post(hook(body))));
    expect(read({ messages })).toMatchObject({ kind: "events" });
    expect(read({ messages: [message({ id: "wamid.q2", context })] })).toMatchObject({
      events: [{ context: [{ kind: "note" }] }],
    });
  });

  it("is what was passed on, which the person who passes it on did not say", () => {
    for (const context of [{ forwarded: true }, { frequently_forwarded: true }]) {
      expect(of({ text: { body: "Pump seven leaks" }, context })).toMatchObject({
        text: "",
        context: [{ kind: "forwarded", text: "Pump seven leaks", author: null }],
      });
    }
    const image = { id: "MEDIA9", mime_type: "image/jpeg", caption: "/stop" };
    expect(of({ type: "image", image, context: { forwarded: true } })).toMatchObject({
      text: "",
      attachments: [{ id: "MEDIA9" }],
      context: [{ text: "/stop" }],
    });
  });

  it.each([
    ["button", { kind: "button", label: "Retry" }],
    ["list", { kind: "choice", label: "API" }],
    ["template-button", { kind: "button", label: "Stop" }],
    ["form", { kind: "form", label: "flow" }],
  ])("is what was pressed: %s", (name, pressed) => {
    expect(eventOf(name)).toMatchObject({ trigger: "button", pressed });
  });
});

describe("the names of a person", () => {
  const contact = { profile: { name: "Ann" }, wa_id: "447700900123", user_id: ANN.lasting.id };
  const personIn = (value: object) => {
    const inbound = parse(hook(value));
    return inbound.kind === "events" ? inbound.events[0]?.person : inbound;
  };

  it("are those of the message, and those of its contact", () => {
    const scoped = { from: undefined, from_user_id: ANN.lasting.id };
    expect(personIn({ messages: [message({})] })).toEqual({ lasting: null, passing: ANN.passing });
    expect(personIn({ messages: [message(scoped)] })).toEqual({ lasting: ANN.lasting, passing: null });
    expect(personIn({ messages: [message({ from_user_id: ANN.lasting.id })] })).toEqual(ANN);
    expect(personIn({ contacts: [contact], messages: [message({})] })).toEqual(ANN);
    expect(personIn({ contacts: [contact], messages: [message(scoped)] })).toEqual(ANN);
  });

  it("are never those of another contact", () => {
    const other = { ...contact, wa_id: "447700900456" };
    expect(personIn({ contacts: [other], messages: [message({})] })).toEqual({
      lasting: null,
      passing: ANN.passing,
    });
    const broken = { from_user_id: "GB\n1" };
    expect(parse(hook({ contacts: [contact], messages: [message(broken)] }))).toMatchObject({
      kind: "ignored",
      reason: "malformed_message",
    });
  });

  it("are told by statuses too, each person once", () => {
    const status = { id: "wamid.9", status: "read", recipient_id: "447700900123" };
    const both = { ...status, recipient_user_id: ANN.lasting.id };
    expect(parse(hook({ statuses: [both, both, status] }))).toMatchObject({ people: [ANN] });
    expect(parse(hook({ contacts: [contact], statuses: [status] }))).toMatchObject({ people: [ANN] });
    expect(parse(hook({ statuses: [status] }))).not.toHaveProperty("people");
  });
});

describe("what never triggers", () => {
  it.each([
    ["reaction", "reaction"],
    ["system", "system"],
    ["unsupported", "unsupported"],
    ["edit", "edit"],
    ["revoke", "revoke"],
    ["status-delivered", "status_delivered"],
    ["status-failed", "status_failed"],
    ["value-errors", "platform_error"],
    ["echo", "own_message"],
  ])("%s is acknowledged as %s", (name, reason) => {
    const { people, ...inbound } = { people: undefined, ...parse(fixture(name)) };
    expect(inbound).toEqual({ kind: "ignored", reason, ack: { status: 200 } });
    expect(people ?? [ANN]).toEqual([ANN]);
  });

  it.each([
    ["an order", message({ type: "order", order: {} }), "order"],
    ["a type of tomorrow", message({ type: "hologram", hologram: {} }), "unknown_type"],
    ["a type named after a property", message({ type: "constructor" }), "unknown_type"],
    [
      "an interactive of tomorrow",
      message({ type: "interactive", interactive: { type: "x" } }),
      "unknown_type",
    ],
    ["a group's message", message({ group_id: "G1" }), "group_message"],
    ["a message of our own number", message({ from: "15550001111" }), "own_message"],
    ["a system from nobody", message({ type: "system", from: undefined, system: {} }), "system"],
    [
      "a unsupported from nobody",
      message({ type: "unsupported", from: undefined, unsupported: {} }),
      "unsupported",
    ],
    ["a reaction from nobody", message({ type: "reaction", from: undefined, reaction: {} }), "reaction"],
    ["a edit from nobody", message({ type: "edit", from: undefined, edit: {} }), "edit"],
    ["a revoke from nobody", message({ type: "revoke", from: undefined, revoke: {} }), "revoke"],
    ["a type of tomorrow from nobody", message({ type: "hologram", from: undefined }), "unknown_type"],
    ["a text from nobody", message({ from: undefined }), "malformed_message"],
  ])("%s is acknowledged", (_, element, reason) => {
    expect(parse(hook({ messages: [element] }))).toMatchObject({ kind: "ignored", reason });
  });

  it("a status of tomorrow has a reason of the closed set", () => {
    expect(parse(hook({ statuses: [{ status: "teleported" }, {}] }))).toMatchObject({
      reason: "status_other",
    });
  });

  it("another number or another object is not ours", () => {
    expect(parse(hook({ metadata: { phone_number_id: "PN2" }, messages: [message({})] }))).toMatchObject({
      kind: "ignored",
      reason: "other_phone_number",
    });
    expect(parse('{"object":"page","entry":[]}')).toMatchObject({ kind: "ignored", reason: "other_object" });
    expect(parse('{"object":"whatsapp_business_account","entry":[]}')).toMatchObject({ reason: "empty" });
  });

  it("a failure speaks for its batch", () => {
    const statuses = [{ status: "sent" }, { status: "failed" }];
    expect(parse(hook({ statuses }))).toMatchObject({ kind: "ignored", reason: "status_failed" });
  });
});

describe("a batch", () => {
  it("gives every event in order and a reason for every other item", () => {
    const inbound = parse(fixture("mixed"));
    if (inbound.kind !== "events") throw new Error(`Expected events, got ${inbound.kind}`);
    expect(inbound.events.map(({ id, text, tenant }) => [id, text, tenant])).toEqual([
      ["whatsapp:PN1:wamid.m1", "one", "WABA1"],
      ["whatsapp:PN1:wamid.m4", "two", "WABA1"],
      ["whatsapp:PN1:wamid.m6", "three", "WABA2"],
    ]);
    expect(inbound.ignored).toEqual([
      "malformed_message",
      "reaction",
      "status_read",
      "other_field",
      "other_phone_number",
      "status_sent",
    ]);
    expect(inbound.ack.status).toBe(200);
  });

  it.each([
    ["null", null],
    ["a number", 7],
    ["no id", message({ id: undefined })],
    ["an id with a line break", message({ id: "wamid\n1" })],
    ["an endless id", message({ id: "a".repeat(257) })],
    ["no sender", message({ from: undefined })],
    ["a sender that is no number", message({ from: "Ann" })],
    ["no timestamp", message({ timestamp: undefined })],
    ["a timestamp of letters", message({ timestamp: "soon" })],
    ["an endless timestamp", message({ timestamp: "9".repeat(13) })],
    ["no type", message({ type: undefined })],
    ["no text", message({ text: {} })],
    ["a text of another type", message({ text: { body: ["hello"] } })],
    ["an image without id", message({ type: "image", image: { caption: "x" } })],
    ["a button without id", message({ type: "interactive", interactive: { type: "button_reply" } })],
    ["an interactive without type", message({ type: "interactive" })],
    ["an empty form", message({ type: "interactive", interactive: { type: "nfm_reply", nfm_reply: {} } })],
    ["a template button without payload", message({ type: "button", button: {} })],
    ["a place without coordinates", message({ type: "location", location: { name: "Office" } })],
    ["no contacts", message({ type: "contacts", contacts: [] })],
  ])("goes on after a message that is broken: %s", (_, broken) => {
    const inbound = parse(hook({ messages: [broken, message({ id: "wamid.2" })] }));
    expect(inbound).toMatchObject({
      kind: "events",
      events: [{ id: "whatsapp:PN1:wamid.2" }],
      ignored: ["malformed_message"],
    });
  });

  it.each([
    ["malformed_entry", { object: "whatsapp_business_account", entry: [null] }],
    ["malformed_entry", { object: "whatsapp_business_account", entry: [{ id: "W" }] }],
    ["malformed_change", { object: "whatsapp_business_account", entry: [{ id: "W", changes: [{}] }] }],
    [
      "malformed_change",
      {
        object: "whatsapp_business_account",
        entry: [{ id: "W", changes: [{ field: "messages", value: {} }] }],
      },
    ],
  ])("names a broken envelope inside: %s", (reason, body) => {
    expect(parse(JSON.stringify(body))).toMatchObject({ kind: "ignored", reason });
  });
});

describe("a body that is no webhook", () => {
  it.each([
    ["", "Expected a JSON object, got an empty body"],
    ["{}", "Expected object to be a string, got nothing"],
    ["[]", "Expected a JSON object, got an array"],
    ['{"object":7}', "Expected object to be a string, got a number"],
    ['{"object":"whatsapp_business_account"}', "Expected entry to be an array, got nothing"],
    ['{"object":"whatsapp_business_account","entry":{}}', "Expected entry to be an array, got an object"],
  ])("%s is malformed, and told why", (body, wanted) => {
    expect(parse(body)).toEqual({ kind: "malformed", message: wanted });
  });

  it("of other bytes than UTF-8 is malformed", () => {
    expect(parse(Buffer.from([0x7b, 0xff, 0x7d])).kind).toBe("malformed");
  });

  it("nested beyond reason is malformed", () => {
    expect(parse(`{"object":${"[".repeat(50_000)}${"]".repeat(50_000)}}`).kind).toBe("malformed");
  });
});

describe("whatever comes", () => {
  const KINDS = ["events", "ignored", "malformed"];

  it("parse never throws on any JSON", () => {
    fc.assert(
      fc.property(fc.json(), (body) => {
        expect(KINDS).toContain(parse(body).kind);
      }),
    );
  });

  it("parse never throws on a mutated webhook, and what it lets through is whole", () => {
    const bodies = [
      "text",
      "mixed",
      "contacts",
      "location",
      "form",
      "image",
      "referral",
      "order",
      "forwarded",
    ].map(fixture);
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(
        "__proto__",
        "constructor",
        "\ud800",
        "",
        -1,
        { length: 3 },
        { __proto__: null },
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...bodies), fc.nat(), odd, (body, at, replacement) => {
        const inbound = parse(JSON.stringify(mutated(JSON.parse(body), at, replacement)));
        expect(KINDS).toContain(inbound.kind);
        for (const event of inbound.kind === "events" ? inbound.events : []) {
          expect(event.id).toMatch(/^whatsapp:PN1:[\x21-\x7e]+$/);
          expect(typeof event.text).toBe("string");
          expect(event.sender.name.isWellFormed()).toBe(true);
          for (const { text } of event.context ?? []) expect(text.trim()).not.toBe("");
          expect(Number.isSafeInteger(event.occurredAtMs)).toBe(true);
          expect(JSON.parse(JSON.stringify(event))).toEqual(event);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("prototype keys are just absent names", () => {
    const inbound = parse(
      hook({ messages: [message({})] }).replace(
        '"type":"text"',
        '"type":"text","__proto__":{"group_id":"G1"}',
      ),
    );
    expect(inbound.kind).toBe("events");
    expect(parse('{"__proto__":{"object":"whatsapp_business_account","entry":[]}}').kind).toBe("malformed");
    expect(({} as { group_id?: string }).group_id).toBeUndefined();
  });

  it("a lone surrogate in a name does not leave the parser", () => {
    const body = hook({
      contacts: [{ profile: { name: "A\ud83d" }, wa_id: "447700900123" }],
      messages: [message({})],
    });
    expect(parse(body)).toMatchObject({ events: [{ sender: { name: "A\ufffd" } }] });
  });

  it("a megabyte of messages and contacts is read in one go", () => {
    const contacts = Array.from({ length: 5_000 }, (_, i) => ({
      profile: { name: `P${i}` },
      wa_id: `${i + 1}`,
    }));
    const messages = contacts.map((contact) =>
      message({ id: `wamid.${contact.wa_id}`, from: contact.wa_id }),
    );
    const body = hook({ contacts, messages });
    expect(body.length).toBeGreaterThan(700_000);
    const inbound = parse(body);
    expect(inbound.kind === "events" && inbound.events.length).toBe(5_000);
    expect(inbound).toMatchObject({ events: { 4999: { sender: { name: "P4999" } } } });
    expect(parse(hook({ messages: [message({ text: { body: "é".repeat(500_000) } })] })).kind).toBe("events");
  });
});

/** The same JSON with its `at`-th value, counted in depth, replaced. */
function mutated(value: unknown, at: number, replacement: unknown): unknown {
  let left = at % countOf(value);
  const walk = (current: unknown): unknown => {
    if (left-- === 0) return replacement;
    if (Array.isArray(current)) return current.map(walk);
    if (typeof current !== "object" || current === null) return current;
    return Object.fromEntries(Object.entries(current).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(value);
}

function countOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((count: number, inner) => count + countOf(inner), 1);
}
