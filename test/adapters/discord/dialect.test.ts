import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderDiscord } from "../../../adapters/discord/dialect.ts";
import { HOSTILE, markdownish, openFences, prose, squeezed } from "../shared/markdown-arbitrary.ts";

const Z = "\u200b";
const one = (markdown: string) => {
  const parts = renderDiscord(markdown);
  expect(parts).toHaveLength(1);
  return parts[0];
};

describe("Discord's dialect", () => {
  it("writes each look in Discord's Markdown", () => {
    expect(one("# Plan\n**bold** *italic* ~~gone~~ `a<b`")).toBe(
      "**Plan**\n\n**bold** _italic_ ~~gone~~ `a<b`",
    );
  });

  it("escapes literal markers, also at the start of a line", () => {
    expect(one("\\*a\\* snake_case \\~\\~x\\~\\~ \\|\\|y\\|\\| \\[a\\](b)")).toBe(
      "\\*a\\* snake\\_case \\~\\~x\\~\\~ \\|\\|y\\|\\| [a\\](b)",
    );
    expect(one("\\# a\n\\> b\n1\\. c\n\\- d\n\\-# e")).toBe("\\# a\n\\> b\n1\\. c\n\\- d\n\\-# e");
  });

  it("hides only web addresses behind a label", () => {
    expect(one("[a](https://x.example/b_(c)) ![i](https://x.example/i.png)")).toBe(
      "[a](https://x.example/b_%28c%29) [i](https://x.example/i.png)",
    );
    expect(one("[mail](mailto:a@x.example) [f](file:///etc/passwd)")).toBe(
      "mail (mailto:a@x.example) f (file:///etc/passwd)",
    );
    expect(one("https://x.example/a_b_c")).toBe("<https://x.example/a_b_c>");
    expect(one("[a \\[b\\](c)](https://x.example/)")).toBe("[a \\[b\\](c)](https://x.example/)");
  });

  it("leaves a URL that is shown as text as it is", () => {
    expect(one("[x.com](https://y.example/_a_*b*)")).toBe("x.com (https://y.example/_a_*b*)");
  });

  it.each([
    "@everyone",
    "@here",
    "<@1>",
    "<@!1>",
    "<@&1>",
    "<#1>",
    "</deploy:1>",
    "<:e:1>",
    "<a:e:1>",
    "<id:home>",
    "<t:1>",
  ])("%s is shown and does nothing", (mention) => {
    const text = one(`hey ${mention} \`${mention}\``) ?? "";
    expect(text).not.toContain(mention);
    expect(text.replaceAll(Z, "")).toContain(`\`${mention}\``);
  });

  it("does not let a mention come together from pieces", () => {
    expect(one("@\u0000everyone <&#64;1>")).toBe(`@${Z}everyone <${Z}@1>`);
  });

  it("keeps backticks in inline code", () => {
    expect(one("`` a`b ``")).toBe("`` a`b ``");
    expect(openFences(one("```` a```b ````") ?? "")).toBe(0);
  });

  it("reopens a cut fence with its language", () => {
    const parts = renderDiscord(`Look:\n\`\`\`ts\n${"const a = 1;\n".repeat(400)}\`\`\`\nDone.`);
    expect(parts.length).toBeGreaterThan(2);
    expect(parts[0]).toMatch(/^Look:\n\n```ts\nconst/);
    for (const part of parts.slice(1)) expect(part).toMatch(/^```ts\nconst[\s\S]*\n```/);
    expect(parts.at(-1)).toMatch(/```\n\nDone\.$/);
  });

  it("repeats a table's heading in each message", () => {
    const rows = Array.from({ length: 200 }, (_, i) => `|service-${i}|${i}|`).join("\n");
    const parts = renderDiscord(`|Name|Count|\n|-|-:|\n${rows}`);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(part).toMatch(/^```\nName +Count\n─+ +─+\nservice-/);
    expect([...parts.join("\n").matchAll(/service-(\d+)/g)].map((match) => Number(match[1]))).toEqual(
      Array.from({ length: 200 }, (_, i) => i),
    );
  });

  describe("for any document", () => {
    it.each([
      ["any string", fc.string({ unit: "binary", maxLength: 500 })],
      ["any Markdown", markdownish],
    ])("%s becomes messages within the limit that name nobody", (_, documents) => {
      fc.assert(
        fc.property(documents, (markdown) => {
          const parts = renderDiscord(markdown);
          expect(parts.length).toBeGreaterThan(0);
          for (const part of parts) {
            expect(part.trim()).not.toBe("");
            expect(part.length).toBeLessThanOrEqual(2_000);
            expect(part.isWellFormed()).toBe(true);
            expect(part).not.toMatch(
              /@(?:everyone|here)|<@[!&]?\d|<#\d|<\/[^\s>]+:\d|<a?:\w+:\d|<id:|<t:-?\d/i,
            );
            expect(part.replaceAll(/```[\s\S]*?```|(``?)[^`\n].*?\1/g, "")).not.toMatch(
              /(?<!\\)\]\((?!https?:\/\/)/i,
            );
            expect(openFences(part)).toBe(0);
          }
        }),
        { numRuns: 80 },
      );
    });

    it("plain text comes out whole and in order", () => {
      fc.assert(
        fc.property(prose, (text) => {
          const parts = renderDiscord(text);
          // The shortest message of all platforms: a very long text reaches the bound on messages.
          if (parts.length < 50) expect(squeezed(parts.join("\n"))).toBe(squeezed(text));
          else expect(squeezed(text)).toContain(squeezed(parts.slice(0, -1).join("\n")));
        }),
        { numRuns: 20 },
      );
    });

    it.each(Object.entries(HOSTILE))("%s are no trouble", (_, document) => {
      for (const part of renderDiscord(document(15_000))) expect(part.length).toBeLessThanOrEqual(2_000);
    });
  });
});
