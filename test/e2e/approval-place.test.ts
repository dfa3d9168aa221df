import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forbidden } from "../fakes/telegram.ts";
import { PRESSES } from "../support/presses.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import {
  type ChatPlatform,
  deliver,
  openPlatforms,
  type Platforms,
  SIGNING,
  seenOn,
  webhook,
} from "./platforms.ts";

let platforms: Platforms;
beforeEach(async () => {
  platforms = await openPlatforms();
  return () => platforms[Symbol.asyncDispose]();
});

const agent = (place: string) => `apiVersion: parley/v1
kind: Agent
metadata: { name: assistant }
spec:
  model: { provider: demo }
  approvals: { place: ${place}, approvers: any }
  budgets: { tokens: 1000000 }
`;
const start = (place: string, options: Partial<Parameters<typeof startGateway>[0]> = {}) =>
  startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(NO_LIMITS, agent(place)),
    ...options,
    env: { ...platforms.env, ...options.env },
  });

interface Read {
  readonly place: string;
  readonly text: string;
}

/** What people read, and where. */
const TEXTS: Readonly<Record<ChatPlatform, () => readonly Read[]>> = {
  slack: () => platforms.slack.messages.map(({ channel, text }) => ({ place: channel, text })),
  discord: () =>
    platforms.discord.messages.map(({ channelId, content }) => ({ place: channelId, text: content })),
  telegram: () => platforms.telegram.messages.map(({ chatId, text }) => ({ place: String(chatId), text })),
  whatsapp: () =>
    platforms.whatsapp.messages.map(({ body }) => ({
      place: "",
      text:
        (body.text as { body: string } | undefined)?.body ??
        (body.interactive as { body: { text: string } }).body.text,
    })),
};
const read = (platform: ChatPlatform, pattern: RegExp) =>
  seenOn(platforms[platform], () => TEXTS[platform]().find(({ text }) => pattern.test(text)));

let presses = 0;
async function press(gateway: GatewayProcess, platform: ChatPlatform, buttonId: string, more: object) {
  const options = { buttonId, label: "Approve", id: `88${++presses}`, nowMs: Date.now() };
  const request = PRESSES[platform]({ ...options, secret: SIGNING[platform], ...more });
  expect((await deliver(gateway.url, request)).status).toBe(200);
}

const PLACES = {
  slack: { yaml: "{ platform: slack, channel: C9 }", id: "C9", press: { channel: "C9", user: "U2" } },
  discord: { yaml: '{ platform: discord, channel: "7001" }', id: "7001", press: { channel: "7001" } },
  telegram: {
    yaml: '{ platform: telegram, channel: "-2011" }',
    id: "-2011",
    press: { group: "-2011", user: "31" },
  },
} as const;

describe("an approval that is asked in another place", () => {
  it.each([
    ["whatsapp", "slack"],
    ["slack", "discord"],
    ["discord", "telegram"],
    ["slack", "slack"],
  ] as const)("from %s is decided on %s, and says so in both", async (from, to) => {
    const place = PLACES[to];
    await using gateway = await start(place.yaml);
    await deliver(gateway.url, webhook(from, { text: "demo: ask Deploy the secret thing?" }));
    const question = await read(to, /Deploy the secret thing\?/);
    const id = /apr_\w+/.exec(question.text)?.[0] ?? "no id";
    expect(question.place).toBe(place.id);
    const told = await read(from, /I have asked for it in another place/);
    expect(told.place).not.toBe(place.id);
    expect(told.text).not.toContain("secret");
    await press(gateway, to, `approve:${id}`, place.press);
    await read(from, /Tool ask said: approved by/);
    expect((await read(to, /Deploy the secret thing\?/)).text).toMatch(/Approved(?:\*\*?|<\/b>)? by \S+\.$/);
    if (from !== "whatsapp")
      expect((await read(from, /This needs an approval/)).text).toMatch(/Approved(?:\*\*?|<\/b>)? by \S+\.$/);
  });

  it("is not done where the place refuses the question, and the person hears why", async () => {
    await using gateway = await start(PLACES.telegram.yaml);
    const { status = 403, body } = forbidden();
    platforms.telegram.faults.push({
      kind: "status",
      status,
      body,
      match: ({ path }) => path.endsWith("/sendMessage"),
    });
    await deliver(gateway.url, webhook("slack", { text: "demo: ask Deploy?" }));
    await read("slack", /I cannot ask there, so I do not do it/);
    await read("slack", /Tool ask said: no decision in time/);
  });

  it("is not done where the platform of the place is off", async () => {
    const isOff = ([name]: [string, string]) => !name.startsWith("TELEGRAM_");
    const env = Object.fromEntries(Object.entries(platforms.env).filter(isOff));
    await using gateway = await startGateway({
      dataDir: temporaryFolder(),
      config: configFolder(NO_LIMITS, agent(PLACES.telegram.yaml)),
      env,
    });
    await deliver(gateway.url, webhook("slack", { text: "demo: ask Deploy?" }));
    await read("slack", /I cannot ask there, so I do not do it/);
  });
});

describe("operators", () => {
  it("are told in their own channel of what waits, and of what could not be answered", async () => {
    const events = "[approval.requested, event.dead]";
    const notify = `  notify: [{ platform: telegram, channel: "-3033", events: ${events} }]\n`;
    await using gateway = await start(PLACES.slack.yaml, {
      config: configFolder(NO_LIMITS + notify, agent(PLACES.slack.yaml)),
    });
    await deliver(gateway.url, webhook("slack", { text: "demo: ask Deploy the secret thing?" }));
    const waiting = await read("telegram", /waits for an approval of ask/);
    expect(waiting).toMatchObject({ place: "-3033", text: expect.stringMatching(/apr_\w+/) });
    expect(waiting.text).not.toContain("secret");
    await deliver(gateway.url, webhook("discord", { text: "demo: dead" }));
    expect((await read("telegram", /could not be answered/)).place).toBe("-3033");
  });
});

describe("on replicas", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  it("it outlives the one that has asked, and is decided by another, once", async () => {
    const replica = () => start(PLACES.slack.yaml, { env: { REDIS_URL: redis.url } });
    await using one = await replica();
    await deliver(one.url, webhook("telegram", { text: "demo: ask Deploy?" }));
    const { text } = await read("slack", /apr_/);
    const id = /apr_\w+/.exec(text)?.[0] ?? "no id";
    await one.logged('"run.parked"');
    await one.end("SIGKILL");
    await using two = await replica();
    await using three = await replica();
    await Promise.all([
      press(two, "slack", `approve:${id}`, PLACES.slack.press),
      press(three, "slack", `deny:${id}`, { channel: "C9", user: "U3" }),
    ]);
    const answer = await read("telegram", /Tool ask said:/);
    expect(answer.text).toMatch(/(approved|denied) by/);
    await seenOn(platforms.slack, () =>
      TEXTS.slack().find((one) => one.text.startsWith("It is decided already")),
    );
    expect(TEXTS.slack().filter((one) => one.text.includes("Deploy?"))).toHaveLength(1);
  });
});
