import { afterAll, beforeAll, expect, it } from "vitest";
import { slackSigned } from "../../fakes/slack.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { configFolder, NO_LIMITS } from "../configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "../gateway-process.ts";
import { deliver, openPlatforms, type Platforms, SECRETS, seenOn, webhook } from "../platforms.ts";
import { scrape } from "../scrape.ts";

const TOKEN = "an-admin-token-of-32-characters-x";
const SPEC = `${NO_LIMITS}  store: { spool: off }
  platforms:
    slack:
      reactions: { feedback: on, approvals: on }
      access: { users: [U1, U2, U3] }
    discord: { reactions: { feedback: on, approvals: on } }
`;

let platforms: Platforms;
let redis: RedisServer;
let first: GatewayProcess;
let second: GatewayProcess;
beforeAll(async () => {
  platforms = await openPlatforms();
  redis = await startRedis();
  const start = () =>
    startGateway({
      dataDir: temporaryFolder(),
      config: configFolder(SPEC),
      env: { ...platforms.env, REDIS_URL: redis.url, PARLEY_ADMIN_TOKEN: TOKEN },
    });
  [first, second] = await Promise.all([start(), start()]);
});
afterAll(async () => {
  await Promise.all([first, second].map((one) => one[Symbol.asyncDispose]()));
  await platforms[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

let reactions = 0;
/** To whichever replica. */
async function react(user: string, reaction: string, item: object, type = "reaction_added"): Promise<void> {
  const nowMs = Date.now();
  const event = {
    type,
    user,
    reaction,
    item: { type: "message", ...item },
    event_ts: `${Math.floor(nowMs / 1000)}.${1000 + ++reactions}`,
  };
  const body = JSON.stringify({
    type: "event_callback",
    team_id: "T1",
    api_app_id: "A1",
    event_id: `Ev${reactions}`,
    event,
  });
  const signing = { secret: SECRETS.SLACK_SIGNING_SECRET, nowMs };
  const request = { method: "POST" as const, path: "/webhooks/slack", ...slackSigned(body, signing) };
  const { url } = reactions % 2 === 0 ? first : second;
  expect((await deliver(url, request as Parameters<typeof deliver>[1])).status).toBe(200);
}

async function said(channel: string, text: string, match: RegExp) {
  await deliver(first.url, webhook("slack", { kind: "mention", channel, text }));
  const { slack } = platforms;
  return await seenOn(slack, () =>
    slack.messages.find((one) => one.channel === channel && match.test(one.text)),
  );
}

async function eventsIn(conversation: RegExp): Promise<readonly { id: string }[]> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`${first.url}/api/v1/events?limit=100`, { headers });
  const { events } = (await response.json()) as { events: { id: string; conversation: string }[] };
  return events.filter((one) => conversation.test(one.conversation));
}

async function feedbackOf(id: string): Promise<readonly { by: string; rating: string }[]> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`${first.url}/api/v1/events/${encodeURIComponent(id)}`, { headers });
  return ((await response.json()) as { feedback: { by: string; rating: string }[] }).feedback;
}

it("a reaction to an answer on Slack is kept with its event, the last word of each, whoever hears of it", async () => {
  const { ts } = await said("C81", "hello", /You said: hello/);
  const [event = { id: "" }] = await eventsIn(/C81/);
  const item = { channel: "C81", ts };
  // What leads from the message to its event is written right behind it.
  await expect
    .poll(async () => {
      await react("U2", "+1::skin-tone-3", item);
      return await feedbackOf(event.id);
    })
    .toHaveLength(1);
  await react("U3", "x", item);
  await react("U3", "eyes", item);
  // Who may not use the bot has no say, nor has the bot, nor what is said of another channel's message.
  await react("U9", "+1", item);
  await react("U2", "-1", { channel: "C82", ts });
  expect((await feedbackOf(event.id)).map(({ by, rating }) => `${by} ${rating}`).sort()).toEqual([
    "U2 up",
    "U3 down",
  ]);
  await react("U2", "-1", item);
  await react("U3", "x", item, "reaction_removed");
  expect((await feedbackOf(event.id)).map(({ by, rating }) => `${by} ${rating}`).sort()).toEqual(["U2 down"]);
  // One that was taken back before takes nothing away from the new one.
  await react("U2", "+1", item, "reaction_removed");
  expect(await feedbackOf(event.id)).toHaveLength(1);
  const counts = await Promise.all([first, second].map(({ url }) => scrape(url)));
  const sum = (rating: string) =>
    counts.reduce(
      (all, one) =>
        all +
        (one.value(`parley_feedback_total{platform="slack",agent="assistant",rating="${rating}"}`) ?? 0),
      0,
    );
  expect([sum("up"), sum("down")]).toEqual([1, 2]);
});

it("a reaction to a question on Slack decides it once, for whoever may", async () => {
  platforms.slack.names.set("U2", "Bea");
  const question = await said("C83", "demo: ask Deploy?", /apr_/);
  const item = { channel: "C83", ts: question.ts };
  await react("U9", "white_check_mark", item);
  await react("U2", "white_check_mark", item);
  const { slack } = platforms;
  const texts = () => slack.messages.filter(({ channel }) => channel === "C83").map(({ text }) => text);
  await seenOn(slack, () => texts().find((text) => text === "Tool ask said: approved by Bea"));
  await react("U3", "x", item);
  // Whose word comes too late is told, whether the run has ended by then or not.
  await seenOn(slack, () => texts().find((text) => /decided already|does not wait/.test(text)));
  expect(texts().filter((text) => text.startsWith("Tool ask said:"))).toHaveLength(1);
});

it("so it is on Discord, over the Gateway", async () => {
  const { discord } = platforms;
  await discord.gateway.until(() => discord.gateway.holders === 1, "the Gateway to be held");
  discord.gateway.say({ content: "<@900> demo: ask Ship it?", channel: "91" });
  const question = await seenOn(discord, () =>
    discord.messages.find(({ channelId, content }) => channelId === "91" && content.includes("apr_")),
  );
  const member = { nick: "Dora", roles: [], user: { id: "32", username: "dora" } };
  const emoji = { id: null, name: "👍🏽" };
  const reacted = { user_id: "32", channel_id: "91", message_id: question.id, guild_id: "10", emoji, member };
  const isSaid = (text: string) => discord.messages.some(({ content }) => content === text);
  await expect
    .poll(() => {
      discord.gateway.emit("MESSAGE_REACTION_ADD", reacted, "10");
      return isSaid("Tool ask said: approved by Dora");
    })
    .toBe(true);

  discord.gateway.say({ content: "<@900> and now", channel: "92" });
  const answer = await seenOn(discord, () =>
    discord.messages.find(({ content }) => content === "You said: and now"),
  );
  const [event = { id: "" }] = await eventsIn(/discord.*:92/);
  const bad = { ...reacted, channel_id: "92", message_id: answer.id, emoji: { id: null, name: "👎" } };
  await expect
    .poll(async () => {
      discord.gateway.emit("MESSAGE_REACTION_ADD", bad, "10");
      return await feedbackOf(event.id);
    })
    .toMatchObject([{ by: "32", rating: "down" }]);
});
