import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderTelegram } from "../../../adapters/telegram/dialect.ts";
import { HOSTILE, markdownish, prose, squeezed } from "../shared/markdown-arbitrary.ts";

const Z = "\u200b";
const one = (markdown: string) => {
  const parts = renderTelegram(markdown);
  expect(parts).toHaveLength(1);
  return parts[0] ?? { html: "", plain: "" };
};

/** The visible text of HTML as strict as Telegram could be; throws at whatever is not perfectly nested and escaped. */
function readHtml(html: string): { text: string; entities: number } {
  const open: string[] = [];
  let text = "";
  let entities = 0;
  const token = /<(\/?)(b|i|s|a|code|pre|blockquote)((?: [a-z]+="[^"<>]*")?)>|&(amp|lt|gt|quot);|([^<>&]+)/gy;
  while (token.lastIndex < html.length) {
    const at = token.lastIndex;
    const match = token.exec(html);
    if (match === null) throw new Error(`Expected text or a tag at ${at}, got ${html.slice(at, at + 20)}`);
    const [, slash, tag, attribute = "", entity, plain] = match;
    if (plain !== undefined) text += plain;
    else if (entity !== undefined) text += { amp: "&", lt: "<", gt: ">", quot: '"' }[entity];
    else if (slash === "/") {
      if (open.pop() !== tag) throw new Error(`Expected another end tag than ${tag} at ${at}`);
    } else {
      if (!isAllowed(tag ?? "", attribute, open))
        throw new Error(`Unexpected ${match[0]} in ${open.join(" ")} at ${at}`);
      open.push(tag ?? "");
      entities++;
    }
  }
  if (open.length > 0) throw new Error(`Expected end tags of ${open.join(" ")}`);
  return { text, entities };
}

function isAllowed(tag: string, attribute: string, open: readonly string[]): boolean {
  if (open.includes("code") || (open.includes("pre") && tag !== "code")) return false;
  if (tag === "blockquote" || tag === "pre") return attribute === "" && open.length === 0;
  if (tag === "code" && open.at(-1) === "pre") return /^ class="language-[\w+#.-]+"$/.test(attribute);
  if (tag === "code") return attribute === "" && open.every((each) => each === "blockquote");
  return tag === "a" ? /^ href="(?:https?:\/\/|mailto:)/i.test(attribute) : attribute === "";
}

describe("Telegram's dialect", () => {
  it("writes each look as a tag, and the same text without", () => {
    expect(one("# Plan\n\n**bold *both*** ~~gone~~ `a<b` [x & y](https://x.example/?a=1&b=2)")).toEqual({
      html: '<b>Plan</b>\n\n<b>bold <i>both</i></b> <s>gone</s> <code>a&lt;b</code> <a href="https://x.example/?a=1&amp;b=2">x &amp; y</a>',
      plain: "Plan\n\nbold both gone a<b x & y (https://x.example/?a=1&b=2)",
    });
  });

  it("writes code with its language", () => {
    expect(one('```c++\nif (a < b && "c") {}\n```').html).toBe(
      '<pre><code class="language-c++">if (a &lt; b &amp;&amp; &quot;c&quot;) {}</code></pre>',
    );
    expect(one('```"><b>\na\n```').html).toBe("<pre>a</pre>");
  });

  it("puts a whole quote into one tag, and no quote into another", () => {
    expect(one("> a\n>\n> b\n> > c\n\ntext").html).toBe("<blockquote>a\n\nb\n\n│ c</blockquote>\n\ntext");
  });

  it("keeps code out of other looks, which Telegram refuses", () => {
    expect(one("**a `b` c**").html).toBe("<b>a</b> <code>b</code> <b>c</b>");
  });

  it.each([
    "@some_user",
    "@**some_user**",
    "@*some_user*",
    "(@some_user)",
    "[@some_user](https://x.example/)",
  ])("%s names nobody", (markdown) => {
    const { text } = readHtml(one(markdown).html);
    expect(text).toContain(`@${Z}some_user`);
    expect(one(markdown).plain).not.toMatch(/@some_user/);
  });

  it("leaves addresses and code as they are", () => {
    expect(one("`@scope/name` ann@x.example").html).toBe(
      '<code>@scope/name</code> <a href="mailto:ann@x.example">ann@x.example</a>',
    );
  });

  it("never links to a person or a script", () => {
    expect(one("[a](tg://user?id=1) [b](javascript:x)").html).toBe("a (tg://user?id=1) b (javascript:x)");
  });

  it("starts a new message before there are more looks than Telegram shows", () => {
    const parts = renderTelegram("**a** b ".repeat(240));
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(readHtml(part.html).entities).toBeLessThanOrEqual(90);
    expect(parts.flatMap(({ html }) => html.match(/<b>a<\/b>/g) ?? [])).toHaveLength(240);
  });

  describe("for any document", () => {
    it.each([
      ["any string", fc.string({ unit: "binary", maxLength: 500 })],
      ["any Markdown", markdownish],
    ])("%s becomes well-formed messages within the limits", (_, documents) => {
      fc.assert(
        fc.property(documents, (markdown) => {
          const parts = renderTelegram(markdown);
          expect(parts.length).toBeGreaterThan(0);
          for (const { html, plain } of parts) {
            const { text, entities } = readHtml(html);
            expect(text.trim()).not.toBe("");
            expect(text.length).toBeLessThanOrEqual(4_096);
            expect(plain.length).toBeLessThanOrEqual(4_096);
            expect(html.length).toBeLessThanOrEqual(20_000);
            expect(entities).toBeLessThanOrEqual(90);
            expect(html.isWellFormed()).toBe(true);
            expect(plain).not.toMatch(/(?<![\p{L}\p{N}_])@[A-Za-z]/u);
            const prose = readHtml(html.replaceAll(/<(code|pre)\b.*?<\/\1>/gs, " ")).text;
            expect(prose).not.toMatch(/(?<![\p{L}\p{N}_])@[A-Za-z]/u);
          }
        }),
        { numRuns: 80 },
      );
    });

    it("plain text comes out whole and in order", () => {
      fc.assert(
        fc.property(prose, (text) => {
          const parts = renderTelegram(text);
          expect(squeezed(parts.map(({ html }) => readHtml(html).text).join("\n"))).toBe(squeezed(text));
          expect(squeezed(parts.map(({ plain }) => plain).join("\n"))).toBe(squeezed(text));
        }),
        { numRuns: 20 },
      );
    });

    it.each(Object.entries(HOSTILE))("%s are no trouble", (_, document) => {
      for (const { html } of renderTelegram(document(15_000)))
        expect(readHtml(html).text.length).toBeLessThanOrEqual(4_096);
    });
  });
});
