import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { renderSlack } from "../../../adapters/slack/dialect.ts";
import type { Button } from "../../../src/domain/button.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { Delivery, ReplyPart } from "../../../src/domain/reply.ts";
import type { Adapter } from "../../../src/ports/adapter.ts";
import { type FakeSlack, fakeSlack } from "../../fakes/slack.ts";
import { markdownish } from "../shared/markdown-arbitrary.ts";
import { adapterOf, TOKEN } from "./setup.ts";

const NEVER = new AbortController().signal;
const ROOT_TS = "1717000000.000100";
const to = (threadTs: string | null = ROOT_TS) =>
  JSON.stringify({ kind: "message", channel: "C1", threadTs, ts: ROOT_TS }) as ReplyAddress;
const hook = JSON.stringify({
  ...{ kind: "response_url", url: "https://hooks.slack.com/commands/T1/1/x", expiresAtMs: 9e15 },
  ...{ channel: "C1", user: "U1", visibility: "ephemeral" },
}) as ReplyAddress;

let fake: FakeSlack;
let slack: Adapter;
beforeEach(async () => {
  fake = await fakeSlack({ token: TOKEN });
  slack = adapterOf({ apiUrl: fake.apiUrl });
});
afterEach(() => fake.close());

const delivery = (part: ReplyPart, index: number, over: Partial<Delivery> = {}): Delivery => ({
  ...{ partId: `e/${index}`, to: to(), part, index, sendsBefore: index, mayRepeat: false },
  ...over,
});
async function say(markdown: string, buttons: readonly Button[] = [], address = to()): Promise<void> {
  for (const [index, part] of slack.render(markdown, address, buttons).entries())
    await slack.send(delivery(part, index, { to: address }), NEVER);
}
const table = (rows: number, cell = "value") =>
  `|service|count|\n|:-|-:|\n${Array.from({ length: rows }, (_, n) => `|${cell}-${n}|${n}|`).join("\n")}`;
const code = (lines: number, language = "py") =>
  `\`\`\`${language}\n${Array.from({ length: lines }, (_, n) => `print("line ${n} & more") <`).join("\n")}\n\`\`\``;

/** `<name>.md` is what a model wrote; `<name>.json` the parts that Slack is given, read by eye. */
const folder = resolve(import.meta.dirname, "../../fixtures/rendering/slack-parts");

describe.each(readdirSync(folder).filter((file) => file.endsWith(".md")))("the answer %s", (file) => {
  it("becomes the parts of its golden file", () => {
    const parts = slack.render(readFileSync(join(folder, file), "utf8"), to(null));
    const golden = readFileSync(join(folder, file.replace(/md$/, "json")), "utf8");
    expect(
      `${JSON.stringify(
        parts.map((part) => JSON.parse(part)),
        null,
        2,
      )}\n`,
    ).toBe(golden);
  });
});

