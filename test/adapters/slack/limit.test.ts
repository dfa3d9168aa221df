import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { Delivery, Receipt, ReplyPart } from "../../../src/domain/reply.ts";
import type { Adapter } from "../../../src/ports/adapter.ts";
import { type FakeSlack, fakeSlack, slackError } from "../../fakes/slack.ts";
import { FakeClock } from "../../support/clock.ts";
import { adapterOf, NOW_MS, TOKEN } from "./setup.ts";

const PATH = "/commands/T1/1/x";
const API = "/api/chat.postMessage";
const NEVER = new AbortController().signal;
const CLOSING =
  /… \(the rest, (\d+) characters, does not fit: Slack takes no more than 5 messages here from an app that may not post by itself\)$/;
const OVER = /; the response_url is over: it takes 5 answers in 30 minutes$/;
/** Six thousand words, each of its own: 34,889 characters with the spaces between them. */
const WORDS = Array.from({ length: 6_000 }, (_, i) => `w${i}`);
const LONG = WORDS.join(" ");

let fake: FakeSlack;
let clock: FakeClock;
let slack: Adapter;
beforeEach(async () => {
  fake = await fakeSlack({ token: TOKEN });
  clock = new FakeClock(NOW_MS);
  slack = adapterOf({ apiUrl: fake.apiUrl, clock });
});
afterEach(() => fake.close());

const hook = (visibility: "ephemeral" | "in_channel" = "ephemeral") =>
  JSON.stringify({
    kind: "response_url",
    url: `https://hooks.slack.com${PATH}`,
    expiresAtMs: NOW_MS + 1_800_000,
    channel: "C1",
    user: "U1",
    visibility,
  }) as ReplyAddress;
const parts = (to = hook(), text = LONG) => slack.render(text, to);
const texts = () => fake.messages.map(({ text }) => text);
const ways = () => fake.messages.map(({ via }) => via);
const paths = () => fake.calls.map(({ path }) => path);
const wordsIn = (said: readonly string[]) => said.join(" ").match(/\bw\d+\b/g) ?? [];

function delivery(part: ReplyPart, index: number, over: Partial<Delivery> = {}): Delivery {
  return { partId: `e/${index}`, to: hook(), part, index, sendsBefore: index, mayRepeat: false, ...over };
}

/** As the gateway does: one after the other, until a receipt says that there will be no more. */
async function say(said: readonly ReplyPart[], over: Partial<Delivery> = {}): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  for (const [index, part] of said.entries()) {
    const receipt = await slack.send(delivery(part, index, over), NEVER);
    receipts.push(receipt);
    if (receipt.endsReply !== undefined) break;
  }
  return receipts;
}

