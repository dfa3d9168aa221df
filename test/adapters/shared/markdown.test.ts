import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blocksOf, clean } from "../../../adapters/shared/markdown.ts";
import { textOf } from "../../../adapters/shared/markdown-blocks.ts";

const options = { linkable: () => true, tableColumnsMax: 60 };
const blocks = (markdown: string) => blocksOf(markdown, options);
const texts = (markdown: string) => blocks(markdown).map(textOf);

describe("Markdown as blocks", () => {
  it("reads a heading as a bold line that stays with what follows", () => {
    expect(blocks("# Plan *now*")).toMatchObject([
      {
        kind: "text",
        heading: true,
        spans: [
          { text: "Plan ", bold: true },
          { text: "now", bold: true, italic: true },
        ],
      },
    ]);
  });

  it("keeps the numbers, the depth and the ticks of lists", () => {
    const found = blocks("3. three\n   - nested\n4. four\n\ntext\n\n- [x] done\n- [ ] open");
    expect(found.map((block) => block.kind === "text" && [block.marker, block.level])).toEqual([
      [{ kind: "number", number: 3 }, 1],
      [{ kind: "bullet" }, 2],
      [{ kind: "number", number: 4 }, 1],
      [null, 0],
      [{ kind: "task", done: true }, 1],
      [{ kind: "task", done: false }, 1],
    ]);
  });

  it("keeps a fence's language and its text to the letter", () => {
    expect(blocks("```c++\n  a < b && *p\n\n```")).toMatchObject([
      { kind: "code", language: "c++", lines: ["  a < b && *p", ""] },
    ]);
  });

  it("takes a fence that never ends to the end", () => {
    expect(blocks("text\n~~~\na\n```\nb")).toMatchObject([
      { kind: "text" },
      { kind: "code", lines: ["a", "```", "b"] },
    ]);
  });

  it("follows only web and mail addresses, and writes out any other", () => {
    expect(texts("[a](javascript:alert(1)) [b](./b.md)")).toEqual(["a (javascript:alert(1)) b (./b.md)"]);
    expect(blocks("[a](HTTPS://x.example/y)")).toMatchObject([
      { spans: [{ text: "a", href: "HTTPS://x.example/y" }] },
    ]);
  });

  it("does not let a label pass for another address", () => {
    expect(
      texts("[https://bank.example](https://thief.example/) [bank.com](https://thief.example/)"),
    ).toEqual(["https://bank.example (https://thief.example/) bank.com (https://thief.example/)"]);
    expect(blocks("[bank.example/pay](https://www.bank.example/pay)")).toMatchObject([
      { spans: [{ href: "https://www.bank.example/pay" }] },
    ]);
  });

  it("finds the definition of a reference anywhere in the text", () => {
    expect(blocks("[a][1]\n\ntext\n\n> [1]: https://x.example/")[0]).toMatchObject({
      spans: [{ text: "a", href: "https://x.example/" }],
    });
  });

  it("finds the definition of a reference and a footnote behind a fence, and reads what looks like one in code as code", () => {
    const found = blocks(
      "- [a][ B  c] and x[^n] and `[b c]`\n\n```\n[b c]\n```\n\n    [b c]\n\n[B C]: https://x.example/\n\n[^n]: Why.",
    );
    expect(found.map(textOf)).toEqual(["a and x[n] and [b c]", "[b c]", "[b c]", "[n] Why."]);
    expect(found[0]).toMatchObject({ marker: { kind: "bullet" }, level: 1 });
    expect(found[0]?.kind === "text" && found[0].spans[0]).toMatchObject({
      text: "a",
      href: "https://x.example/",
    });
  });

  it("does not take what stands before a section for a part of it", () => {
    const found = blocks("[1]: https://x.example/\n\n```\nx\n```\n    code of [1]\n\nSee [1].");
    expect(found.map(({ kind }) => kind)).toEqual(["code", "code", "text"]);
    expect(found.map(textOf)).toEqual(["x", "code of [1]", "See 1."]);
  });

  it("says a definition that nothing refers to", () => {
    expect(
      texts('[Answer]: 42\n\n[1]: https://x.example/ "X"\n[2]: https://y.example/\n\nAs in [2].'),
    ).toEqual(["[Answer]: 42", '[1]: https://x.example/ "X"', "As in 2."]);
    expect(blocks("[1]: https://x.example/")).toMatchObject([
      { spans: [{ text: "[1]: ", href: null }, { href: "https://x.example/" }] },
    ]);
  });

  it("says code that stands on the line of the fence", () => {
    expect(texts("```npm install parley\n```")).toEqual(["npm install parley"]);
    expect(texts("- ```npm install parley\n  ```")).toEqual(["", "npm install parley"]);
    expect(texts("```js title=x\ncode\n```")).toEqual(["code"]);
  });

  it("says a footnote where it is defined", () => {
    expect(texts("Claim[^1].\n\n[^1]: Source.")).toEqual(["Claim[1].", "[1] Source."]);
  });

  it("shows HTML as it was written, and breaks the line at <br>", () => {
    expect(texts("a <b>x</b><br/> c")).toEqual(["a <b>x</b>\nc"]);
    expect(texts("<div>\nx\n</div>")).toEqual(["<div>\nx\n</div>"]);
  });

  it("aligns a table, wide letters included", () => {
    expect(texts("|Name|Ms|\n|:-|-:|\n|世界|5|\n|web|12|")).toEqual([
      ["Name   Ms", "────   ──", "世界    5", "web    12"].join("\n"),
    ]);
  });

  it("lists the rows of a table that is too wide or has links", () => {
    expect(texts("|Name|Doc|\n|-|-|\n|api|[read](https://x.example/)|")).toEqual(["Name: api", "Doc: read"]);
    expect(texts(`|Name|Note|\n|-|-|\n|api|${"word ".repeat(20)}|`)[0]).toBe("Name: api");
  });

  it("lists the cells of one column below its heading", () => {
    expect(texts("|Doc|\n|-|\n|[read](https://x.example/)|\n|b|")).toEqual(["Doc", "read", "b"]);
  });

  it("says the cells of a row that has more of them than the heading", () => {
    expect(texts("|Name|\n|-|\n|a || b|")).toEqual(["Name\n────   ─   ─\na          b"]);
    expect(texts("|Name|\n|-|\n|[a](https://x.example/) || b|")).toEqual(["Name: a", "b"]);
  });

  it("removes control characters and mends halves of surrogate pairs", () => {
    expect(clean("a\u0000b\u001b[31mc\r\nd\ud800e\u202ef\tg")).toBe("ab[31mc\nd\ufffdef\tg");
  });
});

describe("a line of plain text", () => {
  it("is the same whether or not it is parsed", () => {
    const line = fc.stringMatching(/^[A-Za-zé][A-Za-z0-9 é.,;:'"?()%$€{}/+=-]*$/);
    // A line break at the end makes no difference to Markdown, and sends the text through the parser.
    fc.assert(
      fc.property(line, (text) => {
        expect(blocksOf(text, options)).toEqual(blocksOf(`${text}\n`, options));
      }),
    );
  });

  it("is parsed when it holds a link", () => {
    const [block] = blocksOf("See https://example.com for more", options);
    expect(JSON.stringify(block)).toContain('"href":"https://example.com"');
  });
});
