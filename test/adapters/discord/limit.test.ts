import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDiscordAdapter } from "../../../adapters/discord/adapter.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { Delivery, Receipt, ReplyPart } from "../../../src/domain/reply.ts";
import type { Adapter } from "../../../src/ports/adapter.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { type FakeDiscord, fakeDiscord } from "../../fakes/discord.ts";
import { markdownish, openFences } from "../shared/markdown-arbitrary.ts";
import { bodyOf, NOW_MS, PUBLIC_KEY, request } from "./fixture.ts";

const NEVER = new AbortController().signal;
const TOKEN = bodyOf("slash").token as string;
const CLOSING =
  /… \(the rest, (\d+) characters, does not fit: Discord takes no more than 6 messages from an app that only you installed\)$/;

let nowMs: number;
let fake: FakeDiscord;
let adapter: Adapter;
beforeEach(async () => {
  nowMs = NOW_MS;
  fake = await fakeDiscord({ botToken: "bot" });
  fake.personal.add(TOKEN);
  fake.outside.add("20");
  adapter = createDiscordAdapter({
    publicKeys: [PUBLIC_KEY],
    botToken: new Secret("bot"),
    apiUrl: fake.apiUrl,
    clock: { nowMs: () => nowMs, sleep: async () => {} },
    timeoutMs: 30_000,
    random: () => 0,
  });
});
afterEach(() => fake.close());

/** Where an interaction is answered that these have let in. */
function addressFor(owners: unknown): ReplyAddress {
  const inbound = adapter.parse(
    asVerified(request({ ...bodyOf("slash"), authorizing_integration_owners: owners })),
  );
  if (inbound.kind !== "events") throw new Error(`Expected events, got ${inbound.kind}`);
  return inbound.events[0]?.replyTo as ReplyAddress;
}

const personal = () => addressFor({ "1": "30" });
const contentsOf = (parts: readonly ReplyPart[]) =>
  parts.map((part) => (JSON.parse(part) as { content: string }).content);
const said = () => fake.messages.map(({ content }) => content);
const wordsIn = (texts: readonly string[]) => texts.join(" ").match(/\bw\d+\b/g) ?? [];
/** Six thousand words, each of its own: 30,890 characters with the spaces between them. */
const WORDS = Array.from({ length: 6_000 }, (_, i) => `w${i}`);
const LONG = WORDS.join(" ");

let sends = 0;
async function say(parts: readonly ReplyPart[], over: Partial<Delivery> = {}): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  for (const [index, part] of parts.entries()) {
    const delivery = { partId: `e/${index}`, to: personal(), part, index, sendsBefore: sends++ };
    const receipt = await adapter.send({ ...delivery, mayRepeat: false, ...over }, NEVER);
    receipts.push(receipt);
    if (receipt.endsReply !== undefined) break;
  }
  return receipts;
}

