import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderSlack } from "../../../adapters/slack/dialect.ts";
import { HOSTILE, markdownish, openFences, prose, squeezed } from "../shared/markdown-arbitrary.ts";

const Z = "\u200b";
const one = (markdown: string) => {
  const parts = renderSlack(markdown);
  expect(parts).toHaveLength(1);
  return parts[0];
};

describe("Slack's dialect", () => {
  it("writes each look with Slack's own markers", () => {
    expect(one("**bold** *italic* ~~gone~~ `a<b`")).toBe("*bold* _italic_ ~gone~ `a&lt;b`");
    expect(one("**a *b* c** and ***both***")).toBe("*a _b_ c* and *_both_*");
  });

  it("lets a marker work inside a word", () => {
    expect(one("un**believ**able")).toBe(`un${Z}*believ*${Z}able`);
  });

  it("hides a URL behind its label, and writes a bare one once", () => {
    expect(one("[a & b](https://x.example/?a=1&b=2)")).toBe("<https://x.example/?a=1&amp;b=2|a &amp; b>");
    expect(one("see https://x.example/a_b.")).toBe("see <https://x.example/a_b>.");
    expect(one("[a|b`c](https://x.example/)")).toBe("<https://x.example/|a¦bˋc>");
    expect(one("ann@x.example")).toBe("<mailto:ann@x.example|ann@x.example>");
  });

  it("keeps a URL from closing its link", () => {
    expect(one("[a](<https://x.example/>|<!channel>>)")).not.toMatch(/<!/);
    expect(one('[a](https://x.example/%3E|b"c)')).toBe("<https://x.example/%3E%7Cb%22c|a>");
  });

  it("escapes what Slack reads, and leaves the rest as it is", () => {
    expect(one("1 < 2 && 3 > 2, snake_case_name, 2 * 3 * 4")).toBe(
      "1 &lt; 2 &amp;&amp; 3 &gt; 2, snake_case_name, 2 * 3 * 4",
    );
    expect(one("\\*not bold\\* \\_nor this\\_")).toBe(`*${Z}not bold* _${Z}nor this_`);
    expect(one("\\> no quote")).toBe(`${Z}&gt; no quote`);
  });

  it.each([
    "<!channel>",
    "<!here|x>",
    "<@U123>",
    "<#C1|general>",
    "<!subteam^S1>",
    "&lt;!channel&gt;",
    "`<!here>`",
  ])("does not let %s name anybody", (mention) => {
    expect(one(`hey ${mention}`)).not.toMatch(/<[!@#]/);
  });

  it("does not let a mention come together from pieces", () => {
    expect(one("@\u0000channel <\u0000!here> <!chan\u0007nel>")).toBe(
      `@${Z}channel &lt;!here&gt; &lt;!channel&gt;`,
    );
    expect(one("@&#104;ere")).toBe(`@${Z}here`);
  });

  it("writes lists, quotes, tasks and code as Slack shows them", () => {
    expect(
      one("1. one\n   - two\n     - three\n2. four\n\n> a\n>\n> b\n\n- [x] c\n\n```ts\na < b\n```"),
    ).toBe(
      [
        "1. one",
        "    ◦ two",
        "        ▪ three",
        "2. four",
        "",
        "> a",
        "> ",
        "> b",
        "",
        "☑ c",
        "",
        "```",
        "a &lt; b",
        "```",
      ].join("\n"),
    );
  });

  it("closes a fence at the end of a message and opens it in the next", () => {
    const parts = renderSlack(`\`\`\`sh\n${"echo one two three\n".repeat(500)}\`\`\``);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(part).toMatch(/^```\necho[\s\S]*three\n```$/);
  });

  it("says something when there is nothing to say", () => {
    expect(renderSlack(" \n\u200b\n")).toEqual(["(empty reply)"]);
  });

  describe("for any document", () => {
    it.each([
      ["any string", fc.string({ unit: "binary", maxLength: 500 })],
      ["any Markdown", markdownish],
    ])("%s becomes messages within the limit that name nobody", (_, documents) => {
      fc.assert(
        fc.property(documents, (markdown) => {
          const parts = renderSlack(markdown);
          expect(parts.length).toBeGreaterThan(0);
          for (const part of parts) {
            expect(part.trim()).not.toBe("");
            expect(part.length).toBeLessThanOrEqual(3_900);
            expect(part.isWellFormed()).toBe(true);
            expect(part).not.toMatch(/@(?:channel|here|everyone)/i);
            // What is left of `<` and `>` once our own links and quotes are gone: nothing.
            const rest = part
              .replaceAll(/<(?:https?:\/\/|mailto:)[^<>|\s]+(?:\|[^<>|\n]+)?>/gi, "")
              .replaceAll(/^> ?/gm, "");
            expect(rest).not.toMatch(/[<>]/);
            expect(part).not.toMatch(/&(?!amp;|lt;|gt;)/);
            expect(openFences(part)).toBe(0);
          }
        }),
        { numRuns: 80 },
      );
    });

    it("plain text comes out whole and in order", () => {
      fc.assert(
        fc.property(prose, (text) => {
          expect(squeezed(renderSlack(text).join("\n"))).toBe(squeezed(text));
        }),
        { numRuns: 20 },
      );
    });

    it.each(Object.entries(HOSTILE))("%s are no trouble", (_, document) => {
      for (const part of renderSlack(document(15_000))) expect(part.length).toBeLessThanOrEqual(3_900);
    });
  });
});
