import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hear } from "../../../src/admin/live/words.ts";

describe("what a client says over /ws", () => {
  it.each([
    ['{"type":"ping"}', { type: "ping" }],
    ['{"type":"unsubscribe"}', { type: "unsubscribe", id: "default" }],
    ['{"type":"subscribe"}', { type: "subscribe", id: "default", filter: {} }],
    [
      '{"type":"subscribe","id":"a","tenant":"slack:T1","state":["dead","done"]}',
      { type: "subscribe", id: "a", filter: { tenant: "slack:T1", state: ["dead", "done"] } },
    ],
    [
      '{"type":"subscribe","conversation":"slack:T1:C1","platform":"slack"}',
      { type: "subscribe", id: "default", filter: { conversation: "slack:T1:C1", platform: "slack" } },
    ],
  ])("is understood: %s", (text, said) => {
    expect(hear(text)).toEqual({ ok: true, said });
  });

  it.each([
    ["", "Expected a JSON object"],
    ["hello", "Expected JSON"],
    ["[]", "Expected a JSON object"],
    ["{}", "type: expected one of subscribe, unsubscribe, ping, got none"],
    ['{"type":"toString"}', "type: expected one of subscribe"],
    ['{"type":"__proto__"}', "type: expected one of subscribe"],
    ['{"type":"subscribe","tenant":"T1"}', "tenant: expected platform:id"],
    ['{"type":"subscribe","tenants":"slack:T1"}', "did you mean tenant?"],
    ['{"type":"subscribe","state":"dead"}', "state"],
    ['{"type":"subscribe","state":[]}', "state"],
    ['{"type":"subscribe","state":["ded"]}', "state"],
    ['{"type":"subscribe","id":7}', "id"],
    ['{"type":"subscribe","conversation":""}', "conversation"],
    ['{"type":"ping","at":1}', "at"],
  ])("is wrong: %s", (text, words) => {
    expect(hear(text)).toEqual({ ok: false, message: expect.stringContaining(words) });
  });

  it("is answered under its own id where it has one", () => {
    expect(hear('{"type":"subscribe","id":"a","tenant":"T1"}')).toMatchObject({ ok: false, id: "a" });
    expect(hear(`{"type":"subscribe","id":"${"a".repeat(200)}"}`)).not.toHaveProperty("id");
  });

  it("never throws, whatever it is", () => {
    const message = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          type: fc.constant("subscribe"),
          id: fc.anything(),
          tenant: fc.anything(),
          state: fc.anything(),
        })
        .map((one) => JSON.stringify(one) ?? ""),
    );
    fc.assert(
      fc.property(message, (text) => typeof hear(text).ok === "boolean"),
      { numRuns: 500 },
    );
  });
});
