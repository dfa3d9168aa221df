import { describe, expect, it } from "vitest";
import { type Section, sectionsOf } from "../../../adapters/shared/markdown-sections.ts";
import { HOSTILE } from "./markdown-arbitrary.ts";

const kinds = (text: string) => sectionsOf(text).map((section) => section.kind);

const linesOf = (sections: readonly Section[]) =>
  sections.flatMap((section) => ("text" in section ? section.text.split("\n").filter(Boolean) : [])).length;

describe("a reply in stretches", () => {
  it("is one stretch when it is short and ordinary", () => {
    const text = "# Title\n\nText **bold**.\n\n- a\n\n  more of a\n- b\n\n> quote\n\n|a|\n|-|\n|b|";
    expect(sectionsOf(text)).toEqual([{ kind: "markdown", text }]);
  });

  it("takes fences in the first column out, and leaves those of list items where they are", () => {
    expect(sectionsOf("a\n```js x\n[\n\n~~~\n```\nb")).toEqual([
      { kind: "markdown", text: "a" },
      { kind: "fence", info: "js x", lines: ["[", "", "~~~"] },
      { kind: "markdown", text: "b" },
    ]);
    expect(kinds("- a\n  ```\n  b\n\nc\n  ```\n- d")).toEqual(["markdown"]);
    expect(kinds("```not`a fence\nb")).toEqual(["markdown"]);
  });

  it.each([
    "opening brackets",
    "closing brackets",
    "nested brackets",
    "stars",
    "nested emphasis",
    "nested quotes",
    "nested quotes with spaces",
    "nested lists on a line",
    "nested numbers on a line",
    "lists nested by indentation",
  ])("%s are not parsed, and what follows is", (name) => {
    expect(kinds(`${HOSTILE[name]?.(12_000) ?? ""}\n\n**after**`)).toEqual(["literal", "markdown"]);
  });

  it("parses a long list in few stretches, cut between items", () => {
    const items = Array.from({ length: 500 }, (_, i) => `- item **${i}** ${"word ".repeat(10)}\n  - nested`);
    const sections = sectionsOf(items.join("\n"));
    expect(sections.map((section) => section.kind)).toEqual(["markdown", "markdown", "markdown"]);
    for (const section of sections) expect("text" in section && section.text).toMatch(/^- item/);
  });

  it("parses a table, a rule and many short lines with marks in each", () => {
    const rows = Array.from({ length: 100 }, (_, i) => `| **a** | \`b\` | [c](https://x.example/${i}) |`);
    expect(kinds(["| a | b | c |", `|${"-".repeat(90)}|-|-|`, ...rows].join("\n"))).toEqual(["markdown"]);
    expect(kinds(`a\n\n${"-".repeat(200)}\n\n${"* ".repeat(12)}\n\n${"=".repeat(200)}`)).toEqual([
      "markdown",
    ]);
    expect(kinds(Array.from({ length: 400 }, () => "- **a** `b`").join("\n"))).toEqual(["markdown"]);
  });

  it("says what is beyond any model's answer as it stands", () => {
    const paragraphs = Array.from({ length: 1_200 }, () => `Some **words** ${"x".repeat(80)}`).join("\n\n");
    const sections = sectionsOf(paragraphs);
    expect(sections[0]?.kind).toBe("markdown");
    expect(sections.at(-1)?.kind).toBe("literal");
    const parsed = sections.flatMap((section) => (section.kind === "markdown" ? section.text.length : []));
    expect(parsed.reduce((sum, chars) => sum + chars, 0)).toBeLessThanOrEqual(64_000);
    expect(Math.max(...parsed)).toBeLessThanOrEqual(16_000);
    const items = sectionsOf("- a\n".repeat(8_000));
    expect(new Set(items.map(({ kind }) => kind))).toEqual(new Set(["markdown", "literal"]));
    expect(linesOf(items.filter(({ kind }) => kind === "markdown"))).toBe(2_000);
  });

  it("parses few of many short items at once, for the parser's time grows with their square", () => {
    const sections = sectionsOf("- a\n".repeat(1_000));
    expect(sections.map((section) => linesOf([section]))).toEqual([400, 400, 200]);
    const tables = sectionsOf("|a|\n|-|\n|b|\n\n".repeat(200));
    for (const section of tables) expect(linesOf([section])).toBeLessThanOrEqual(410);
  });
});