describe("a table", () => {
  it("is a block of its own between what stands around it, and its text says the same", async () => {
    await say(`Before **it**\n\n${table(2)}\n\nAfter it`);
    const [message, ...more] = fake.messages;
    expect(more).toEqual([]);
    expect(message?.blocks.map(({ type }) => type)).toEqual(["section", "table", "section"]);
    expect(message?.blocks[0]?.text?.text).toBe("Before *it*");
    expect(message?.text).toBe(renderSlack(`Before **it**\n\n${table(2)}\n\nAfter it`)[0]);
  });

  it("is the only one of its message; the next comes with the next", async () => {
    await say(`${table(2)}\n\nand\n\n${table(3)}`);
    expect(fake.messages.map(({ blocks }) => blocks.map(({ type }) => type))).toEqual([
      ["table", "section"],
      ["table"],
    ]);
  });

  it("that is too long for a message is several, each with the heading, and no row is missing", async () => {
    await say(table(240));
    expect(fake.messages.length).toBeGreaterThan(2);
    const rows = fake.messages.map(({ blocks }) => blocks[0]?.rows ?? []);
    for (const [head] of rows) expect(head?.map(({ text }) => text)).toEqual(["service", "count"]);
    expect(rows.flatMap(([, ...body]) => body.map(([first]) => first?.text))).toEqual(
      Array.from({ length: 240 }, (_, n) => `value-${n}`),
    );
  });

  it("has more columns than Slack takes, or one row that fits no message: it is written", async () => {
    const wide = [Array(21).fill("a"), Array(21).fill("-"), Array(21).fill("b")];
    await say(wide.map((row) => `|${row.join("|")}|`).join("\n"));
    await say(`|a|b|\n|-|-|\n|c|${"long ".repeat(1_000)}|`);
    await say(`> |a|b|\n> |-|-|\n> |c|d|`);
    expect(fake.messages.length).toBeGreaterThan(2);
    for (const { blocks } of fake.messages) expect(blocks).toEqual([]);
  });

  it("is said as text where Slack takes none, in a message and in one that is changed", async () => {
    fake.refusesTables = true;
    await say(table(2));
    expect(fake.messages.map(({ blocks, text }) => [blocks, text])).toEqual([[[], renderSlack(table(2))[0]]]);
    const [part] = slack.render(table(3), to()) as [ReplyPart];
    const receipt = { messageId: fake.messages[0]?.ts ?? "", via: "chat.postMessage" };
    await slack.edit?.(receipt, delivery(part, 0), NEVER);
    expect(fake.messages.map(({ blocks, text }) => [blocks, text])).toEqual([[[], renderSlack(table(3))[0]]]);
  });

  it("stands above the buttons, and below what says that it may be a repeat", async () => {
    await say(table(2), [{ id: "go", label: "Go" }]);
    expect(fake.messages[0]?.blocks.map(({ type }) => type)).toEqual(["table", "actions"]);
    const [part] = slack.render(table(2), to()) as [ReplyPart];
    await slack.send(delivery(part, 0, { mayRepeat: true }), NEVER);
    const [note, ...rest] = fake.messages[1]?.blocks ?? [];
    expect(note?.text?.text).toMatch(/may be a repeat/);
    expect(rest.map(({ type }) => type)).toEqual(["table"]);
  });

  it("is text through a response_url", async () => {
    await say(table(2), [], hook);
    expect(fake.messages.map(({ via, blocks }) => [via, blocks])).toEqual([["response_url", []]]);
  });

  it("names nobody and hides no link", async () => {
    await say("|a|b|\n|-|-|\n|@channel <!here> <@U1>|[bank.example](https://thief.example/)|");
    const written = JSON.stringify(fake.messages[0]?.blocks);
    expect(written).not.toMatch(/@channel|"type":"(?:user|broadcast|usergroup|channel)"/);
    expect(written).toContain("(https://thief.example/)");
    expect(written).not.toContain('"type":"link"');
  });
});

