import { describe, expect, it } from "vitest";
import { blocksOf } from "../../../adapters/shared/markdown.ts";
import { textOf } from "../../../adapters/shared/markdown-blocks.ts";
import { linkOf } from "../../../adapters/shared/markdown-links.ts";
import { cpuMs } from "../../support/cpu-time.ts";

const links = (markdown: string, linkable = true) =>
  blocksOf(markdown, { linkable: () => linkable, tableColumnsMax: 60 }).flatMap((block) =>
    block.kind === "text" ? block.spans.map(({ text, href }) => [text, href]) : [],
  );
const text = (markdown: string, linkable = true) =>
  blocksOf(markdown, { linkable: () => linkable, tableColumnsMax: 60 })
    .map(textOf)
    .join("\n");

describe("a label that looks like an address of another host", () => {
  it.each([
    "Go to https://good.com",
    "good.de",
    "good.com/login",
    "see good.com now",
    "www.good.com",
    "HTTPS://GOOD.COM",
    "good.com:8443",
    "//good.com/x",
    "https:\\\\good.com",
    "good․com",
    "good。com",
    "ｇｏｏｄ.com",
    "go\u200bod.com",
    "go\u00adod.com",
    "**good**.com",
    "`good.com`",
    "support@good.com",
    "https://good.com@evil.example/",
    "10.1.2.3",
    "http://[2001:db8::1]/",
    "good.example",
    "wiki.good.internal",
    "bücher.de",
    "xn--bcher-kva.de",
    "bank.co.uk",
    "good.app",
    "ftp.good.io",
    "good.com.",
    "(good.com)",
    "sub.evil.example",
    "\u2067moc.doog\u2069",
  ])("%s is followed by the true one", (label) => {
    for (const href of ["https://evil.example/a", "https://good.com.evil.example/"]) {
      const said = text(`[${label}](${href})`);
      expect(said.endsWith(` (${href})`)).toBe(true);
      expect(links(`[${label}](${href})`).every(([, target]) => target === null || target !== href)).toBe(
        true,
      );
    }
  });

  it("is found behind any number of names of the true one", () => {
    const href = "https://evil.example/a";
    expect(text(`[${"evil.example ".repeat(20)}good.com](${href})`).endsWith(` (${href})`)).toBe(true);
  });

  it.each([
    ["of one long name", `${"a".repeat(300_000)} ./`],
    ["of slashes", `x${"/".repeat(300_000)}`],
    ["of many names", "a.".repeat(150_000)],
    ["of combined letters", `${"a\u0301".repeat(150_000)} ./`],
  ])("is looked at in a time that goes with its length: %s", (_, label) => {
    const look = { text: "", bold: false, italic: false, strike: false, code: false, href: null };
    // Some ten milliseconds; what is quadratic takes minutes.
    expect(cpuMs(() => linkOf(label, "https://evil.example/a", look, () => true))).toBeLessThan(30_000);
  });

  it.each([
    ["good.com", "https://good.com/login"],
    ["www.good.com/login", "https://good.com/login"],
    ["Go to https://good.com", "https://www.good.com"],
    ["GOOD.com", "https://good.com"],
    ["bücher.de", "https://xn--bcher-kva.de/"],
    ["Node.js", "https://nodejs.org/"],
    ["v1.2", "https://e.example/"],
    ["e.g. this", "https://e.example/"],
    ["README.md", "https://e.example/README.md"],
    ["setup.sh", "https://e.example/setup.sh"],
    ["vitest.config.ts", "https://e.example/x"],
    ["and/or", "https://e.example/x"],
    ["good@mail.com", "mailto:good@mail.com"],
    ["Write to good@mail.com", "mailto:good@mail.com?subject=x"],
  ])("%s may lead to %s", (label, href) => {
    expect(links(`[${label}](${href})`)).toEqual([[label, href]]);
  });

  it("does not hide further recipients of a mail", () => {
    expect(text("[a@good.com](mailto:a@good.com?cc=b@evil.com)")).toBe(
      "a@good.com (mailto:a@good.com?cc=b@evil.com)",
    );
    expect(text("[a@good.com](mailto:b@evil.com)")).toBe("a@good.com (mailto:b@evil.com)");
  });

  it("leads to the host alone, without a user before it", () => {
    expect(links("[news](https://good.com@evil.example/x)")).toEqual([["news", "https://evil.example/x"]]);
    expect(text("[good.com](https://good.com@evil.example/x)")).toBe("good.com (https://evil.example/x)");
    expect(links("[p](https://e.example/a@b)")).toEqual([["p", "https://e.example/a@b"]]);
  });
});

describe("an address that is shown", () => {
  it("has no blank in it, which would end it", () => {
    expect(text("[plan](<https://e.x/pump plan.pdf>)", false)).toBe("plan (https://e.x/pump%20plan.pdf)");
    expect(text("[https://e.x/pump plan.pdf](<https://e.x/pump plan.pdf>)", false)).toBe(
      "https://e.x/pump%20plan.pdf",
    );
    expect(text("[a](<./my file.md>)")).toBe("a (./my%20file.md)");
    expect(text("![plan](<https://e.x/pump plan.png>)", false)).toBe("plan (https://e.x/pump%20plan.png)");
  });
});

describe("an image inside a link", () => {
  it("is the label of the outer link", () => {
    expect(links("[![badge](https://e.x/b.svg)](https://e.x/l)")).toEqual([["badge", "https://e.x/l"]]);
    expect(links("[![](https://e.x/b.svg)](https://e.x/l)")).toEqual([["image", "https://e.x/l"]]);
    expect(links("[**![a][i]** now](https://e.x/l)\n\n[i]: https://e.x/b.svg")).toEqual([
      ["a now", "https://e.x/l"],
    ]);
    expect(text("[![badge](https://e.x/b.svg)](https://e.x/l)", false)).toBe("badge (https://e.x/l)");
  });

  it("does not let its caption pass for another address", () => {
    expect(text("[![good.com](https://good.com/b.svg)](https://evil.example/)")).toBe(
      "good.com (https://evil.example/)",
    );
  });
});

describe("marks beside letters of Chinese, Japanese and Korean", () => {
  const looks = (markdown: string) =>
    blocksOf(markdown, { linkable: () => true, tableColumnsMax: 60 }).flatMap((block) =>
      block.kind === "text"
        ? block.spans.map((s) => [s.text, s.bold ? "b" : s.italic ? "i" : s.strike ? "s" : ""].join("|"))
        : [],
    );

  it.each([
    ["**警告：**ポンプ停止", ["警告：|b", "ポンプ停止|"]],
    ["**「重要」**说明", ["「重要」|b", "说明|"]],
    ["说**“好”**吗", ["说|", "“好”|b", "吗|"]],
    ["**한국어(괄호)**는", ["한국어(괄호)|b", "는|"]],
    ["*「これ」*は", ["「これ」|i", "は|"]],
    ["~~旧版：~~新版", ["旧版：|s", "新版|"]],
    ["**[リンク]**です", ["[リンク]|b", "です|"]],
    ['**"quoted"**text', ['**"quoted"**text|']],
    ["un**believ**able", ["un|", "believ|b", "able|"]],
    ["a ~b~ c", ["a ~b~ c|"]],
    ["snake_case_name", ["snake_case_name|"]],
  ])("%s", (markdown, expected) => {
    expect(looks(markdown)).toEqual(expected);
  });
});
