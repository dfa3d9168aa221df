import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mintAddress, textAddress } from "../../../adapters/discord/address.ts";
import { mentionedIn, renderDiscord, renderEmbedded } from "../../../adapters/discord/dialect.ts";
import { withNotice } from "../../../adapters/discord/notice.ts";
import { readPart, renderReply } from "../../../adapters/discord/render.ts";
import type { Embed, Message } from "../../../adapters/discord/tables.ts";
import { areEmbeds, previewsOf } from "../../fakes/discord-embeds.ts";
import { HOSTILE, markdownish } from "../shared/markdown-arbitrary.ts";

const LIVE = /@(?:everyone|here)|<@[!&]?\d|<#\d|<\/[^\s>]+:\d|<a?:\w+:\d|<id:|<t:-?\d/i;

const wordsOf = ({ title = "", description = "", fields = [] }: Embed) =>
  [title, description, ...fields.flatMap(({ name, value }) => [name, value])].join("\n");
/** As people read it from top to bottom. */
const seen = ({ content, embedded }: Message) =>
  embedded === undefined ? content : [embedded.content, ...embedded.embeds.map(wordsOf)].join("\n");
const embedsIn = (markdown: string) =>
  renderEmbedded(markdown).flatMap(({ embedded }) => embedded?.embeds ?? []);

function checked(markdown: string): readonly Message[] {
  const messages = renderEmbedded(markdown);
  expect(messages.length).toBeGreaterThan(0);
  for (const message of messages) {
    const { content, embedded } = message;
    expect(content.trim()).not.toBe("");
    expect(content.length).toBeLessThanOrEqual(2_000);
    expect(seen(message)).not.toMatch(LIVE);
    expect(seen(message).isWellFormed()).toBe(true);
    if (embedded === undefined) continue;
    expect(areEmbeds(embedded.embeds)).toBe(true);
    expect(embedded.embeds.length).toBeGreaterThan(0);
    expect(previewsOf(embedded.content)).toEqual([]);
    expect(embedded.content.length).toBeLessThanOrEqual(content.length + embedded.content.length);
    for (const text of [content, embedded.content]) expect(withNotice(text)).toBeDefined();
  }
  return messages;
}

const rows = (count: number, columns = 2) =>
  Array.from(
    { length: count },
    (_, row) => `|${Array.from({ length: columns }, (_, at) => ` r${row}c${at} `).join("|")}|`,
  );
const table = (body: readonly string[], columns = 2) =>
  [`|${"h|".repeat(columns)}`, `|${"-|".repeat(columns)}`, ...body].join("\n");

