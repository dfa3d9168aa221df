import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TEXT_CHARS_MAX } from "../../src/domain/bounds.ts";
import { conversationKey } from "../../src/domain/conversation.ts";
import { cleanText } from "../../src/domain/text.ts";

describe("cleanText", () => {
  it("removes NUL, repairs lone surrogates and keeps the rest", () => {
    expect(cleanText("a\0b")).toBe("ab");
    expect(cleanText("x\uD800y")).toBe("x\uFFFDy");
    expect(cleanText("naïve 👍 text")).toBe("naïve 👍 text");
  });

  it("caps the length without cutting a character in half", () => {
    expect(cleanText("x".repeat(TEXT_CHARS_MAX + 5))).toHaveLength(TEXT_CHARS_MAX);
    const cut = cleanText(`${"x".repeat(TEXT_CHARS_MAX - 1)}👍👍`);
    expect(cut).toHaveLength(TEXT_CHARS_MAX - 1);
    expect(cut.isWellFormed()).toBe(true);
  });

  it("always gives well-formed, bounded text without NUL", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 20 }),
        fc.integer({ min: 0, max: 2_000 }),
        (piece, times) => {
          const clean = cleanText(piece.repeat(times));
          expect(clean.length <= TEXT_CHARS_MAX && clean.isWellFormed() && !clean.includes("\0")).toBe(true);
        },
      ),
    );
  });
});

describe("conversationKey", () => {
  it("never gives two places the same key", () => {
    const part = fc.string({ unit: fc.constantFrom("a", ":", "%", "3", "A", "2", "5"), maxLength: 6 });
    fc.assert(
      fc.property(fc.tuple(part, part, fc.option(part)), fc.tuple(part, part, fc.option(part)), (a, b) => {
        const key = ([tenant, place, thread]: typeof a) =>
          conversationKey({ platform: "slack", tenant, place, thread });
        expect(key(a) === key(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});
