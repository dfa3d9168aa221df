import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SampleRequest } from "../../../adapters/shared/sample.ts";
import { longText } from "../../../src/models/demo-script.ts";
import { discordError } from "../../fakes/discord.ts";
import { type Setup, startWithPlatforms } from "../gateway-with-platforms.ts";
import { deliver, discordSignature, seenOn, webhook, withoutSpace } from "../platforms.ts";
import { scrapeWhenIdle } from "../scrape.ts";

/** Where the platform takes fewer messages than the answer has: the fakes refuse one too many as the platforms do. */
let setup: Setup;
beforeAll(async () => {
  setup = await startWithPlatforms();
});
afterAll(() => setup[Symbol.asyncDispose]());

/** Seven messages on Discord, and on Slack with the room that a last message needs. */
const DISCORD_CHARS = 13_000;
const SLACK_CHARS = 25_000;
const LEFT_OUT = /\s*… \(the rest, (\d+) characters, does not fit: [^)]*\)$/;

async function post(request: SampleRequest): Promise<void> {
  expect((await deliver(setup.gateway.url, request)).status).toBe(200);
}

/** What must come after all that was ever to be said before it in the same conversation. */
const LAST = "last words";

/** The text without the line that says what is missing, and how many characters that is. */
function parted(texts: readonly string[]): { said: string; left: number } {
  const said = texts.map((text) => text.replace(LEFT_OUT, ""));
  const left = texts.map((text) => Number(LEFT_OUT.exec(text)?.[1] ?? 0));
  return { said: said.join(""), left: left.reduce((sum, each) => sum + each, 0) };
}

/** All of the answer is said, or told to be missing, but for the blanks at which it was cut. */
function expectHonest({ said, left }: ReturnType<typeof parted>, chars: number): void {
  expect(withoutSpace(longText(chars)).startsWith(withoutSpace(said))).toBe(true);
  expect(left).toBeGreaterThan(0);
  expect(Math.abs(chars - said.length - left)).toBeLessThan(100);
}

async function deadLetters(): Promise<number> {
  const metrics = await scrapeWhenIdle(setup.gateway.url);
  const counts = ["discord", "slack"].map((name) =>
    metrics.value(`parley_dead_letters_total{platform="${name}"}`),
  );
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

describe("a Discord app that only a person has installed", () => {
  async function ask(channel: string, text: string): Promise<string> {
    const request = webhook("discord", { channel, text });
    const interaction = { ...JSON.parse(request.body), authorizing_integration_owners: { "1": "30" } };
    setup.platforms.discord.personal.add(interaction.token);
    setup.platforms.discord.outside.add(channel);
    const body = JSON.stringify(interaction);
    await post({ ...request, headers: { ...request.headers, ...discordSignature(body) }, body });
    return interaction.token;
  }

  /** What an interaction was answered with, once the next in its channel was. */
  async function answer(channel: string, text: string) {
    const { discord } = setup.platforms;
    const token = await ask(channel, text);
    await ask(channel, LAST);
    const inChannel = () => discord.messages.filter(({ channelId }) => channelId === channel);
    await seenOn(discord, () => inChannel().find(({ content }) => content.includes(LAST)));
    const messages = inChannel().filter(({ content }) => !content.includes(LAST));
    const calls = discord.calls.filter(({ path }) => path.includes(token));
    return { messages, calls, texts: messages.map(({ content }) => content) };
  }

  it("answers seven parts in six messages, of which the last says what is left out", async () => {
    const { messages, calls, texts } = await answer("7001", `demo: long ${DISCORD_CHARS}`);
    expect(messages.map(({ kind }) => kind)).toEqual(["original", ...Array(5).fill("followup")]);
    expect(calls).toHaveLength(6);
    expect(texts.at(-1)).toMatch(LEFT_OUT);
    expectHonest(parted(texts), DISCORD_CHARS);
    expect(await deadLetters()).toBe(0);
  });

  it("says in the first message what is missing where a repetition has taken the place of a part", async () => {
    const { discord } = setup.platforms;
    discord.faults.push({
      kind: "reset-after",
      match: ({ method, body }) => method === "POST" && body.includes("Sentence 70 "),
    });
    const { messages, texts } = await answer("7002", `demo: long ${DISCORD_CHARS}`);
    expect(messages.map(({ kind }) => kind)).toEqual(["original", ...Array(5).fill("followup")]);
    expect(texts.filter((text) => text.includes("This may be a repeat"))).toHaveLength(1);
    expect(texts[0]).toMatch(LEFT_OUT);
    expect(texts.slice(1).join("")).not.toMatch(LEFT_OUT);
    const once = texts.filter((text) => !text.includes("This may be a repeat"));
    expectHonest(parted(once), DISCORD_CHARS);
    expect(await deadLetters()).toBe(0);
    await setup.gateway.logged(
      /"platform":"discord","part":5,"cause":"[^"]* code 40094\)","msg":"reply.cut"/,
    );
  });
});

