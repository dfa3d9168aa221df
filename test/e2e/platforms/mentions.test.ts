import { afterAll, beforeAll, expect, it } from "vitest";
import { slackSigned } from "../../fakes/slack.ts";
import { configFolder, NO_LIMITS } from "../configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "../gateway-process.ts";
import { deliver, openPlatforms, type Platforms, SECRETS, seenOn, webhook } from "../platforms.ts";

const SPEC = `${NO_LIMITS}  platforms:
    slack: { mentions: shown }
    discord: { mentions: shown }
`;

let platforms: Platforms;
let gateway: GatewayProcess;
beforeAll(async () => {
  platforms = await openPlatforms();
  platforms.discord.guilds.set("10", {
    channels: [{ id: "20", name: "ops", permission_overwrites: [] }],
    roles: [
      { id: "10", name: "@everyone", permissions: "1024" },
      { id: "77", name: "oncall", permissions: "0" },
    ],
    members: { "74": { nick: "Cleo", user: { id: "74", username: "c" } } },
  });
  gateway = await startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(SPEC),
    env: platforms.env,
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await platforms[Symbol.asyncDispose]();
});

/** As Slack sends it: what people name stands there as Slack's own mentions. */
async function saidOnSlack(channel: string, text: string, user = "U1"): Promise<string> {
  const { slack } = platforms;
  const kind = channel.startsWith("D") ? "dm" : "mention";
  const sample = webhook("slack", { kind, channel, text: "", user });
  const envelope = JSON.parse(sample.body);
  const event = { ...envelope.event, text: `${envelope.event.text}${text}` };
  const signing = { secret: SECRETS.SLACK_SIGNING_SECRET, nowMs: Date.now() };
  const request = { ...sample, ...slackSigned(JSON.stringify({ ...envelope, event }), signing) };
  expect(await deliver(gateway.url, request)).toMatchObject({ status: 200 });
  return await seenOn(slack, () => slack.messages.find((one) => one.channel === channel)?.text);
}

it("an answer on Slack names those whom the question names, by the names that the model was shown", async () => {
  platforms.slack.names.set("U71", "Ann Lee").set("U72", "Bob").set("C73", "ops").set("U1", "Cy");
  // Of Bob only the name stands there: he was shown to nobody.
  const text = "tell <@U71> in <#C73>, not @Bob, @Cy: `@Cy`";
  expect(await saidOnSlack("C61", text)).toBe("You said: tell <@U71> in <#C73>, not @Bob, <@U1>: `@Cy`");
});

it("it names nobody of whom another who was shown has the name, and nobody in private", async () => {
  platforms.slack.names.set("U81", "Dora").set("U82", "dora");
  expect(await saidOnSlack("C62", "ask <@U81>")).toBe("You said: ask <@U81>");
  expect(await saidOnSlack("C63", "ask <@U81> or <@U82>")).toBe("You said: ask @Dora or @dora");
  expect(await saidOnSlack("D64", "ask <@U81>", "U83")).toBe("You said: ask @Dora");
});

it("it is not shown in a channel while it grows: a change rings for nobody", async () => {
  const { slack } = platforms;
  await deliver(
    gateway.url,
    webhook("slack", { kind: "mention", channel: "C65", text: "demo: stream 40 20" }),
  );
  await seenOn(slack, () => slack.messages.find((one) => one.channel === "C65" && one.text.endsWith("w40")));
  const calls = slack.calls.filter(({ body }) => body.includes("C65") && !body.includes("users.info"));
  expect(calls.some(({ path }) => /startStream|chat\.update/.test(path))).toBe(false);
});

it("an answer on Discord rings for those whom the question names, and for nobody else", async () => {
  const { discord } = platforms;
  await discord.gateway.until(() => discord.gateway.holders === 1, "the Gateway to be held");
  const mentions = [
    { id: "900", username: "bot" },
    { id: "71", username: "ann", global_name: "Ann Lee" },
  ];
  discord.gateway.say({
    content: "<@900> tell <@71>, @everyone and <@72>",
    channel: "66",
    over: { mentions },
  });
  const answer = await seenOn(discord, () => discord.messages.find(({ channelId }) => channelId === "66"));
  expect(answer).toMatchObject({ body: { allowed_mentions: { parse: [], users: ["71"] } } });
  expect(answer.content).toMatch(/^You said: tell <@71>, @\u200beveryone and @72$/);

  // Somebody who calls himself so is named, and nobody besides.
  const author = { id: "31", username: "x", global_name: "everyone" };
  discord.gateway.say({ content: "<@900> hello @everyone", channel: "67", over: { author } });
  const other = await seenOn(discord, () => discord.messages.find(({ channelId }) => channelId === "67"));
  expect(other).toMatchObject({
    content: "You said: hello @\u200beveryone",
    body: { allowed_mentions: { parse: [] } },
  });
  expect(JSON.stringify(other.body)).not.toContain("users");
});

it("what a question on Discord names by id alone is looked up in its server, and named in the answer; roles never ring", async () => {
  const { discord } = platforms;
  const text = "ask <@&77> and <@74> in <#20>, not <#21>";
  await deliver(gateway.url, webhook("discord", { kind: "slash", channel: "68", text }));
  const answer = await seenOn(discord, () => discord.messages.find(({ channelId }) => channelId === "68"));
  expect(answer).toMatchObject({
    content: "You said: ask @oncall and <@74> in <#20>, not #21",
    body: { allowed_mentions: { parse: [], users: ["74"] } },
  });
});