describe("an answer of more parts than a response_url takes", () => {
  it.each([
    ["ephemeral", "U1"],
    ["in_channel", "C1"],
  ] as const)(
    "that is %s goes on by the bot itself, whole, from the fifth part on",
    async (visibility, channel) => {
      const all = parts(hook(visibility));
      expect(all.length).toBeGreaterThan(6);
      await say(all, { to: hook(visibility) });
      expect(ways()).toEqual([
        ...Array(4).fill("response_url"),
        ...Array(all.length - 4).fill("chat.postMessage"),
      ]);
      expect(new Set(fake.messages.slice(4).map((message) => message.channel))).toEqual(new Set([channel]));
      expect(wordsIn(texts())).toEqual(WORDS);
      expect(texts().join("")).not.toContain("…");
    },
  );

  it.each([
    ["ephemeral", "U1"],
    ["in_channel", "C1"],
  ] as const)(
    "that is %s ends with the fifth, which says so, where the bot may not post",
    async (visibility, channel) => {
      fake.outside.add(channel);
      const receipts = await say(parts(hook(visibility)), { to: hook(visibility) });
      expect(receipts.at(-1)).toEqual({
        messageId: null,
        via: "response_url",
        endsReply: "chat.postMessage: not_in_channel",
      });
      expect(ways()).toEqual(Array(5).fill("response_url"));
      expect(paths()).toEqual([...Array(4).fill(PATH), API, PATH]);
      const heard = wordsIn(texts());
      expect(heard).toEqual(WORDS.slice(0, heard.length));
      const rest = WORDS.slice(heard.length).join(" ").length;
      const left = Number(CLOSING.exec(texts().at(-1) ?? "")?.[1]);
      // Blanks at which what is left out was parted are counted in no message.
      expect(rest - left).toBeGreaterThanOrEqual(0);
      expect(rest - left).toBeLessThanOrEqual(parts().length - 5);
      for (const text of texts()) expect(text.length).toBeLessThanOrEqual(3_900);
    },
  );

  it("ends sooner where something was said through the URL before it", async () => {
    fake.outside.add("U1");
    const [wait] = slack.render("I keep trying.", hook()) as [ReplyPart];
    await slack.send({ ...delivery(wait, 0), partId: "e/wait" }, NEVER);
    for (const [index, part] of parts().slice(0, 4).entries())
      await slack.send(delivery(part, index, { sendsBefore: index + 1 }), NEVER);
    expect(ways()).toEqual(Array(5).fill("response_url"));
    expect(texts().at(-1)).toMatch(CLOSING);
    expect(fake.responseUrlUses.get(PATH)).toBe(5);
  });

  it("closes its code before the line that says so", async () => {
    fake.outside.add("U1");
    await say(parts(hook(), `\`\`\`ts\n${"const a = 1;\n".repeat(3_000)}\`\`\``));
    expect(texts()).toHaveLength(5);
    for (const text of texts()) expect(text.match(/```/g)).toHaveLength(2);
    expect(texts().at(-1)).toMatch(/const a = 1;\n```\n\n… \(the rest/);
  });

  it("of exactly five parts needs nothing but the URL", async () => {
    const five = parts(hook(), WORDS.slice(0, 3_300).join(" "));
    expect(five).toHaveLength(5);
    await say(five);
    expect(paths()).toEqual(Array(5).fill(PATH));
    expect(wordsIn(texts())).toHaveLength(3_300);
    expect(texts().join("")).not.toContain("…");
  });

  it("waits like any other where Slack only will not post now", async () => {
    const fifth = parts()[4] as ReplyPart;
    fake.faults.push({ kind: "status", status: 429, headers: { "retry-after": "9" } });
    await expect(slack.send(delivery(fifth, 4), NEVER)).rejects.toMatchObject({ kind: "retry", status: 429 });
    fake.faults.push({ kind: "status", ...slackError("token_revoked"), status: 200 });
    await expect(slack.send(delivery(fifth, 4), NEVER)).rejects.toMatchObject({ kind: "refused" });
    expect(fake.messages).toEqual([]);
  });
});

describe("when neither the response_url nor the bot can say it", () => {
  beforeEach(() => {
    fake.outside.add("U1");
  });

  it("the URL is tried once more, for a try that failed may have been counted as a use", async () => {
    const [only] = parts(hook(), "only this") as [ReplyPart];
    expect(await slack.send(delivery(only, 0, { sendsBefore: 7 }), NEVER)).toEqual({
      messageId: null,
      via: "response_url",
    });
    expect(texts()).toEqual(["only this"]);
  });

  it.each([
    ["the last part", "only this", 7],
    ["one of many", LONG, 5],
  ])("%s is given up once Slack takes no more there, for both reasons", async (_, text, sendsBefore) => {
    const [first] = parts(hook(), text) as [ReplyPart];
    for (let use = 0; use < 5; use++) await slack.send(delivery(first, 0), NEVER);
    await expect(slack.send(delivery(first, 0, { sendsBefore }), NEVER)).rejects.toMatchObject({
      kind: "rejected",
      message: expect.stringMatching(/^chat\.postMessage: not_in_channel; /),
    });
    await expect(slack.send(delivery(first, 0), NEVER)).rejects.toMatchObject({
      message: expect.stringMatching(OVER),
    });
    expect(fake.messages).toHaveLength(5);
  });

  it("after thirty minutes it is given up without asking the URL", async () => {
    clock.advance(1_800_000);
    await expect(say(parts())).rejects.toMatchObject({
      kind: "rejected",
      message: expect.stringMatching(OVER),
    });
    expect(paths()).toEqual([API]);
  });
});

it("a part of an older version, which does not know what comes after it, is said as before", async () => {
  const old = "123456".split("").map((text) => JSON.stringify({ text }) as ReplyPart);
  await say(old);
  expect(ways()).toEqual([...Array(5).fill("response_url"), "chat.postMessage"]);
  expect(texts()).toEqual("123456".split(""));
});