/** Cells that nobody can mistake for another, with what is dangerous between them. */
const cell = fc.oneof(
  { weight: 3, arbitrary: fc.lorem({ maxCount: 6 }) },
  { weight: 2, arbitrary: markdownish.map((text) => text.replaceAll(/[\n|\\`<>[\]]/g, " ").slice(0, 300)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 1_500 }).map((length) => "y".repeat(length)) },
);
const shape = fc.record({
  columns: fc.integer({ min: 1, max: 7 }),
  rows: fc.integer({ min: 1, max: 40 }),
  cells: fc.array(cell, { minLength: 1, maxLength: 5 }),
});

describe("tables as embeds", () => {
  it("are a field for each row, named by its first cell", () => {
    expect(
      embedsIn(
        "| Service | State | Since |\n|-|-|-|\n| api | up | |\n| a longer name than others | **down** | noon |",
      ),
    ).toEqual([
      {
        title: "Service",
        fields: [
          { name: "api", value: "State: up" },
          { name: "a longer name than others", value: "State: **down**\nSince: noon" },
        ],
      },
    ]);
  });

  it("say the heading of a column without cells in the title", () => {
    expect(embedsIn("| Step | Who | Done |\n|-|-|-|\n| a | Ann | |")[0]?.title).toBe("Step · Done");
  });

  it("of two columns say both headings in the title", () => {
    expect(embedsIn("| Key | Value |\n|-|-|\n| `a` | 1 |\n| **b** | 2 |")).toEqual([
      {
        title: "Key · Value",
        fields: [
          { name: "`a`", value: "1", inline: true },
          { name: "b", value: "2", inline: true },
        ],
      },
    ]);
  });

  it("of one column are a list", () => {
    expect(embedsIn("| Files |\n|-|\n| a.txt |\n| [b](https://x.example/b) |")).toEqual([
      { title: "Files", description: "- a.txt\n- [b](https://x.example/b)" },
    ]);
  });

  it("of many narrow rows stay in columns, to be compared", () => {
    expect(embedsIn(table(rows(11, 3), 3))).toEqual([
      { description: expect.stringMatching(/^```\nh {7}h {7}h\n─/) },
    ]);
    expect(embedsIn(table(rows(26)))).toEqual([{ description: expect.stringMatching(/^```\n/) }]);
    expect(embedsIn(table(rows(25)))).toEqual([{ title: "h · h", fields: expect.any(Array) }]);
  });

  it("put a link that names a row into its value, where Discord reads links", () => {
    expect(embedsIn("| PR | State | By |\n|-|-|-|\n| [#7](https://x.example/7) | open | Ann |")).toEqual([
      { title: "PR", fields: [{ name: "#7", value: "PR: [#7](https://x.example/7)\nState: open\nBy: Ann" }] },
    ]);
  });

  it("stand below what is said before them, and what follows begins a message", () => {
    const messages = renderEmbedded(
      `First.\n\n${table(["|a|1|"])}\n\n${table(["|b|2|"])}\n\nThen.\n\n${table(["|c|3|"])}`,
    );
    expect(messages.map(({ embedded }) => [embedded?.content, embedded?.embeds.length])).toEqual([
      ["First.", 2],
      ["Then.", 1],
    ]);
  });

  it("are at most ten in a message, and as many as Discord takes characters", () => {
    const many = Array.from({ length: 12 }, (_, n) => table([`|${n}|x|`])).join("\n\n");
    expect(renderEmbedded(many).map(({ embedded }) => embedded?.embeds.length)).toEqual([10, 2]);
  });

  it("are text where one does not fit, and all are where that would be too many messages", () => {
    const long = table([`|a|${"long ".repeat(300)}|`]);
    expect(renderEmbedded(long).map(({ content }) => ({ content }))).toEqual(renderEmbedded(long));
    const one = `${table(["|a|1|"])}\n\nWords.\n\n`;
    expect(renderEmbedded(one.repeat(9)).some(({ embedded }) => embedded !== undefined)).toBe(true);
    expect(renderEmbedded(one.repeat(11))).toEqual(
      renderDiscord(one.repeat(11)).map((content) => ({ content })),
    );
  });

  it("are text in quotes and lists, which they would leave", () => {
    expect(embedsIn("> | a | b |\n> |-|-|\n> | c | d |")).toEqual([]);
  });

  it("link where answers may, and nowhere else", () => {
    const markdown = "| a | b |\n|-|-|\n| [x](https://evil.example/) | https://good.example/ and evil.test |";
    const [message] = renderEmbedded(markdown, [], ["good.example"]);
    expect(message?.embedded?.embeds).toEqual([
      {
        title: "a · b",
        fields: [{ name: "x (`https://evil.example/`)", value: "<https://good.example/> and `evil.test`" }],
      },
    ]);
  });

  it("leave no link above them that would get a preview", () => {
    const above = [
      "https://x.example/a and [b](https://x.example/b), [https://x.example/d](https://y.example/)",
      "[x.example](https://y.example/_a_*b*). (See https://[::1]/x.)",
      "\\<https://x.example/c\\> \\<https://x.example/c",
      "<b>https://x.example/e</b>",
    ];
    for (const words of above) {
      const [message] = checked(`${words}\n\n${table(["|a|1|"])}`);
      expect(message?.content).toContain("x.example");
    }
    expect(renderEmbedded(`${above[0]}\n\n${table(["|a|1|"])}`)[0]?.embedded?.content).toBe(
      "<https://x.example/a> and [b](<https://x.example/b>), <https://x.example/d> (<https://y.example/>)",
    );
  });

  it("do not ring, and the words above them ring for whom they may", () => {
    const to = mintAddress({ kind: "message", id: "1", channelId: "20", guildId: "10", embeds: true });
    const named = [{ kind: "person", id: "31", name: "Ann" }] as const;
    const [part] = renderReply(`@Ann, look:\n\n${table(["|@Ann|<@32>|"])}`, to, [], named).flatMap(
      (one) => readPart(one) ?? [],
    );
    expect(part?.mentions).toEqual(["31"]);
    expect(part?.embedded?.content).toBe("<@31>, look:");
    expect(mentionedIn(JSON.stringify(part?.embedded?.embeds))).toEqual([]);
  });

  it("are for addresses that take them alone, and never for what grows, is long or may be few messages", () => {
    const place = { kind: "message", id: "1", channelId: "20", guildId: "10" } as const;
    const personal = {
      ...{ applicationId: "900", token: "t", expiresAtMs: 0, followUpsMax: 5 },
      ...place,
      kind: "interaction",
    } as const;
    const embeds = { embeds: true } as const;
    const markdown = table(["|a|1|"]);
    const has = (to: Parameters<typeof mintAddress>[0], text = markdown) =>
      renderReply(text, mintAddress(to)).some((part) => part.includes('"embeds"'));
    expect(has({ ...place, ...embeds })).toBe(true);
    expect(has(place)).toBe(false);
    expect(has({ ...personal, ...embeds })).toBe(false);
    expect(has({ ...place, ...embeds }, `${markdown}\n\n${"word ".repeat(2_100)}`)).toBe(false);
    expect(textAddress(mintAddress({ ...place, ...embeds }))).toBe(mintAddress(place));
    expect(textAddress(mintAddress(place))).toBe(mintAddress(place));
  });

  it("have their buttons below the last message", () => {
    const to = mintAddress({ kind: "message", id: "1", channelId: "20", guildId: "10", embeds: true });
    const parts = renderReply(`One.\n\n${table(["|a|1|"])}\n\nTwo.`, to, [{ id: "yes", label: "Yes" }]);
    expect(parts.map((part) => readPart(part)?.buttons.length)).toEqual([0, 1]);
  });

  it("lose no cell, keep their order and pass no limit, whatever the tables are", () => {
    fc.assert(
      fc.property(fc.array(shape, { minLength: 1, maxLength: 3 }), (shapes) => {
        let made = 0;
        const rowOf = ({ columns, cells }: (typeof shapes)[number], mark: string) =>
          `|${Array.from({ length: columns }, (_, at) => `${mark}${made++}${mark} ${cells[at % cells.length]}`).join("|")}|`;
        const document = shapes
          .map((one) =>
            [
              `Before t${made++}t`,
              "",
              rowOf(one, "h"),
              `|${"-|".repeat(one.columns)}`,
              ...Array.from({ length: one.rows }, () => rowOf(one, "t")),
            ].join("\n"),
          )
          .join("\n\n");
        const messages = checked(document);
        const said = messages.map(seen).join("\n");
        const found = (mark: RegExp, text: string) => [...new Set(text.match(mark))];
        // Beyond that an answer is not said whole as text either.
        if (messages.length >= 50) return;
        expect(found(/t\d+t/g, said)).toEqual(found(/t\d+t/g, document));
        expect(found(/h\d+h/g, said).sort()).toEqual(found(/h\d+h/g, document).sort());
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ["any string", fc.string({ unit: "binary", maxLength: 500 })],
    ["any Markdown", markdownish],
    [
      "any Markdown with a table",
      markdownish.map(
        (text) => `${text}\n\n| a | b |\n|-|-|\n| ${text.replaceAll(/[\n|]/g, " ")} | c |\n\nend`,
      ),
    ],
  ])("%s becomes messages that Discord takes, which say what they say as text", (_, documents) => {
    fc.assert(
      fc.property(documents, (markdown) => {
        for (const message of checked(markdown)) {
          const shown = new Set(lettersOf(seen(message)));
          expect(lettersOf(message.content).filter((word) => !shown.has(word))).toEqual([]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it.each(Object.entries(HOSTILE))("%s are no trouble", (_, document) => {
    checked(document(5_000));
  });
});

function lettersOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}]+/gu) ?? [];
}
