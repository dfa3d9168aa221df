import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Inbound, RawRequest } from "../../../src/ports/adapter.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { cpuMs } from "../../support/cpu-time.ts";
import {
  adapterOf,
  eventOf,
  FIXTURES,
  fixture,
  form,
  interactivity,
  messageBody,
  parse,
  request,
} from "./setup.ts";

const FORM = "application/x-www-form-urlencoded";
const RUNS = { numRuns: 1_000, seed: 1 };
const adapter = adapterOf();

/** Whatever came, the gateway can go on with it: a complete event of plain JSON, or a reason. */
function expectSound(inbound: Inbound): void {
  if (inbound.kind === "malformed" || inbound.kind === "unsupported") {
    expect(inbound.message).toMatch(/^Expected .*, got /s);
    expect(inbound.message.length).toBeLessThan(300);
    return;
  }
  expect(inbound.ack.status).toBe(200);
  if (inbound.kind === "ignored") expect(inbound.reason).toMatch(/^[a-z][a-z0-9_.]*$/);
  if (inbound.kind !== "events") return;
  for (const event of inbound.events) {
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
    for (const text of [event.id, event.tenant, event.place, event.sender.id, event.sender.name, event.text])
      expect(text.isWellFormed()).toBe(true);
    expect(event.id).toMatch(/^slack:./s);
    expect(event.conversation).toMatch(/^slack:./s);
    expect([event.tenant, event.place, event.sender.id]).not.toContain("");
    expect(Number.isFinite(event.occurredAtMs)).toBe(true);
    expect(["message", "response_url"]).toContain((JSON.parse(event.replyTo) as { kind: string }).kind);
  }
}

const taken = (incoming: RawRequest) => expectSound(adapter.parse(asVerified(incoming)));

/** Names that objects come with, and the ones that the parser asks for. */
const key = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "length"),
  fc.constantFrom(
    "type",
    "event",
    "user",
    "team_id",
    "channel",
    "ts",
    "thread_ts",
    "text",
    "actions",
    "view",
    "id",
  ),
  fc.string(),
);
const leaf = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -1,
    1e308,
    "",
    "event_callback",
    "message",
    "block_actions",
    "1.2",
    "\ud800",
  ),
  fc.string({ unit: "binary" }),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(key, tie("json"), { maxKeys: 6 }),
  ),
}));

describe("parse survives", () => {
  it("any bytes, as JSON and as a form", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom("application/json", FORM),
        (bytes, type) => {
          taken({ ...request("", type), body: Buffer.from(bytes) });
        },
      ),
      RUNS,
    );
  });

  it("any JSON", () => {
    fc.assert(
      fc.property(json, (value) => {
        taken(request(JSON.stringify(value)));
        taken(interactivity({ value }));
      }),
      RUNS,
    );
  });

  it("any event within a genuine envelope", () => {
    const event = fc.dictionary(key, json, { maxKeys: 12 });
    fc.assert(
      fc.property(event, fc.dictionary(key, json, { maxKeys: 3 }), (inner, outer) => {
        taken(request(messageBody(inner, outer)));
        taken(request(messageBody({ ...inner, type: "message" })));
      }),
      RUNS,
    );
  });

  it("any interaction of a known type", () => {
    const type = fc.constantFrom("block_actions", "view_submission", "message_action", "shortcut");
    fc.assert(
      fc.property(type, fc.dictionary(key, json, { maxKeys: 12 }), (known, payload) => {
        taken(
          interactivity({ team: { id: "T1" }, user: { id: "U1" }, trigger_id: "1", ...payload, type: known }),
        );
      }),
      RUNS,
    );
  });

  it("every recorded request with any one value replaced", () => {
    for (const name of FIXTURES) {
      const recorded = fixture(name);
      const isForm = recorded.header("content-type")?.startsWith(FORM) === true;
      const fields = Object.fromEntries(new URLSearchParams(recorded.body.toString()));
      const source = isForm ? (fields.payload ?? JSON.stringify(fields)) : recorded.body.toString();
      for (const mutated of mutations(JSON.parse(source))) {
        if (!isForm) taken(request(JSON.stringify(mutated)));
        else if (fields.payload !== undefined) taken(interactivity(mutated as object));
        else taken(form(Object.fromEntries(Object.entries(mutated ?? {}).map(([k, v]) => [k, String(v)]))));
      }
    }
  });

  it("every recorded request cut short anywhere", () => {
    for (const name of FIXTURES) {
      const recorded = fixture(name);
      for (let length = 0; length < recorded.body.length; length += 7)
        taken({ ...recorded, body: recorded.body.subarray(0, length) });
    }
  });

  it("names that every object has", () => {
    const body = messageBody().replace(
      '"user":"U1"',
      '"__proto__":{"user":"U1","bot_id":"B1"},"constructor":"x"',
    );
    expect(parse(request(body))).toEqual({
      kind: "malformed",
      message: "Expected event.user or event.bot_id, got neither",
    });
    expect(Object.hasOwn(Object.prototype, "bot_id")).toBe(false);
    taken(form({ ["__proto__"]: "x", payload: '{"type":"constructor"}' }));
  });

  it("nesting beyond reason", () => {
    const deep = `${'{"event":'.repeat(50_000)}1${"}".repeat(50_000)}`;
    expect(parse(request(deep))).toMatchObject({ kind: "malformed" });
    expect(parse(form({ payload: deep }))).toMatchObject({ kind: "malformed" });
  });
});

describe("parse takes time in proportion", () => {
  const mebibyte = (unit: string) => unit.repeat(Math.ceil((1024 * 1024) / unit.length));
  it.each([
    ["mentions of the bot", "<@UBOT>"],
    ["mentions between words", "a <@UBOT> "],
    ["mentions of others", "<@U2|bob>"],
    ["brackets never closed", "<"],
    ["openings never closed", "<@UBOT|"],
    ["ampersands", "&"],
    ["escapes", "&lt;"],
    ["spaces", " "],
    ["links", "<https://a.b|"],
    ["marks", "\0"],
  ])("to a megabyte of %s", (_, unit) => {
    const body = messageBody({ text: mebibyte(unit) });
    const parsed = () => expect(eventOf(request(body)).place).toBe("C1");
    // Linear takes well under 0.2 s; the first quadratic step over a megabyte takes minutes.
    expect(cpuMs(parsed)).toBeLessThan(5_000);
  });
});

/** Copies of a value, each with one of its values, at any depth, replaced by one of another type. */
function* mutations(value: unknown): Generator<unknown> {
  const isContainer = typeof value === "object" && value !== null;
  for (const other of [null, 0, "", "x", [], {}, ["x"], { id: "x" }]) yield other;
  if (!isContainer) return;
  for (const [name, child] of Object.entries(value)) {
    for (const mutated of mutations(child)) {
      const copy: Record<string, unknown> = { ...(value as Record<string, unknown>), [name]: mutated };
      yield Array.isArray(value) ? Object.values(copy) : copy;
    }
    if (!Array.isArray(value))
      yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
  }
}
