import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAddress } from "../../../adapters/discord/address.ts";
import { parseDiscord } from "../../../adapters/discord/parse.ts";
import type { Inbound } from "../../../src/ports/adapter.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { bodyOf, FIXTURES, request } from "./fixture.ts";

const parse = (body: Buffer | string | object): Inbound => parseDiscord(asVerified(request(body)), "900");

/** Whatever came in, what comes out keeps the promises of the port. */
function expectValid(inbound: Inbound): void {
  if (inbound.kind === "malformed" || inbound.kind === "unsupported") {
    expect(inbound.message.length).toBeGreaterThan(0);
    expect(inbound.message.length).toBeLessThan(1_000);
    return;
  }
  expect(inbound.ack.status >= 200 && inbound.ack.status < 300).toBe(true);
  if (inbound.kind !== "events") return;
  expect(inbound.events).toHaveLength(1);
  for (const event of inbound.events) {
    expect(event.id).toMatch(/^discord:\d+:\d+$/);
    expect(event.conversation).toMatch(/^discord:(dm|\d+):\d+(:\d+)?$/);
    expect(event.sender.id).toMatch(/^\d+$/);
    expect(Number.isSafeInteger(event.occurredAtMs)).toBe(true);
    expect(readAddress(event.replyTo)).toBeDefined();
    for (const { text, author } of event.context ?? []) {
      expect(text.isWellFormed() && (author?.name ?? "").isWellFormed()).toBe(true);
    }
    expect(event.text.isWellFormed() && event.sender.name.isWellFormed()).toBe(true);
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
  }
}

const awkward = fc.oneof(
  fc.constantFrom(
    "",
    "\ud800",
    "\udfff x",
    "\u0000",
    "__proto__",
    "constructor",
    "1".repeat(21),
    "-1",
    "1e3",
    "0",
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constant([]),
  fc.constant({}),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Every path of a value, so that a mutation can hit any of them. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function replaceAt(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value)
    ? [...value]
    : { ...(value as object) };
  (copy as Record<string, unknown>)[key] = replaceAt((value as Record<string, unknown>)[key], rest, by);
  return copy;
}

const mutated = fc
  .constantFrom(...FIXTURES)
  .chain((name) => {
    const body = bodyOf(name);
    return fc.tuple(fc.constant(body), fc.constantFrom(...pathsOf(body)), awkward);
  })
  .map(([body, path, by]) => JSON.stringify(replaceAt(body, path, by)) ?? "null");

describe("the parser never throws, and always gives a valid answer", () => {
  it("on any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expectValid(parse(JSON.stringify(value)));
      }),
      { numRuns: 500 },
    );
  });

  it("on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expectValid(parse(Buffer.from(bytes)));
      }),
      { numRuns: 500 },
    );
  });

  it("on recorded payloads with one value exchanged", () => {
    fc.assert(
      fc.property(mutated, (body) => {
        expectValid(parse(body));
      }),
      { numRuns: 3_000 },
    );
  });

  it("on recorded payloads with one byte exchanged", () => {
    const damaged = fc.tuple(fc.constantFrom(...FIXTURES), fc.nat(), fc.nat(255)).map(([name, at, byte]) => {
      const bytes = Buffer.from(JSON.stringify(bodyOf(name)));
      bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(damaged, (body) => {
        expectValid(parse(body));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "on ids and names that every object inherits: %s",
    (key) => {
      const slash = bodyOf("slash");
      const inherited = [
        `{"type":2,"${key}":{"id":"1"}}`,
        JSON.stringify({
          ...bodyOf("message-command"),
          data: { name: "x", type: 3, target_id: key, resolved: { messages: {} } },
        }),
        JSON.stringify({
          ...bodyOf("user-command"),
          data: { name: "x", type: 2, target_id: key, resolved: { users: {} } },
        }),
        JSON.stringify({
          ...slash,
          data: {
            name: key,
            type: 1,
            options: [{ name: key, type: 6, value: key }],
            resolved: { users: {} },
          },
        }),
        JSON.stringify(slash).replace('"user":', `"${key}":`),
      ];
      for (const body of inherited) expectValid(parse(body));
      expect(Object.hasOwn(Object.prototype, "id")).toBe(false);
    },
  );

  it("on lone surrogates, in every text of a command", () => {
    const body = JSON.stringify({
      ...bodyOf("slash"),
      member: { user: { id: "30", username: "a\ud800" } },
      data: { name: "d\udc00", type: 1, options: [{ name: "t", type: 3, value: "x\ud83d" }] },
    });
    const inbound = parse(body);
    expectValid(inbound);
    expect(inbound).toMatchObject({ events: [{ text: "x\ufffd", sender: { name: "a\ufffd" } }] });
  });

  it("on nesting beyond any real payload", () => {
    for (const depth of [10, 60, 64, 65, 10_000, 400_000]) {
      const nested = `{"type":2,"data":${'{"options":['.repeat(depth)}${"]}".repeat(depth)}}`;
      expectValid(parse(nested));
    }
    expect(parse(`{"type":2,"a":${"[".repeat(100_000)}`)).toMatchObject({
      message: expect.stringContaining("levels of nesting"),
    });
  });

  it("on sub-commands nested as deep as JSON may be", () => {
    let options: object[] = [{ name: "x", type: 3, value: "deep" }];
    for (let depth = 0; depth < 25; depth++) options = [{ name: "s", type: 1, options }];
    const inbound = parse({ ...bodyOf("slash"), data: { name: "d", type: 1, options } });
    expectValid(inbound);
    expect(inbound).toMatchObject({ events: [{ text: "deep" }] });
  });
});
