import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { renderDiscord, renderEmbedded } from "../../adapters/discord/dialect.ts";
import type { Message } from "../../adapters/discord/tables.ts";
import { clean } from "../../adapters/shared/markdown.ts";
import { renderSlack } from "../../adapters/slack/dialect.ts";

/** `<name>.md` is what a model wrote; `<name>.<dialect>.txt` what people are sent, byte for byte, read by eye. */
const folder = resolve(import.meta.dirname, "../fixtures/rendering/documents");
const BREAK = "\n=== next message ===\n";

interface Dialect {
  readonly name: string;
  readonly render: (markdown: string) => readonly string[];
  readonly charsMax: number;
  /** What would name a person, a group, a channel or everybody. */
  readonly mention: RegExp;
  /** As it is read there. */
  readonly shown: (message: string) => string;
  /** Absent: it has a golden file for each. */
  readonly isFor?: (markdown: string) => boolean;
}

/** With what stands below the content. */
const CARDED_CHARS_MAX = 2_000 + 6_000;

/** As people see it from top to bottom. */
function carded({ content, embedded }: Message): string {
  if (embedded === undefined) return content;
  const embeds = embedded.embeds.map(({ title, description, fields = [] }) =>
    [
      "=== embed ===",
      ...(title === undefined ? [] : [`title: ${title}`]),
      ...(description === undefined ? [] : [description]),
      ...fields.flatMap(({ name, value, inline }) => [`${inline ? "inline" : "field"}: ${name}`, value]),
    ].join("\n"),
  );
  return [embedded.content, ...embeds].filter((text) => text !== "").join("\n");
}

const DIALECTS: readonly Dialect[] = [
  {
    name: "slack",
    render: renderSlack,
    charsMax: 3_900,
    mention: /<[@#!]|@(?:channel|here|everyone)/i,
    shown: (message) => message.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"),
  },
  {
    name: "discord",
    render: renderDiscord,
    charsMax: 2_000,
    mention: /<(?:[@#]|\/[^\s>]+:\d|a?:\w+:\d|id:|t:\d)|@(?:here|everyone)/i,
    shown: (message) => message,
  },
  {
    name: "discord-embeds",
    render: (markdown) => renderEmbedded(markdown).map(carded),
    charsMax: CARDED_CHARS_MAX,
    mention: /<(?:[@#]|\/[^\s>]+:\d|a?:\w+:\d|id:|t:\d)|@(?:here|everyone)/i,
    shown: (message) => message,
    isFor: (markdown) => /^\|(?: *:?-+:? *\|)+$/m.test(markdown),
  },
];

/** What is not said, and why that is right. */
const UNSAID: Readonly<Record<string, readonly string[]>> = {
  entities: ["lt", "gt", "amp", "copy", "64", "x2014", "nbsp"], // they stand for characters
  "quote-lookalikes": ["gt"],
  "slack-syntax": ["lt", "gt"],
  "html-inline": ["br"], // breaks the line
  "list-tasks": ["x"], // a tick
  runbook: ["x"],
  image: ["img", "example", "com", "badge", "svg", "https"], // the picture of a link: its caption is the label
  "link-parens": ["the", "title"], // a tooltip
  "link-reference": ["g", "the", "API"], // names of definitions
  "references-behind-code": ["API"],
};
/** Of these a line is longer than a message, and so cut inside its words. */
const CUT: ReadonlySet<string> = new Set(["fence-long-line", "word-long"]);
/** The languages of fences, which Slack does not know. */
const LANGUAGE = /^\s*(?:>\s*)?(?:`{3,}|~{3,})\w*/gm;

const names = readdirSync(folder)
  .filter((file) => file.endsWith(".md"))
  .map((file) => file.slice(0, -3));

it("has documents of every kind", () => {
  expect(names.length).toBeGreaterThanOrEqual(60);
});

describe.each(names)("the document %s", (name) => {
  const markdown = readFileSync(join(folder, `${name}.md`), "utf8");
  const dialects = DIALECTS.filter(({ isFor }) => isFor?.(markdown) ?? true);

  it.each(dialects)("is written for $name as its golden file has it", ({ name: dialect, render }) => {
    const golden = readFileSync(join(folder, `${name}.${dialect}.txt`), "utf8");
    expect(`${render(markdown).join(BREAK)}\n`).toBe(golden);
  });

  it.each(dialects)("passes no limit of $name, names nobody and leaves no fence open", (dialect) => {
    const messages = dialect.render(markdown);
    for (const message of messages) {
      expect(message.length).toBeLessThanOrEqual(dialect.charsMax);
      expect(message).not.toMatch(dialect.mention);
      expect(message.split("\n").filter((line) => line.startsWith("```")).length % 2).toBe(0);
    }
  });

  it.each(dialects)("loses no word on $name, and no letter where words are cut", ({ render, shown }) => {
    const said = shown(render(markdown).join("\n"));
    const written = clean(markdown).replaceAll(LANGUAGE, "");
    if (CUT.has(name)) expect(lettersIn(said)).toBe(lettersIn(written));
    else expect(missing(countOf(written), countOf(said), UNSAID[name])).toEqual([]);
  });
});

function missing(
  written: ReadonlyMap<string, number>,
  said: ReadonlyMap<string, number>,
  unsaid: readonly string[] = [],
): string[] {
  const lost = [...written].filter(([word, times]) => (said.get(word) ?? 0) < times).map(([word]) => word);
  return lost.filter((word) => !unsaid.includes(word));
}

function countOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of plain(text).matchAll(/[\p{L}\p{N}]+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function lettersIn(text: string): number {
  return [...plain(text).matchAll(/[\p{L}\p{N}]/gu)].length;
}

/** Without what was put in to keep marks from taking effect, and with addresses as people write them. */
function plain(text: string): string {
  return text
    .replaceAll(/[\u200bˋ]|\\(?=[!-/:-@[-`{-~])/g, "")
    .replaceAll(/%([0-7][0-9A-F])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
