import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { writeAddress } from "../../../adapters/slack/address.ts";
import { readPart, renderReply } from "../../../adapters/slack/render.ts";
import { settled } from "../../../adapters/slack/stream-text.ts";
import { MARKDOWN_SAMPLE } from "../../../src/models/demo-script.ts";
import { growing } from "../../../src/reply/preview.ts";

const to = writeAddress({ kind: "message", channel: "C1", threadTs: "1.1" });

function streamed(markdown: string) {
  const [part] = renderReply(markdown, to);
  const text = part === undefined ? null : (readPart(part)?.streamed ?? null);
  if (text === null) throw new Error("Expected the text of a stream, got none");
  return text;
}
const shown = (text: string) => settled(streamed(growing(text, 11_000)));

describe("of an answer that goes on, a stream says", () => {
  it.each([
    ["whole words", "One two thr", "One two"],
    ["no bold that is open", "One **two thr", "One"],
    ["bold that has ended", "One **two** thr", "One **two**"],
    ["no code that is open", "Run `kubectl get po", "Run"],
    ["no link that is open", "See [the plan of the da", "See"],
    ["no picture that is open", "See ![the plan of the da", "See"],
    ["a link that has ended", "See [the plan](https://e.x/a) of ", "See [the plan](https://e.x/a) of"],
    ["a sign that opens nothing", "Two * three is ", "Two \\* three is"],
    ["no block of code that is open", "Run:\n\n```sh\nkubectl get po", "Run:"],
    ["no block of code before anything comes after it", "Run:\n\n```sh\nls\n```\n", "Run:"],
    ["a block of code that has ended", "Run:\n\n```sh\nls\n```\n\nand th", "Run:\n\n```sh\nls\n```\n\nand"],
    ["no table that may grow", "These:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "These:"],
    ["a list", "These:\n\n- one\n- two\n  - three or fo", "These:\n\n- one\n- two\n  - three or"],
  ])("%s", (_, text, expected) => {
    expect(shown(text)).toBe(expected);
  });
});

describe("the text of a stream", () => {
  it.each(["<!channel>", "<@U1>", "<#C1>", "<!subteam^S1>", "@channel", "@here", "&lt;!channel&gt;"])(
    "names nobody where the answer has %s",
    (mention) => {
      const { text } = streamed(
        `hey ${mention} there\n\n- ${mention}\n\n\`${mention}\`\n\n\`\`\`\n${mention}\n\`\`\``,
      );
      expect(text).toContain("hey");
      expect(text).not.toMatch(/<[@#!]|@(?:channel|here)|&lt;/);
    },
  );

  it("hides no address behind a reference, and makes no heading or list of what is none", () => {
    const { text } = streamed(
      "[bank.com]\n\n\\[bank.com]: https://evil.com\n\n\\# no heading\n\n1\\. no list",
    );
    expect(text).toContain("\\[bank.com\\]");
    expect(text).toContain("\\# no heading");
    expect(text).toContain("1\\. no list");
  });
});

const folder = resolve(import.meta.dirname, "../../fixtures/rendering");
const answers = readdirSync(folder)
  .filter((file) => file.endsWith(".md"))
  .map((file) => [file, readFileSync(join(folder, file), "utf8")] as const);

describe.each([["demo: markdown", MARKDOWN_SAMPLE] as const, ...answers])(
  "the answer %s, word by word",
  (_, answer) => {
    it("never shows half a mark, and takes back nothing that it has said", () => {
      let said = "";
      let text = "";
      for (const word of answer.match(/\s*\S+\s*/g) ?? []) {
        text += word;
        if (growing(text) === "") continue;
        const next = shown(text);
        expect((next.match(/^```/gm) ?? []).length % 2, next).toBe(0);
        if (next.startsWith(said)) said = next;
        // What waits is less than was said before; it is never something else.
        else expect(said.startsWith(next), `${said}\n→\n${next}`).toBe(true);
      }
      expect(streamed(answer).text.startsWith(said)).toBe(true);
      expect(said.length).toBeGreaterThan(streamed(answer).text.length / 4);
    });
  },
);
