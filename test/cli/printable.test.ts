import { describe, expect, it } from "vitest";
import { ageOf, clipped, inert, padded, paragraph, printable, widthOf } from "../../src/cli/printable.ts";

describe("text from outside", () => {
  it.each([
    ["plain – 日本 🎉", "plain – 日本 🎉"],
    ["\u001b[31mred\u001b[0m", "\\u{1b}[31mred\\u{1b}[0m"],
    ["a\nb\r\n\tc", "a\\nb\\r\\n\\tc"],
    ["\u0000\u007f\u009b", "\\u{0}\\u{7f}\\u{9b}"],
    ["gnp\u202e.exe", "gnp\\u{202e}.exe"],
    ["half \ud83d", "half \\u{d83d}"],
  ])("%j is printed as %s", (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it("keeps its lines in a paragraph, and nothing else that moves the cursor", () => {
    expect(paragraph("one\n\ntwo\u001b[2J\r\nthree")).toBe("  one\n\n  two\\u{1b}[2J\n  three");
  });

  it("is the same JSON, but for what a terminal would obey", () => {
    const value = { text: "\u009b31m \u007f \u202e 日本\n\t\u001b" };
    const shown = inert(JSON.stringify(value, null, 2));
    expect(shown).toBe('{\n  "text": "\\u009b31m \\u007f \\u202e 日本\\n\\t\\u001b"\n}');
    expect(JSON.parse(shown)).toEqual(value);
  });

  it("is as wide as a terminal makes it", () => {
    expect(["abc", "日本", "🎉", "é", "👩‍👩‍👧"].map(widthOf)).toEqual([3, 4, 2, 1, 2]);
    expect(padded("日本", 6)).toBe("日本  ");
  });

  it("is cut between characters, with a mark", () => {
    expect(clipped("abcdef", 6)).toBe("abcdef");
    expect(clipped("abcdefg", 6)).toBe("abcde…");
    expect(clipped("日本語です", 6)).toBe("日本…");
  });
});

describe("an age", () => {
  it.each([
    [-5, "0s"],
    [59, "59s"],
    [60, "1m"],
    [3_599, "59m"],
    [7_200, "2h"],
    [200_000, "2d"],
  ])("of %d seconds is %s", (seconds, age) => {
    expect(ageOf("2026-11-21T12:00:00Z", Date.parse("2026-11-21T12:00:00Z") + seconds * 1000)).toBe(age);
  });
});
