import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderDiscord } from "../../../adapters/discord/dialect.ts";
import { answerFile, readFile } from "../../../adapters/shared/answer-file.ts";
import { blocksOf } from "../../../adapters/shared/markdown.ts";
import type { Block, Span } from "../../../adapters/shared/markdown-blocks.ts";
import { renderMessages, renderSlack, renderStreamed } from "../../../adapters/slack/dialect.ts";
import { messagesInstead, renderReply } from "../../../adapters/slack/render.ts";
import { renderTelegram } from "../../../adapters/telegram/dialect.ts";
import { renderReply as renderOnTelegram } from "../../../adapters/telegram/render.ts";
import { renderWhatsApp } from "../../../adapters/whatsapp/dialect.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import { cpuMs } from "../../support/cpu-time.ts";

const HOSTS = ["good.example", "*.docs.example", "xn--bcher-kva.example", "10.1.2.3"];
const read = (markdown: string, linkHosts: readonly string[] = HOSTS, linkable = true) =>
  blocksOf(markdown, { linkHosts, linkable: () => linkable, tableColumnsMax: 60 });
const spansIn = (blocks: readonly Block[]): readonly Span[] =>
  blocks.flatMap((block) => (block.kind === "text" ? block.spans : []));
/** Code in backticks, links in brackets. */
const shown = (markdown: string, hosts = HOSTS, linkable = true) =>
  spansIn(read(markdown, hosts, linkable))
    .map(({ text, code, href }) => (code ? `\`${text}\`` : href === null ? text : `[${text}](${href})`))
    .join("");

describe("a link to a host that is not on the list", () => {
  it.each([
    ["[here](https://evil.example/a)", "here (`https://evil.example/a`)"],
    ["see [**here**](https://evil.example) now", "see here (`https://evil.example`) now"],
    ["[here](https://good.example.evil.example)", "here (`https://good.example.evil.example`)"],
    ["[here](https://evilgood.example)", "here (`https://evilgood.example`)"],
    ["[here](https://good.example@evil.example/)", "here (`https://evil.example/`)"],
    ["[here](https://docs.example)", "here (`https://docs.example`)"],
    ["[here](https://www.good.example)", "here (`https://www.good.example`)"],
    ["[here](https://bucher.example)", "here (`https://bucher.example`)"],
    ["[here][a]\n\n[a]: https://evil.example", "here (`https://evil.example`)"],
    ["![chart](https://evil.example/c.png)", "chart (`https://evil.example/c.png`)"],
    ["[![chart](https://good.example/c.png)](https://evil.example)", "chart (`https://evil.example`)"],
    ["[a]: https://evil.example", "[a]: `https://evil.example`"],
    ["<https://evil.example/a>", "`https://evil.example/a`"],
    ["<mailto:ann@evil.example>", "`mailto:ann@evil.example`"],
    ["https&#58;//evil.example/a", "`https://evil.example/a`"],
    ["https://evil.example/a?x=1&y=2.", "`https://evil.example/a?x=1&y=2`."],
    ["(https://evil.example:8443/a)", "(`https://evil.example:8443/a`)"],
    ["https://evil.example.", "`https://evil.example`."],
    ["www.evil.unknown/x, and", "`www.evil.unknown/x`, and"],
    ["Write to ann@evil.example", "Write to `ann@evil.example`"],
    ["[Ann](mailto:ann@good.example,bob@evil.example)", "Ann (`mailto:ann@good.example,bob@evil.example`)"],
    [
      "[Ann](mailto:ann@good.example?cc=bob@evil.example)",
      "Ann (`mailto:ann@good.example?cc=bob@evil.example`)",
    ],
    ["https://[2001:db8::1]/", "`https://[2001:db8::1]/`"],
  ])("%s is text", (markdown, expected) => {
    expect(shown(markdown)).toBe(expected);
  });

  it.each([
    "evil.com",
    "evil.com/login?x=1",
    "evil.com:8080/a",
    "e\u200bvil.com",
    "evil\u00ad.com",
    "ftp://evil.example/a",
    "slack://evil/a",
    "tg://resolve?domain=evil",
    "//evil.example",
    "https:\\\\\\\\evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "10.1.2.4",
    "setup.py",
    "пример.рф",
    "ann@evil.com",
    "😀.ws",
    "请访问evil.com谢谢",
    "evil.com.Next",
    "https://good.example:x@evil.example",
    "https://good.example%2eevil.example",
  ])("%s written bare is code, also in one piece", (address) => {
    expect(shown(`See ${address} now`)).toMatch(/^See `.*` now$/u);
    expect(spansIn(read(`See ${address} now`)).every(({ href }) => href === null)).toBe(true);
  });

  it("is code where looks, allowed links and marks stand in it", () => {
    expect(shown("see evil.**com** now")).toBe("see `evil.``com` now");
    expect(shown("https://good.example/a,https://evil.example", HOSTS, false)).toContain(
      "`https://evil.example`",
    );
    expect(shown("https://good.example\\@evil.com", HOSTS, false)).toContain("`@evil.com`");
    expect(shown("evil.[com](https://good.example/)")).toBe("`evil.`[com](https://good.example/)");
    expect(shown("&lt;b&gt;evil.com&lt;/b&gt;")).toContain("`evil.com`");
    expect(shown("<i>evil.com</i>")).toContain("`evil.com`");
  });

  it.each([
    "good.example:evil.com",
    "good.example:80evil.com",
    "good.example?evil.com",
    "good.example~evil.com",
    "good.example\u30fbevil.com",
    "https://good.example/a。evil.com",
    "https://good.example/a*evil.com",
    "https://good.example/a|evil.com",
    "evil·good.example",
  ])("is code behind what a client may take for the end of an allowed one: %s", (text) => {
    expect(shown(`See ${text} now`, HOSTS, false)).toMatch(/`[^`]*(?:evil\.com|evil·good\.example)` now$/);
  });

  it("is text in headings, lists, quotes and footnotes", () => {
    for (const before of ["# ", "- ", "> ", "1. [ ] ", "a[^1]\n\n[^1]: "])
      expect(shown(`${before}[x](https://evil.example) evil.com`)).toContain(
        "x (`https://evil.example`) `evil.com`",
      );
  });
});

