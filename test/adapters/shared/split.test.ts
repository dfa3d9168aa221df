import { describe, expect, it } from "vitest";
import { renderDiscord } from "../../../adapters/discord/dialect.ts";
import { blocksOf } from "../../../adapters/shared/markdown.ts";
import type { Block, TextBlock } from "../../../adapters/shared/markdown-blocks.ts";
import { PLAIN, textOf } from "../../../adapters/shared/markdown-blocks.ts";
import { type Dialect, type Limit, layout, PARTS_MAX, place } from "../../../adapters/shared/split.ts";
import { renderSlack } from "../../../adapters/slack/dialect.ts";
import { renderTelegram } from "../../../adapters/telegram/dialect.ts";
import { renderWhatsApp } from "../../../adapters/whatsapp/dialect.ts";
import { cpuMs } from "../../support/cpu-time.ts";
import { HOSTILE } from "./markdown-arbitrary.ts";

/** Writes nothing but text and counts every character that it is asked to look at. */
function bare(limit: number): { dialect: Dialect<string>; looked: () => number } {
  let looked = 0;
  return {
    dialect: {
      limits: [limit],
      measure: (block) => {
        const { length } = textOf(block);
        looked += length;
        return [length];
      },
      compose: (page) => page.map(textOf).join("|"),
    },
    looked: () => looked,
  };
}

const text = (words: string, more: Partial<TextBlock> = {}): TextBlock => ({
  kind: "text",
  quote: 0,
  level: 0,
  marker: null,
  gap: true,
  heading: false,
  spans: [{ ...PLAIN, text: words }],
  ...more,
});
const code = (...lines: string[]): Block => ({ kind: "code", gap: true, language: "ts", head: [], lines });
const split = (limit: number, ...blocks: Block[]) => layout(blocks, bare(limit).dialect);

describe("splitting", () => {
  it("fills a message with whole blocks", () => {
    expect(split(10, text("aaaa"), text("bbbb"), text("cccc"))).toEqual(["aaaa|bbbb", "cccc"]);
  });

  it("does not cut a block that fits a message of its own", () => {
    expect(split(10, text("aa"), code("1234", "5678"))).toEqual(["aa", "1234\n5678"]);
  });

  it("cuts after a line, else a sentence, else a word, else anywhere", () => {
    expect(split(20, text("a first line here\nthen some words"))).toEqual([
      "a first line here",
      "then some words",
    ]);
    expect(split(20, text("A short one. And a longer one."))).toEqual(["A short one.", "And a longer one."]);
    expect(split(20, text("one two three four five six"))).toEqual(["one two three four", "five six"]);
    expect(split(20, text("0123456789012345678901234"))).toEqual(["01234567890123456789", "01234"]);
  });

  it("cuts text without spaces after its full stop", () => {
    expect(split(8, text("你好世界。你好世界你好"))).toEqual(["你好世界。", "你好世界你好"]);
  });

  it("keeps graphemes whole, and cuts between code points where one is longer than a message", () => {
    expect(split(20, text("👩‍👩‍👧".repeat(4)))).toEqual(["👩‍👩‍👧👩‍👩‍👧", "👩‍👩‍👧👩‍👩‍👧"]);
    expect(split(7, text("🇩🇪🇫🇷🇪🇸"))).toEqual(["🇩🇪", "🇫🇷", "🇪🇸"]);
    const parts = split(9, text(`👩${"\u200d👩".repeat(8)}`));
    expect(parts.join("")).toBe(`👩${"\u200d👩".repeat(8)}`);
    for (const part of parts) expect(part.isWellFormed()).toBe(true);
  });

  it("rather cuts before a link than inside it", () => {
    const spans = [
      { ...PLAIN, text: "see the " },
      { ...PLAIN, text: "long long label", href: "https://x.example/" },
    ];
    expect(split(20, text("", { spans }))).toEqual(["see the", "long long label"]);
  });

  it("cuts code between lines, and inside one only if it is too long", () => {
    expect(split(10, code("1234", "5678", "9abc"))).toEqual(["1234\n5678", "9abc"]);
    expect(split(10, text("x"), code("123456789012345", "6"))).toEqual(["x", "1234567890", "12345\n6"]);
  });

  it("does not leave a heading alone at the foot of a message", () => {
    const heading = text("Title", { heading: true });
    expect(split(12, text("aaaa"), heading, text("bbbbbb"))).toEqual(["aaaa", "Title|bbbbbb"]);
  });

  it("gives one message for nothing", () => {
    expect(split(20)).toEqual(["(empty reply)"]);
    expect(split(20, text("\u200b \u2800"), code(""))).toEqual(["(empty reply)"]);
  });

  it("stops at the most messages and says how much is missing", () => {
    const parts = split(200, ...Array.from({ length: 60 }, (_, i) => text(`${i}${"x".repeat(198)}`)));
    expect(parts).toHaveLength(PARTS_MAX);
    const said = parts.join("").match(/x/g)?.length ?? 0;
    const left = Number(/(\d+) more characters were left out/.exec(parts.at(-1) ?? "")?.[1]);
    // Sixty blocks of 198, with one digit for the first ten and two for the others.
    const digits = 10 + 50 * 2;
    const digitsSaid =
      parts
        .join("")
        .replace(/\|….*$/, "")
        .match(/\d/g)?.length ?? 0;
    expect(said + digitsSaid + left).toBe(60 * 198 + digits);
  });

  it("leaves a heading out with what it announces", () => {
    const blocks = [text("a".repeat(95)), text("Title", { heading: true }), text("b".repeat(90))];
    const limit: Limit = { messagesMax: 1, notice: (chars) => `and ${chars}`, keptChars: 100 };
    expect(place(blocks, bare(200).dialect, limit)).toEqual([
      { part: `${"a".repeat(95)}|and 95`, charsAfter: 95 },
    ]);
  });

  it("tells of each message how much comes after it", () => {
    const limit: Limit = { messagesMax: 3, notice: (chars) => `and ${chars}`, keptChars: 100 };
    const blocks = ["a", "b", "c", "d", "e"].map((letter) => text(letter.repeat(10)));
    expect(place(blocks, bare(110).dialect, limit)).toEqual([
      { part: "a".repeat(10), charsAfter: 40 },
      { part: "b".repeat(10), charsAfter: 30 },
      { part: `${"c".repeat(10)}|and 20`, charsAfter: 20 },
    ]);
  });

  it("holds every bound of a message, not only the text", () => {
    const dialect: Dialect<number> = {
      limits: [1_000, 3],
      measure: (block) => [textOf(block).length, block.kind === "text" ? block.spans.length : 0],
      compose: (page) =>
        page.reduce((sum, block) => sum + (block.kind === "text" ? block.spans.length : 0), 0),
    };
    const spans = Array.from({ length: 10 }, (_, i) => ({ ...PLAIN, bold: i % 2 === 0, text: "ab " }));
    expect(layout([text("", { spans })], dialect)).toEqual([3, 3, 3, 1]);
  });

  it.each([
    ["one long text", (n: number) => [text("word ".repeat(n / 5))]],
    ["one long word", (n: number) => [text("w".repeat(n))]],
    ["long code", (n: number) => [code(...Array.from({ length: n / 10 }, () => "123456789"))]],
    ["many blocks", (n: number) => Array.from({ length: n / 10 }, () => text("123456789"))],
  ])("looks at %s in proportion to its length", (_, blocks) => {
    const work = (n: number) => {
      const { dialect, looked } = bare(4_000);
      layout(blocks(n), dialect);
      return looked();
    };
    expect(work(160_000)).toBeLessThan(6 * work(40_000));
  });

  it.each(Object.entries(HOSTILE))("%s take time in proportion to their length", (_, document) => {
    const options = { linkable: () => true, tableColumnsMax: 60 };
    const milliseconds = (chars: number) => cpuMs(() => blocksOf(document(chars), options));
    // Quadratic work would be a hundred times as much. The constant forgives a collection of garbage.
    const small = Math.min(milliseconds(4_000), milliseconds(4_000));
    expect(milliseconds(40_000)).toBeLessThan(40 * small + 500);
  });
});

