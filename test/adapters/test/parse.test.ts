import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testSampler } from "../../../adapters/test/sample.ts";
import { asVerified, rawRequest } from "../../contract/raw-request.ts";
import { adapterOf, DEV_KEY, NOW_MS, post } from "./setup.ts";

const asking = (query: string) =>
  adapterOf().parse(
    asVerified({ ...post(JSON.stringify({ message: "hello" })), target: `/webhooks/test${query}` }),
  );

const parse = (body: unknown, headers: Record<string, string | undefined> = {}) =>
  adapterOf().parse(asVerified(post(typeof body === "string" ? body : JSON.stringify(body), headers)));

describe("a message", () => {
  it("alone becomes an event, and its id is told", () => {
    expect(parse({ message: "hello" })).toEqual({
      kind: "events",
      events: [
        {
          id: "test:msg_1",
          aliases: [],
          platform: "test",
          tenant: "test",
          place: "default",
          thread: null,
          conversation: "test:test:default",
          isDirect: true,
          sender: { id: "developer", name: "developer", isBot: false },
          trigger: "direct",
          command: null,
          text: "hello",
          attachments: [],
          replyTo: '{"kind":"test","eventId":"test:msg_1"}',
          occurredAtMs: NOW_MS,
        },
      ],
      ignored: [],
      ack: { status: 200, contentType: "application/json", body: '{"status":"accepted","id":"test:msg_1"}' },
    });
  });

  it("may name its user, conversation, agent and id", () => {
    const body = { message: "hi", user: "ann", conversation: "a:b", agent: "deployer", id: "k1" };
    expect(parse(body)).toMatchObject({
      events: [
        {
          id: "test:k1",
          place: "a:b",
          conversation: "test:test:a%3Ab",
          sender: { id: "ann", name: "ann" },
          agent: "deployer",
        },
      ],
    });
  });

  it("without an agent leaves the choice to the routes", () => {
    const inbound = parse({ message: "hi" });
    expect(inbound.kind === "events" && inbound.events[0]).not.toHaveProperty("agent");
  });

  it("sent again under its key, in the body or the header, is the same event", () => {
    const inBody = parse({ message: "hi", id: "k1" });
    const inHeader = parse({ message: "hi" }, { "idempotency-key": "k1" });
    const inBoth = parse({ message: "hi", id: "k1" }, { "idempotency-key": "k1" });
    expect(inHeader).toEqual(inBody);
    expect(inBoth).toEqual(inBody);
  });

  it("without a key is a new event each time", () => {
    const adapter = adapterOf();
    const ids = [1, 2].map(() => {
      const inbound = adapter.parse(asVerified(post('{"message":"hi"}')));
      return inbound.kind === "events" ? inbound.events[0]?.id : undefined;
    });
    expect(ids).toEqual(["test:msg_1", "test:msg_2"]);
  });
});

describe("a request that is not understood", () => {
  it.each([
    [undefined, "no content type"],
    ["application/x-www-form-urlencoded", "another type"],
    ["text/plain", "another type"],
    ["application/jsonp", "another type"],
  ])("for its content type %s is told what to add", (type, got) => {
    expect(parse({ message: "hi" }, { "content-type": type })).toEqual({
      kind: "unsupported",
      message: `Expected application/json, got ${got}; with curl add -H 'content-type: application/json'`,
    });
  });

  it("may name a charset", () => {
    expect(parse({ message: "hi" }, { "content-type": "Application/JSON; charset=utf-8" }).kind).toBe(
      "events",
    );
  });

  it.each([
    ["", "Expected a JSON object, got an empty body"],
    ["hi", "Expected JSON, got something else"],
    ['["hi"]', "Expected a JSON object, got an array"],
    ["{}", "Expected message to be a string, got nothing"],
    ['{"message":7}', "Expected message to be a string, got a number"],
    ['{"message":null}', "Expected message to be a string, got null"],
    ['{"message":" \\n"}', "Expected message to be text, got an empty string"],
    ['{"text":"hi"}', 'Unknown key "text"; expected message, user, conversation, agent, id'],
    ['{"message":"hi","__proto__":{}}', 'Unknown key "__proto__"; expected'],
    ['{"message":"hi","a":1,"b":2}', 'Unknown keys "a", "b"; expected'],
    [
      '{"message":"hi","a":1,"b":2,"c":3,"d":4,"e":5,"f":6}',
      'Unknown keys "a", "b", "c", "d", "e" and 1 more; expected',
    ],
    ['{"message":"hi","user":7}', "Expected user to be 1 to 200 printable characters, got a number"],
    ['{"message":"hi","agent":null}', "Expected agent to be 1 to 200 printable characters, got null"],
    ['{"message":"hi","user":""}', "Expected user to be 1 to 200 printable characters, got 0 characters"],
    ['{"message":"hi","conversation":"a\\nb"}', "Expected conversation to be 1 to 200 printable"],
    ['{"message":"hi","id":"\\ud800"}', "Expected id to be 1 to 200 printable characters"],
    [`{"message":"hi","id":"${"a".repeat(201)}"}`, "got 201 characters"],
  ])("%s is told what was expected", (body, wanted) => {
    const inbound = parse(body);
    expect(inbound.kind === "malformed" && inbound.message).toContain(wanted);
  });

  it("for its idempotency key is told so", () => {
    expect(parse({ message: "hi" }, { "idempotency-key": "" })).toMatchObject({ kind: "malformed" });
    expect(parse({ message: "hi", id: "a" }, { "idempotency-key": "b" })).toMatchObject({
      kind: "malformed",
      message: "Expected id and the header Idempotency-Key to be equal, got two different values",
    });
  });
});

