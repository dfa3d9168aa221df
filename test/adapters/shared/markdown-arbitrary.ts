import fc from "fast-check";

/** What has a meaning to Markdown or to one of the platforms, and what is easily cut in two. */
const PIECES = [
  ..."*_~`[]()<>|#!\\-+&@\n\t :".split(""),
  ...[
    "**",
    "~~",
    "```",
    "````js",
    "~~~",
    "\n\n",
    "\n> ",
    "\n- ",
    "\n  - ",
    "\n1. ",
    "- [x] ",
    "\n# ",
    "\n---\n",
  ],
  ...[
    "|a|b|\n|-|-|\n|c|d|\n",
    "[a](https://x.example/b_c)",
    "![i](https://x.example/i.png)",
    "https://x.example/_a_",
  ],
  ...[
    "<!channel>",
    "<!here>",
    "<@U123>",
    "<#C1>",
    "<!subteam^S1>",
    "@everyone",
    "@here",
    "@channel",
    "@every",
    "one",
  ],
  ...[
    "<@1>",
    "<@!1>",
    "<@&1>",
    "</cmd:1>",
    "<:e:1>",
    "<id:home>",
    "<t:1>",
    "@some_user",
    "tg://user?id=1",
    "<",
    "!ch",
  ],
  ...[
    "&lt;!channel&gt;",
    "&#64;here",
    "&amp;",
    "\u0000",
    "\ud83d",
    "\udc69",
    "👩‍👩‍👧",
    "🇩🇪",
    "e\u0301\u0301",
    "\u200b",
    "\u202e",
    "世界",
  ],
  ...[
    "[^1]",
    "\n[^1]: note\n",
    "[r][d]",
    "\n[d]: https://x.example/d\n",
    "<b>",
    "<br>",
    "<!-- c -->",
    "[t](javascript:x)",
  ],
];

/** Documents full of what is dangerous; some longer than any platform's message. */
export const markdownish: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...PIECES) },
      { weight: 4, arbitrary: fc.lorem({ maxCount: 8 }) },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom(...PIECES), fc.integer({ min: 1, max: 2_500 }))
          .map(([piece, count]) => piece.repeat(count).slice(0, 5_000)),
      },
    ),
    { maxLength: 40 },
  )
  .map((pieces) => pieces.join(""));

/** Plain sentences and long words: none of it means anything to Markdown, all of it must come out. */
export const prose: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.lorem({ maxCount: 60, mode: "words" }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 9_000 }).map((length) => "x".repeat(length)) },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 1, max: 900 }).map((length) => "👩‍👩‍👧 ".repeat(length).trim()),
      },
    ),
    { minLength: 1, maxLength: 40 },
  )
  .map((paragraphs) => paragraphs.join("\n\n"));

/** Everything that is not a blank, so that texts can be compared however they were broken. */
export function squeezed(text: string): string {
  return text.replaceAll(/\s+/g, "");
}

/** Long inputs that take a careless parser or splitter quadratic time, or overflow its stack. */
export const HOSTILE: Readonly<Record<string, (chars: number) => string>> = {
  "opening brackets": (chars) => "[".repeat(chars),
  "closing brackets": (chars) => "]".repeat(chars),
  "nested brackets": (chars) => "[".repeat(chars / 2) + "]".repeat(chars / 2),
  "half links": (chars) => "[a](".repeat(chars / 4),
  "half images": (chars) => "![".repeat(chars / 2),
  stars: (chars) => "*".repeat(chars),
  "stars and letters": (chars) => "a*".repeat(chars / 2),
  "nested emphasis": (chars) => "*a **b ".repeat(chars / 14) + "b** a* ".repeat(chars / 14),
  "growing backticks": (chars) => growing(chars, (i) => `${"`".repeat(i)}a`),
  "nested quotes": (chars) => ">".repeat(chars),
  "nested quotes with spaces": (chars) => "> ".repeat(chars / 2),
  "nested lists on a line": (chars) => "- ".repeat(chars / 2),
  "nested numbers on a line": (chars) => "1. ".repeat(chars / 3),
  "lists nested by indentation": (chars) => growing(chars, (i) => `${"  ".repeat(i)}- a\n`),
  "many items": (chars) => "- a\n".repeat(chars / 4),
  "many lines": (chars) => "a\n".repeat(chars / 2),
  "a long table": (chars) => `|a|b|\n|-|-|\n${"|c|d|\n".repeat(chars / 6)}`,
  "a long table with one row of many cells": (chars) =>
    `|a|b|\n|-|-|\n${"|c|d|\n".repeat(chars / 12)}|c${"|".repeat(chars / 2)}\n`,
  "a wide table": (chars) => `${"|a".repeat(chars / 4)}|\n${"|-".repeat(chars / 4)}|\n`,
  "tags that never close": (chars) => "<a ".repeat(chars / 3),
  "comments that never close": (chars) => "a<!--".repeat(chars / 5),
  "half addresses": (chars) => "a@b.".repeat(chars / 4),
  "one word": (chars) => "a".repeat(chars),
  "one grapheme": (chars) => `a${"\u0301".repeat(chars)}`,
  "one emoji": (chars) => "👩\u200d".repeat(chars / 3),
  blanks: (chars) => `${" ".repeat(chars)}a`,
  "nothing visible": (chars) => "\u200b".repeat(chars),
  "one line of code": (chars) => `\`\`\`js\n${"x".repeat(chars)}\n\`\`\``,
  "many lines of code": (chars) => `\`\`\`js\n${"x\n".repeat(chars / 2)}\`\`\``,
  "code of backticks": (chars) => `~~~\n${"`".repeat(chars)}\n~~~`,
  "one long link": (chars) => `[${"a ".repeat(chars / 2)}](https://x.example/)`,
  "many links": (chars) => "[a](https://x.example/) ".repeat(chars / 24),
  mentions: (chars) => "@everyone<!here>".repeat(chars / 16),
};

function growing(chars: number, line: (index: number) => string): string {
  let text = "";
  for (let i = 1; text.length < chars; i++) text += line(i);
  return text;
}

/** Fences that are open at the end of the text: 0 or 1. */
export function openFences(text: string): number {
  return (text.match(/```/g)?.length ?? 0) % 2;
}