describe("what stays as it is", () => {
  it.each([
    "[here](https://good.example/a)",
    "[here](https://good.example:8443/a)",
    "[here](https://GOOD.example./a)",
    "[here](https://a.docs.example)",
    "[here](https://a.b.docs.example)",
    "[here](https://xn--bcher-kva.example/)",
    "[here](https://bücher.example/)",
    "[Ann](mailto:ann@good.example)",
    "https://good.example/readme.md?u=evil.com",
    "https://user@good.example/x",
    "good.example/setup.py, good.example:8080/setup.py and 10.1.2.3",
    "ann@good.example",
    "`https://evil.example`",
    "Node.js v1.2, e.g. config.yaml. Yes...no",
    "a/b and/or 1/2 C:\\x",
  ])("%s", (markdown) => {
    const options = { linkable: () => true, tableColumnsMax: 60 };
    expect(read(markdown)).toEqual(blocksOf(markdown, options));
    expect(read(markdown, HOSTS, false)).toEqual(blocksOf(markdown, { ...options, linkable: () => false }));
  });

  it("is a block of code", () => {
    expect(read("```\nhttps://evil.example\n```")).toEqual(
      blocksOf("```\nhttps://evil.example\n```", { linkable: () => true, tableColumnsMax: 60 }),
    );
  });
});

it("an empty list allows nothing", () => {
  expect(shown("[x](https://good.example)", [])).toBe("x (`https://good.example`)");
});

const TABLE = "|evil.com|b|\n|-|-|\n|[x](https://evil.example)|[y](https://good.example)|";

