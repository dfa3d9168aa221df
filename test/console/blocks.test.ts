import { describe, expect, it } from "vitest";
import { blocksOf } from "../../src/console/page/blocks.ts";

const blocks = (text: string) =>
  blocksOf(text.split("\n")).map(({ kind, lines }) => [kind, lines.join("\n")]);

describe("an answer in the playground", () => {
  it("is text, headings, tables and code, of which nothing is lost", () => {
    const text = "one\ntwo\n# Three\n| a |\n|---|\nafter\n```ts\nconst a = 1;\n# not a heading\n```\nend";
    expect(blocks(text)).toEqual([
      ...[
        ["text", "one\ntwo"],
        ["heading", "# Three"],
        ["table", "| a |\n|---|"],
      ],
      ...[
        ["text", "after"],
        ["code", "const a = 1;\n# not a heading"],
        ["text", "end"],
      ],
    ]);
  });

  it.each([
    ["```\nopen to the end\n| x", [["code", "open to the end\n| x"]]],
    [
      "````\n```\n````\nafter",
      [
        ["code", "```"],
        ["text", "after"],
      ],
    ],
    ["~~~\n```\n~~~", [["code", "```"]]],
    ["```\n```", [["code", ""]]],
    ["", [["text", ""]]],
  ])("%j has its fences where they are", (text, expected) => {
    expect(blocks(text)).toEqual(expected);
  });
});