describe("Slack's response_url", () => {
  /** What a command was answered with, once the next of the same person in the same channel was. */
  async function answer(channel: string, user: string, text: string) {
    const { slack } = setup.platforms;
    const before = slack.messages.length;
    const ask = (what: string) =>
      post(webhook("slack", { kind: "slash", channel, user, text: `/ask ${what}` }));
    await ask(text);
    await ask(LAST);
    await seenOn(slack, () => slack.messages.slice(before).find(({ text: said }) => said.includes(LAST)));
    return slack.messages.slice(before).filter(({ text: said }) => !said.includes(LAST));
  }

  it("is left to the bot itself for what does not fit in five answers", async () => {
    const messages = await answer("C701", "U701", `demo: long ${SLACK_CHARS}`);
    expect(messages.map(({ via }) => via)).toEqual([
      ...Array(4).fill("response_url"),
      ...Array(3).fill("chat.postMessage"),
    ]);
    expect(messages.slice(4).map(({ channel }) => channel)).toEqual(Array(3).fill("U701"));
    expect(withoutSpace(messages.map(({ text }) => text).join(""))).toBe(withoutSpace(longText(SLACK_CHARS)));
  });

  it("says in its fifth answer what is left out of seven where the bot may not write", async () => {
    setup.platforms.slack.outside.add("U702");
    const messages = await answer("C702", "U702", `demo: long ${SLACK_CHARS}`);
    expect(messages.map(({ via }) => via)).toEqual(Array(5).fill("response_url"));
    const texts = messages.map(({ text }) => text);
    expect(texts.at(-1)).toMatch(LEFT_OUT);
    expectHonest(parted(texts), SLACK_CHARS);
    expect(await deadLetters()).toBe(0);
    await setup.gateway.logged(
      '"platform":"slack","part":4,"cause":"chat.postMessage: not_in_channel","msg":"reply.cut"',
    );
  });
});

/** The answer that this address cannot take any more, and that the bot may not say by itself. */
describe("what comes too late is given up at once, for a reason that names both ways", () => {
  const died = (place: string, cause: string) =>
    setup.gateway.logged(
      new RegExp(`"event_id":"[^"]*"[^\n]*${place}[^\n]*"cause":"${cause}[^\n]*"msg":"event.dead"`),
    );

  it("on Discord, when the interaction is over", async () => {
    const { discord } = setup.platforms;
    discord.outside.add("7003");
    const request = webhook("discord", { channel: "7003", text: "late" });
    const { token } = JSON.parse(request.body);
    discord.refuse(token, discordError(401, 50_027), 10);
    await post(request);
    await died("7003", "DELIVERY_REJECTED: .*code 50001\\); the interaction is over");
    expect(discord.calls.filter(({ path }) => path.includes(token) || path.includes("7003"))).toHaveLength(2);
  });

  it("on Slack, when the response_url is", async () => {
    const { slack } = setup.platforms;
    slack.outside.add("U703");
    const isOver = ({ path }: { path: string }) => path.startsWith("/commands/");
    slack.faults.push({ kind: "status", status: 404, body: "expired_url", match: isOver });
    const before = slack.calls.length;
    await post(webhook("slack", { kind: "slash", channel: "C703", user: "U703", text: "/ask late" }));
    await died("C703", "DELIVERY_REJECTED: chat.postMessage: not_in_channel; the response_url is over");
    // Once each; beside that, who wrote is looked up by name.
    const said = slack.calls.slice(before).filter(({ path }) => !path.endsWith("users.info"));
    expect(said.map(({ path }) => path)).toEqual([
      expect.stringMatching(/^\/commands\//),
      expect.stringMatching(/chat\.postMessage$/),
    ]);
  });
});