describe("code that is longer than a message", () => {
  it("is a snippet of its language where it stands, whole", async () => {
    await say(`First:\n\n${code(150)}\n\nThen that.`);
    expect(fake.shared).toEqual([
      {
        ...{ channel: "C1", threadTs: ROOT_TS, name: "code.py", comment: "", snippetType: "python" },
        text: code(150).split("\n").slice(1, -1).join("\n"),
      },
    ]);
    expect(fake.messages.map(({ text, via }) => [text, via])).toEqual([
      ["First:", "chat.postMessage"],
      ["", "files.completeUploadExternal"],
      ["Then that.", "chat.postMessage"],
    ]);
  });

  it("is no snippet while it fits a message, below buttons' words, or through a response_url", async () => {
    await say(code(60));
    await say(code(150), [{ id: "go", label: "Go" }]);
    await say(code(150), [], hook);
    expect(fake.shared).toEqual([]);
    for (const { text } of fake.messages) expect(text).toMatch(/^```\n.*\n```$/s);
  });

  it("comes behind a line of ours where nothing else does, and two have two names", async () => {
    await say(`${code(120, "sh")}\n\n${code(120, "no-such-language")}`);
    expect(fake.shared.map(({ name, snippetType }) => [name, snippetType])).toEqual([
      ["code-1.sh", "shell"],
      ["code-2.txt", "text"],
    ]);
    expect(fake.messages[0]?.text).toBe("_(The code is in the file that follows.)_");
  });

  it("is said in messages where Slack takes no such file", async () => {
    fake.missing.add("files:write");
    await say(code(150));
    const [, ...said] = fake.messages;
    expect(fake.shared).toEqual([]);
    expect(
      said
        .map(({ text }) => text)
        .join("\n")
        .match(/line \d+/g),
    ).toHaveLength(150);
  });

  it("that is in doubt is found again, each by its own name, and never one of another answer", async () => {
    await say(`${code(120, "sh")}\n\n${code(120, "py")}`);
    const parts = slack.render(`${code(120, "sh")}\n\n${code(120, "py")}`, to());
    for (const [index, part] of parts.entries())
      expect(await slack.recover(delivery(part, index), NEVER)).toMatchObject({
        messageId: fake.messages[index]?.ts,
      });
    // Said by the next run, of which only the first message is there yet.
    const [lead, first] = parts as readonly [ReplyPart, ReplyPart];
    await slack.send(delivery(lead, 0, { partId: "f/0" }), NEVER);
    expect(await slack.recover(delivery(first, 1, { partId: "f/1" }), NEVER)).toBe("absent");
    fake.post({
      ...{ channel: "C1", ts: "1999999999.000001", threadTs: ROOT_TS, text: "", user: "U2" },
      more: { files: [{ id: "F1", name: "code-1.sh" }] },
    });
    expect(await slack.recover(delivery(first, 1, { partId: "f/1" }), NEVER)).toBe("absent");
  });
});

it("any answer is said whole: its texts say it, and blocks are within Slack's limits", async () => {
  const cell = fc.oneof(
    fc.constantFrom("", "a", "**b**", "[x](https://x.example/)", "<!channel>", "`c`"),
    fc.string(),
  );
  const rows = fc.array(fc.array(cell, { minLength: 1, maxLength: 24 }), { minLength: 1, maxLength: 130 });
  const tables = rows.map(([head = [], ...body]) =>
    [head, head.map(() => "-"), ...body].map((row) => `|${row.join("|")}|`).join("\n"),
  );
  const codes = fc.integer({ min: 1, max: 160 }).map((lines) => code(lines));
  const documents = fc
    .array(fc.oneof(markdownish, tables, codes), { maxLength: 4 })
    .map((all) => all.join("\n\n"));
  await fc.assert(
    fc.asyncProperty(documents, async (markdown) => {
      const postsBefore = posts();
      fake.messages.splice(0);
      fake.shared.splice(0);
      await say(markdown.slice(0, 12_000), [], to(null));
      for (const { text, blocks, via } of fake.messages) {
        expect(text.length).toBeLessThanOrEqual(3_900);
        if (via === "chat.postMessage") expect(text.trim()).not.toBe("");
        expect(JSON.stringify(blocks)).not.toMatch(/<[!#@]|@(?:channel|here|everyone)/i);
        // The heading of a column without cells is not written.
        for (const { rows: cells = [] } of blocks)
          for (const one of cells.slice(1).flat())
            if (one.type === "raw_text") expect(squeezed(text)).toContain(squeezed(one.text ?? ""));
      }
      // The fake takes what Slack takes; what it refuses would have been said without blocks.
      expect(posts() - postsBefore).toBe(
        fake.messages.filter(({ via }) => via === "chat.postMessage").length,
      );
    }),
    { numRuns: 60 },
  );
});

function posts(): number {
  return fake.calls.filter(({ path }) => path.endsWith("chat.postMessage")).length;
}

/** As it is read. */
function squeezed(text: string): string {
  return text
    .replaceAll(/&lt;/g, "<")
    .replaceAll(/&gt;/g, ">")
    .replaceAll(/&amp;/g, "&")
    .replaceAll(/[\s\u200b]+/g, "");
}
