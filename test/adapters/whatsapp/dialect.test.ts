import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderWhatsApp } from "../../../adapters/whatsapp/dialect.ts";
import { HOSTILE, markdownish, openFences, prose, squeezed } from "../shared/markdown-arbitrary.ts";

const Z = "\u200b";
const one = (markdown: string) => {
  const parts = renderWhatsApp(markdown);
  expect(parts).toHaveLength(1);
  return parts[0];
};

describe("WhatsApp's dialect", () => {
  it("writes each look with WhatsApp's markers", () => {
    expect(one("## Plan\n\n**bold** *italic* ~~gone~~ `code`\n\n```ts\nlet a;\n```")).toBe(
      "*Plan*\n\n*bold* _italic_ ~gone~ `code`\n\n```\nlet a;\n```",
    );
  });

  it("writes links out", () => {
    expect(one("[docs](https://x.example/_a_) and https://x.example/b and ![i](https://x.example/i)")).toBe(
      "docs (https://x.example/_a_) and https://x.example/b and i (https://x.example/i)",
    );
    expect(one("ann@x.example, [Ann](mailto:ann@x.example)")).toBe(
      "ann@x.example, Ann (mailto:ann@x.example)",
    );
  });

  it("keeps a literal marker from formatting", () => {
    expect(one("\\*a\\* \\_b\\_ \\~c\\~ \\`d\\`")).toBe(`*${Z}a* _${Z}b_ ~${Z}c~ \`${Z}d\`${Z}`);
    expect(one("snake_case 2 * 3 ~ 6")).toBe("snake_case 2 * 3 ~ 6");
    expect(one("\\> no quote")).toBe(`${Z}> no quote`);
  });

  it("shows nested lists and quotes", () => {
    expect(one("- a\n  - b\n\n> c\n> > d")).toBe("• a\n  ◦ b\n\n> c\n> \n> │ d");
  });

  it("never ends a fence by its own text", () => {
    expect(one("~~~\na ```` b\n~~~")).toBe(`\`\`\`\na \`\`${Z}\`\` b\n\`\`\``);
  });

  describe("for any document", () => {
    it.each([
      ["any string", fc.string({ unit: "binary", maxLength: 500 })],
      ["any Markdown", markdownish],
    ])("%s becomes messages within the limit", (_, documents) => {
      fc.assert(
        fc.property(documents, (markdown) => {
          const parts = renderWhatsApp(markdown);
          expect(parts.length).toBeGreaterThan(0);
          for (const part of parts) {
            expect(part.trim()).not.toBe("");
            expect(part.length).toBeLessThanOrEqual(4_096);
            expect(part.isWellFormed()).toBe(true);
            expect(openFences(part)).toBe(0);
          }
        }),
        { numRuns: 80 },
      );
    });

    it("plain text comes out whole and in order", () => {
      fc.assert(
        fc.property(prose, (text) => {
          expect(squeezed(renderWhatsApp(text).join("\n"))).toBe(squeezed(text));
        }),
        { numRuns: 20 },
      );
    });

    it.each(Object.entries(HOSTILE))("%s are no trouble", (_, document) => {
      for (const part of renderWhatsApp(document(15_000))) expect(part.length).toBeLessThanOrEqual(4_096);
    });
  });
});