describe("an endless reply", () => {
  it.each([
    ["Slack", 3_900, renderSlack],
    ["Discord", 2_000, renderDiscord],
    ["Telegram", 4_096, (markdown: string) => renderTelegram(markdown).map(({ plain }) => plain)],
    ["WhatsApp", 4_096, renderWhatsApp],
  ] as const)("on %s ends within the limit, and says that it was cut", (_, limit, render) => {
    for (const endless of [
      "word ".repeat(60_000),
      "w".repeat(300_000),
      `\`\`\`\n${"line\n".repeat(60_000)}`,
    ]) {
      const parts = render(endless);
      expect(parts).toHaveLength(PARTS_MAX);
      expect(parts.at(-1)).toMatch(/… \(the reply is too long: \d+ more characters were left out\)$/);
      for (const part of parts) expect(part.length).toBeLessThanOrEqual(limit);
    }
  });
});

describe("a whole answer", () => {
  const section = (i: number) =>
    [
      `## Step ${i}`,
      `Run **this** on \`host-${i}\`, then see [the page](https://x.example/${i}) 🚀.`,
      `\`\`\`sh\n${"echo word\n".repeat(12)}\`\`\``,
      `1. first ${i}\n   - inner\n2. second`,
      `> quoted ${i}\n> again`,
    ].join("\n\n");
  const answer = Array.from({ length: 40 }, (_, i) => section(i)).join("\n\n");

  it.each([
    ["Slack", renderSlack],
    ["Discord", renderDiscord],
    ["Telegram", (markdown: string) => renderTelegram(markdown).map(({ plain }) => plain)],
    ["WhatsApp", renderWhatsApp],
  ])("on %s keeps every section in order and its code in one piece", (_, render) => {
    const parts = render(answer);
    expect(parts.length).toBeGreaterThan(1);
    const all = parts.join("\n");
    for (const word of ["Step", "first", "quoted"])
      expect([...all.matchAll(new RegExp(`${word} (\\d+)`, "g"))].map((match) => Number(match[1]))).toEqual(
        Array.from({ length: 40 }, (_, i) => i),
      );
    expect(all.match(/(?:echo word\n?){12}/g)).toHaveLength(40);
    for (const part of parts.slice(0, -1)) expect(part).not.toMatch(/Step \d+\W*$/);
  });
});