describe("whatever comes", () => {
  it("parse never throws, and its events are whole", () => {
    const field = fc.oneof(fc.string({ unit: "binary" }), fc.jsonValue());
    const key = fc.constantFrom("message", "user", "conversation", "agent", "id", "__proto__", "constructor");
    const body = fc.oneof(
      fc.json(),
      fc.dictionary(key, field).map((value) => JSON.stringify(value)),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(body, (text) => {
        const inbound = parse(text);
        expect(["events", "malformed"]).toContain(inbound.kind);
        for (const event of inbound.kind === "events" ? inbound.events : []) {
          expect(event.id).toMatch(/^test:./u);
          expect(JSON.parse(JSON.stringify(event))).toEqual(event);
        }
        if (inbound.kind === "malformed") expect(inbound.message.length).toBeLessThan(600);
      }),
      { numRuns: 300 },
    );
  });

  it("a megabyte of text is read", () => {
    expect(parse({ message: "a".repeat(1_000_000) }).kind).toBe("events");
  });
});

describe("the sample", () => {
  const options = { kind: "message", text: "wie geht's? 👍", id: "7", nowMs: NOW_MS };

  it("with the key is genuine from anywhere", () => {
    const sample = testSampler.build({ ...options, secret: DEV_KEY, user: "ann", channel: "c", thread: "t" });
    const request = rawRequest(sample, { nowMs: NOW_MS });
    expect(adapterOf().verify(request).kind).toBe("genuine");
    expect(adapterOf().parse(asVerified(request))).toMatchObject({
      events: [{ id: "test:7", text: "wie geht's? 👍", place: "t", sender: { id: "ann" } }],
    });
  });

  it("without a key carries no key header", () => {
    expect(testSampler.build({ ...options, secret: "" }).headers).toEqual({
      "content-type": "application/json",
    });
  });

  it("of another kind is refused", () => {
    expect(() => testSampler.build({ ...options, kind: "button", secret: "" })).toThrow(RangeError);
  });
});

describe("what is asked in the query", () => {
  it.each(["", "?", "?wait=10", "?wait=0", "?wait=0.5", "?wait=600"])("%j is taken", (query) => {
    expect(asking(query).kind).toBe("events");
  });

  it.each([
    ["?wait=abc", 'Expected wait in the query to be seconds, such as 10, got "abc"'],
    ["?wait=", "Expected wait in the query to be seconds, such as 10, got an empty string"],
    ["?wait=-1", 'Expected wait in the query to be seconds, such as 10, got "-1"'],
    ["?wait=10s", 'Expected wait in the query to be seconds, such as 10, got "10s"'],
    ["?wait=1e3", 'Expected wait in the query to be seconds, such as 10, got "1e3"'],
    ["?wait=Infinity", 'Expected wait in the query to be seconds, such as 10, got "Infinity"'],
    ["?wait=%zz", 'Expected wait in the query to be seconds, such as 10, got "%zz"'],
    ["?wait=1&wait=2", "Expected wait once in the query, got it 2 times"],
    ["?wiat=10", 'Unknown key "wiat" in the query; expected wait'],
    ["?Wait=10&wait=10", 'Unknown key "Wait" in the query; expected wait'],
  ])("%j is refused before anything runs, with what was expected", (query, message) => {
    expect(asking(query)).toEqual({ kind: "malformed", message });
  });
});
