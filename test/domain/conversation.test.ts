import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asKnown, conversationKey } from "../../src/domain/conversation.ts";

const part = fc.string({ unit: fc.constantFrom("a", "!", ":", "%", "2", "1", "control", "notice") });

describe("a conversation's key", () => {
  it.each(["x!control", "x!notice", "!control", "x!control!control"])(
    "never ends like a lane: %s",
    (place) => {
      for (const thread of [null, place]) {
        const key = conversationKey({ platform: "test", tenant: "test", place, thread });
        expect(key).not.toMatch(/!/);
        expect(asKnown("", key).names).toEqual([place]);
      }
    },
  );

  it("is another for every other place", () => {
    const key = ([tenant, place, thread]: readonly [string, string, string | null]) =>
      conversationKey({ platform: "test", tenant, place, thread });
    const parts = fc.tuple(part, part, fc.option(part));
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        expect(key(one) === key(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });
});
