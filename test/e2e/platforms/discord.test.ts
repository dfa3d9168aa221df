import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SampleRequest } from "../../../adapters/shared/sample.ts";
import { longText } from "../../../src/models/demo-script.ts";
import type { DiscordMessage, FakeDiscord } from "../../fakes/discord.ts";
import { type Setup, startWithPlatforms } from "../gateway-with-platforms.ts";
import {
  deliver,
  discordSignature,
  type MessageOptions,
  seenOn,
  webhook,
  withoutSpace,
} from "../platforms.ts";

/** Discord gives up on an interaction that is not answered by then. */
const PATIENCE_MS = 3_000;
const DEFERRED = { status: 200, body: { type: 5 } };

let setup: Setup;
let discord: FakeDiscord;
beforeAll(async () => {
  setup = await startWithPlatforms();
  discord = setup.platforms.discord;
});
afterAll(() => setup[Symbol.asyncDispose]());

async function send(options: MessageOptions): Promise<void> {
  expect(await post(webhook("discord", options))).toEqual(DEFERRED);
}

async function post(request: SampleRequest): Promise<{ status: number; body: unknown }> {
  const { status, text } = await deliver(setup.gateway.url, request);
  return { status, body: JSON.parse(text) };
}

/** A slash command of another name than the sampler's `/ask`, signed anew. */
function command(name: string, channel: string): SampleRequest {
  const request = webhook("discord", { channel, text: "" });
  const body = JSON.stringify({ ...JSON.parse(request.body), data: { id: "43", name, type: 1 } });
  return { ...request, headers: { ...request.headers, ...discordSignature(body) }, body };
}

/** What was said in a channel, once that is so many messages. */
function channel(id: string, count: number): Promise<readonly DiscordMessage[]> {
  return seenOn(discord, () => {
    const found = discord.messages.filter(({ channelId }) => channelId === id);
    return found.length >= count ? found : undefined;
  });
}

describe("Discord, end to end", () => {
  it("gets a pong for its ping, and no choices for an autocompletion", async () => {
    expect(await post(webhook("discord", { kind: "ping", text: "" }))).toEqual({
      status: 200,
      body: { type: 1 },
    });
    expect(await post(webhook("discord", { kind: "autocomplete", text: "de" }))).toEqual({
      status: 200,
      body: { type: 8, data: { choices: [] } },
    });
  });

  it("is told within three seconds that the answer comes later, and gets it as that message", async () => {
    const startedAt = performance.now();
    await send({ channel: "1010", text: "hello\ndemo: sleep 200ms" });
    expect(performance.now() - startedAt).toBeLessThan(PATIENCE_MS);
    expect(await channel("1010", 1)).toMatchObject([{ kind: "original", content: "You said: hello" }]);
  });

  it.each([
    ["user-command", "Bob", "You said: Bob (31)"],
    ["message-command", "their words", "You said: Summarise\n\nbob: their words"],
    ["modal", "typed in", "You said: typed in"],
  ])("is answered for a %s", async (kind, text, answer) => {
    await send({ kind, channel: "1011", thread: `10110${kind.length}`, text });
    expect(await channel(`10110${kind.length}`, 1)).toMatchObject([{ kind: "original", content: answer }]);
  });

  it("is answered for a button", async () => {
    await send({ kind: "button", channel: "1012", text: "approve:7" });
    expect(await channel("1012", 1)).toMatchObject([{ kind: "original" }]);
  });

  it("is answered once when an interaction is delivered three times", async () => {
    const request = webhook("discord", { channel: "1013", text: "once" });
    const answers = await Promise.all([request, request, request].map(post));
    expect(answers).toEqual([DEFERRED, DEFERRED, DEFERRED]);
    await send({ channel: "1013", text: "next" });
    const said = await channel("1013", 2);
    expect(said.map(({ content }) => content)).toEqual(["You said: once", "You said: next"]);
  });

  it("takes control commands, which overtake the run that they are about", async () => {
    const say = async (name: string) => expect(await post(command(name, "1014"))).toEqual(DEFERRED);
    const answer = (text: string) =>
      seenOn(discord, () =>
        discord.messages.find((one) => one.channelId === "1014" && one.content.includes(text)),
      );
    await say("help");
    await answer("forget this conversation");
    await send({ channel: "1014", text: "demo: sleep 30s" });
    await say("status");
    await answer("I am working on an answer");
    await say("stop");
    await answer("Stopping.");
    await answer("Stopped.");
    await say("reset");
    await answer("I have forgotten this conversation");
  });

  it("gets a long answer in order: the deferred one, then follow-ups", async () => {
    await send({ channel: "1015", text: "demo: long 9000" });
    const said = await channel("1015", 5);
    expect(said.map(({ kind }) => kind)).toEqual(["original", ...said.slice(1).map(() => "followup")]);
    expect(withoutSpace(said.map(({ content }) => content).join(""))).toBe(withoutSpace(longText(9_000)));
  });

  it("gets Markdown in its own dialect, and nobody is pinged by it", async () => {
    await send({ channel: "1016", text: "@everyone <@31>\ndemo: markdown" });
    const said = await channel("1016", 1);
    expect(said[0]?.content).toContain("**bold**");
    for (const { body } of said) expect(body.allowed_mentions).toEqual({ parse: [] });
  });
});