describe("dialects", () => {
  const markdown = "[here](https://evil.example/a) and [there](https://good.example/b)";

  it("Slack", () => {
    expect(renderSlack(markdown, undefined, [], HOSTS)).toEqual([
      "here (`https://evil.example/a`) and <https://good.example/b|there>",
    ]);
    expect(renderStreamed(markdown, HOSTS)?.text).toBe(
      "here (`https://evil.example/a`) and [there](https://good.example/b)",
    );
    const [table] = renderMessages(TABLE, undefined, [], HOSTS);
    expect(JSON.stringify(table)).not.toContain('"url":"https://evil.example');
    expect(JSON.stringify(table)).toContain(
      '{"type":"text","text":"https://evil.example","style":{"code":true}}',
    );
    expect(JSON.stringify(table)).toContain("`evil.com`");
  });

  it("Discord", () => {
    expect(renderDiscord(markdown, [], HOSTS)).toEqual([
      "here (`https://evil.example/a`) and [there](https://good.example/b)",
    ]);
  });

  it("Telegram, also where it takes no markup", () => {
    const [text] = renderTelegram(`${markdown}\n\n\`\`\`\nevil.com\n\`\`\``, HOSTS);
    expect(text?.html).toBe(
      'here (<code>https://evil.example/a</code>) and <a href="https://good.example/b">there</a>\n\n<pre>evil.com</pre>',
    );
    expect(text?.plain).toBe(
      "here (https:\u200b/\u200b/\u200bevil.\u200bexample/\u200ba) and there (https://good.example/b)\n\nevil.\u200bcom",
    );
  });

  it("WhatsApp", () => {
    expect(renderWhatsApp(markdown, HOSTS)).toEqual([
      "here (`https://evil.example/a`) and there (https://good.example/b)",
    ]);
  });
});

it("an answer that is said as messages where its file is not taken keeps to the list", () => {
  const text = "See [it](https://evil.example/).\n\n".repeat(500);
  const parts = renderReply(text, "to" as ReplyAddress, [], [], HOSTS);
  const file = readFile(JSON.parse(parts.at(-1) ?? "{}"));
  expect(file).toEqual(answerFile(text, HOSTS));
  const said = file === null ? [] : messagesInstead(file);
  expect(said.length).toBeGreaterThan(1);
  for (const message of said) expect(message).not.toContain("<https");
  expect(readFile({ file: answerFile(text) })).toEqual(answerFile(text));
});

it("messages keep their limit", () => {
  const hostile = `${"[a](https://evil.example/) evil.com ".repeat(400)}\n\n${TABLE}${"\n|[x](https://evil.example)|evil.com|".repeat(95)}`;
  for (const part of renderMessages(hostile, undefined, [], HOSTS))
    expect("text" in part ? part.text.length : 0).toBeLessThanOrEqual(3_900);
  for (const part of renderOnTelegram(hostile, undefined, [], [], HOSTS))
    expect((JSON.parse(part) as { plain: string }).plain.length).toBeLessThanOrEqual(4_096);
});

describe("for any text", () => {
  const pieces = fc.constantFrom(
    ..."evil.com|https://evil.example/a|www.evil.example|good.example|https://good.example/x|**|_|`|[|](|)|<|>| |\n|@|//|.|,|a|é|\u200b|😀|~~|\\|&#46;|mailto:".split(
      "|",
    ),
    "|",
  );
  const texts = fc.array(pieces, { maxLength: 30 }).map((all) => all.join(""));

  it("no link leads to another host, and no words are lost", () => {
    fc.assert(
      fc.property(texts, (markdown) => {
        for (const { href } of spansIn(read(markdown)))
          if (href !== null) expect(new URL(href).hostname || href).toMatch(/good\.example$/);
        const bare = spansIn(read(markdown, HOSTS, false)).filter(({ code }) => !code);
        for (const { text } of bare)
          expect(text).not.toMatch(/(?<![^\s])(?:https:\/\/|www\.)?evil\.(?:com|example)(?![^\s])/);
      }),
    );
  });

  it.each([
    ["addresses", "evil.com "],
    ["allowed ones", "https://good.example/a,"],
    ["names", "a."],
    ["endings", "a.com."],
    ["letters", "a"],
    ["slashes", "/"],
    ["slashes and blanks", "// "],
    ["marks", "https://evil.example!!!!"],
    ["mailboxes", "a@evil.com"],
    ["colons", "a:"],
    ["looks", "evil.**com** "],
    ["links", "[a](https://evil.example) "],
  ])("takes linear time for many %s", (_, piece) => {
    const ms = (chars: number) => cpuMs(() => read(piece.repeat(chars / piece.length), HOSTS, false));
    ms(16_000);
    expect(ms(60_000)).toBeLessThan(Math.max(12 * ms(15_000), 150));
  });
});