describe("an app that only a person has installed", () => {
  it("answers in six messages, of which the last says how much is left out", async () => {
    const parts = adapter.render(LONG, personal());
    expect(parts).toHaveLength(6);
    const receipts = await say(parts);
    expect(receipts.map(({ via }) => via)).toEqual([
      "interaction.original",
      ...Array(5).fill("interaction.followup"),
    ]);
    expect(fake.calls).toHaveLength(6);

    const heard = wordsIn(said());
    expect(heard).toEqual(WORDS.slice(0, heard.length));
    const left = Number(CLOSING.exec(said().at(-1) ?? "")?.[1]);
    expect(left).toBe(WORDS.slice(heard.length).join(" ").length);
    expect(said().slice(0, -1).join("")).not.toContain("…");
  });

  it("says nothing of a limit that an answer keeps to", () => {
    const short = contentsOf(adapter.render(WORDS.slice(0, 1_500).join(" "), personal()));
    expect(wordsIn(short)).toHaveLength(1_500);
    expect(short.join("")).not.toContain("…");
    expect(contentsOf(adapter.render("", personal()))).toEqual(["(empty reply)"]);
  });

  it.each([
    ["a server", { "0": "10" }],
    ["both", { "0": "10", "1": "30" }],
    ["a server, in its bot's direct messages", { "0": "0", "1": "30" }],
    ["nobody that is told", undefined],
    ["nobody", {}],
    ["a person of whom nothing is told", { "1": null }],
    ["something that is no map", "1"],
    ["a list", ["10", "30"]],
  ])("has no say where it was let in by %s", (_, owners) => {
    const to = addressFor(owners);
    const messages = WORDS.slice(0, 1_800);
    expect(wordsIn(contentsOf(adapter.render(messages.join(" "), to)))).toEqual(messages);
    const [whole, ...more] = adapter.render(LONG, to);
    expect(JSON.parse(whole ?? "")).toMatchObject({ file: { name: "answer.md", text: LONG } });
    expect(more).toEqual([]);
    expect(to).not.toContain("followUpsMax");
  });

  it("is cut where a reader would cut: code is closed before the closing line", () => {
    const code = `Look:\n\n\`\`\`ts\n${"const a = 1;\n".repeat(2_000)}\`\`\`\n\nDone.`;
    const contents = contentsOf(adapter.render(code, personal()));
    expect(contents).toHaveLength(6);
    for (const content of contents) {
      expect(content.match(/```/g)).toHaveLength(2);
      expect(openFences(content)).toBe(0);
    }
    expect(contents.at(-1)).toMatch(/const a = 1;\n```\n\n… \(the rest/);
  });

  it("keeps every message within the limit, with a mark and the closing line, whatever the answer is", () => {
    const notice = "-# This may be a repeat: the first delivery was not confirmed.\n";
    fc.assert(
      fc.property(fc.array(markdownish, { minLength: 1, maxLength: 12 }), (texts) => {
        const parts = contentsOf(adapter.render(`${texts.join("\n\n")}\n\n${LONG}`, personal()));
        expect(parts.length).toBeLessThanOrEqual(6);
        expect(parts.at(-1)).toMatch(CLOSING);
        for (const part of parts) expect(openFences(part)).toBe(0);
        for (const part of parts) expect(notice.length + part.length).toBeLessThanOrEqual(2_000);
      }),
      { numRuns: 25 },
    );
  });
});

it.each(["button", "modal", "user-command", "message-command", "thread"])(
  "the limit holds for a %s too",
  (kind) => {
    const body = { ...bodyOf(kind), authorizing_integration_owners: { "0": null, "1": "30" } };
    const inbound = adapter.parse(asVerified(request(body)));
    const [event] = inbound.kind === "events" ? inbound.events : [];
    expect(adapter.render(LONG, event?.replyTo as ReplyAddress)).toHaveLength(6);
  },
);

describe("when other words have used up follow-ups", () => {
  it("a repetition among six parts leaves the last out, and the first message says so", async () => {
    const parts = adapter.render(LONG, personal());
    await say(parts.slice(0, 2));
    await say([parts[1] as ReplyPart], { index: 1, mayRepeat: true });
    for (const index of [2, 3, 4]) await say([parts[index] as ReplyPart], { index });
    const [receipt] = await say([parts[5] as ReplyPart], { index: 5 });

    expect(receipt).toEqual({
      messageId: fake.messages[0]?.id,
      via: "interaction.original",
      endsReply: expect.stringMatching(/only installed by a person \(HTTP 400, code 40094\)$/),
    });
    expect(said()).toHaveLength(6);
    const heard = new Set(wordsIn(said())).size;
    // Two messages that are missing, and the blank at which they were parted.
    expect(Number(CLOSING.exec(said()[0] ?? "")?.[1])).toBe(WORDS.slice(heard).join(" ").length - 1);
    expect(said().slice(1).join("")).not.toMatch(CLOSING);
    expect(fake.messages[0]?.body).toMatchObject({ allowed_mentions: { parse: [] }, flags: 4 });
  });

  it("says so once, however often it is told that nothing more is taken", async () => {
    const parts = adapter.render(LONG, personal());
    await say(parts);
    const late = { index: 5, part: parts[5] as ReplyPart };
    await say([late.part], late);
    const once = said()[0];
    await say([late.part], late);
    expect(said()[0]).toBe(once);
    expect(once).toMatch(CLOSING);
  });

  it("a second answer to the same interaction takes the place of the first, and says what is missing", async () => {
    await say(adapter.render(LONG, personal()));
    const again = "again ".repeat(500);
    const receipts = await say(adapter.render(again, personal()));
    expect(receipts).toHaveLength(2);
    expect(said()).toHaveLength(6);
    expect(said()[0]).toMatch(/^again .*… \(the rest, \d+ characters, does not fit/s);
  });

  it("and the first message has no room for the line, the refusal is the reason", async () => {
    const full = ["x".repeat(2_000), ..."12345".split("")].map(
      (content) => JSON.stringify({ content }) as ReplyPart,
    );
    await say(full);
    const [tooMany] = full.slice(-1) as [ReplyPart];
    await expect(say([tooMany], { index: 6 })).rejects.toMatchObject({
      kind: "rejected",
      message: expect.stringMatching(/no more than five follow-ups/),
    });
  });

  it("a part of an older version, which does not know how much comes after it, says that something is missing", async () => {
    const old = "123456".split("").map((content) => JSON.stringify({ content }) as ReplyPart);
    await say(old);
    await say([JSON.stringify({ content: "7" }) as ReplyPart], { index: 6 });
    expect(said()[0]).toMatch(/^1\n\n… \(the rest does not fit: Discord takes no more than 6 messages/);
  });
});

it("after the interaction's fifteen minutes it is given up, and the reason names both ways", async () => {
  const [part] = adapter.render("late", personal()) as [ReplyPart];
  const to = personal();
  nowMs += 15 * 60_000;
  await expect(say([part], { to })).rejects.toMatchObject({
    kind: "rejected",
    message:
      "Discord channel message: the bot has no access to the channel (HTTP 403, code 50001); the interaction is over: it takes replies for 15 minutes",
  });
  expect(fake.calls).toHaveLength(1);
});
