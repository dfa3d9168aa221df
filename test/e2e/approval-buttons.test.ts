import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { PRESSES } from "../support/presses.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import {
  CHAT_PLATFORMS,
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

const AGENT = `apiVersion: parley/v1
kind: Agent
metadata: { name: assistant }
spec:
  model: { provider: demo }
  budgets: { tokens: 1000000 }
`;
type Start = Partial<Parameters<typeof startGateway>[0]>;
const start = (options: Start = {}) =>
  startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(NO_LIMITS, AGENT),
    ...options,
    env: { ...platforms.env, ...options.env },
  });

/** What people read, without Slack's and Discord's messages for one person. */
const TEXTS: Readonly<Record<ChatPlatform, () => readonly string[]>> = {
  slack: () => platforms.slack.messages.map(({ text }) => text),
  discord: () => platforms.discord.messages.map(({ content }) => content),
  telegram: () => platforms.telegram.messages.map(({ text }) => text),
  whatsapp: () =>
    platforms.whatsapp.messages.map(
      ({ body }) =>
        (body.text as { body: string } | undefined)?.body ??
        (body.interactive as { body: { text: string } }).body.text,
    ),
};
const read = (platform: ChatPlatform, text: string) =>
  seenOn(platforms[platform], () => TEXTS[platform]().find((one) => one.includes(text)));

/** Gives the id of the question. */
async function asked(gateway: GatewayProcess, platform: ChatPlatform, more: object = {}): Promise<string> {
  await deliver(gateway.url, webhook(platform, { text: "demo: ask Deploy?", ...more }));
  const text = await read(platform, "apr_");
  return /apr_\w+/.exec(text)?.[0] ?? "no id";
}

let presses = 0;
async function press(gateway: GatewayProcess, platform: ChatPlatform, buttonId: string, more: object = {}) {
  const options = { buttonId, label: "Approve", id: `77${++presses}`, nowMs: Date.now() };
  const request = PRESSES[platform]({ ...options, secret: SIGNING[platform], ...more });
  const answer = await deliver(gateway.url, request);
  expect(answer.status).toBe(200);
  return answer;
}

describe("a press below a question", () => {
  it("decides it on Telegram, once, over a death in between, and the question says so", async () => {
    const place = { dataDir: temporaryFolder() };
    const { telegram } = platforms;
    await using first = await start(place);
    const id = await asked(first, "telegram");
    await first.logged('"run.parked"');
    expect(telegram.messages[0]?.keyboard.flat().map(({ callback_data }) => callback_data)).toEqual([
      `approve:${id}`,
      `deny:${id}`,
    ]);
    await first.end("SIGKILL");
    await using second = await start(place);
    await press(second, "telegram", `approve:${id}`);
    await read("telegram", "Tool ask said: approved by ann");
    expect(TEXTS.telegram()).toEqual([
      expect.stringMatching(/Deploy\?\s+Approved by ann\.$/),
      "Tool ask said: approved by ann",
    ]);
    expect(telegram.messages.flatMap(({ keyboard }) => keyboard)).toEqual([]);
    expect(telegram.told.map(({ text }) => text)).toEqual(["Approved."]);
    await press(second, "telegram", `deny:${id}`);
    await seenOn(telegram, () => telegram.told[1]);
    expect(telegram.told[1]?.text).toContain("does not wait for a decision here");
    expect(TEXTS.telegram()).toHaveLength(2);
  });

  it("decides it on Discord, where the answer follows the question", async () => {
    const { discord } = platforms;
    await using gateway = await start();
    const id = await asked(gateway, "discord");
    const answer = await press(gateway, "discord", `deny:${id}`);
    expect(JSON.parse(answer.text)).toEqual({ type: 5, data: { flags: 64 } });
    await read("discord", "Tool ask said: denied by");
    const question = discord.messages.find(({ content }) => content.includes("Deploy?"));
    expect(question?.content).toMatch(/\*\*Denied\*\* by \S+\.$/);
    expect(question?.body.components).toEqual([]);
  });

  it("decides it on Slack, and tells whoever pressed alone", async () => {
    const { slack } = platforms;
    await using gateway = await start();
    const id = await asked(gateway, "slack");
    const question = slack.messages.find(({ text }) => text.includes(id));
    await press(gateway, "slack", `approve:${id}`, { thread: question?.threadTs, user: "U2" });
    await read("slack", "Tool ask said: approved by");
    await read("slack", "Approved.");
    expect(question?.text).toMatch(/\*Approved\* by ann\.$/);
    expect(question?.blocks).toEqual([]);
    expect(slack.messages.find(({ text }) => text === "Approved.")?.visibleTo).not.toBeNull();
  });

  it("decides it on WhatsApp", async () => {
    await using gateway = await start();
    const id = await asked(gateway, "whatsapp");
    await press(gateway, "whatsapp", `approve:${id}`);
    await read("whatsapp", "Tool ask said: approved by");
    expect(TEXTS.whatsapp().slice(1).toSorted()).toEqual(["Approved.", "Tool ask said: approved by Ann"]);
  });
});

describe("presses on replicas", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  it("of two people at once decide once", async () => {
    const { telegram } = platforms;
    const replica = () => start({ env: { REDIS_URL: redis.url } });
    await using one = await replica();
    await using other = await replica();
    const place = { kind: "mention", channel: "-2011" };
    const id = await asked(one, "telegram", place);
    await Promise.race([one, other].map((gateway) => gateway.logged('"run.parked"')));
    await Promise.all([
      press(one, "telegram", `approve:${id}`, { group: "-2011", user: "31" }),
      press(other, "telegram", `deny:${id}`, { group: "-2011", user: "32" }),
    ]);
    await read("telegram", "Tool ask said:");
    await seenOn(telegram, () => telegram.told[1]);
    const verdict = telegram.told.some(({ text }) => text === "Approved.") ? "approved" : "denied";
    expect(TEXTS.telegram().filter((text) => text.startsWith("Tool ask said:"))).toEqual([
      expect.stringContaining(`Tool ask said: ${verdict} by`),
    ]);
    expect(TEXTS.telegram()).toHaveLength(2);
  });

  it("by the wrong person, twice and late are told so on each platform, over a death and whichever replica hears them", async () => {
    const approvers = Object.entries(PEOPLE).map(([platform, { approver }]) => `"${platform}:${approver}"`);
    const agent = `${AGENT}  approvals: { approvers: [${approvers.join(", ")}], self_approval: true }\n`;
    const replica = () => start({ config: configFolder(NO_LIMITS, agent), env: { REDIS_URL: redis.url } });
    const first = await replica();
    const questions = new Map<ChatPlatform, string>();
    for (const platform of CHAT_PLATFORMS)
      questions.set(platform, await asked(first, platform, PEOPLE[platform].place));
    await eventually(
      async () => expect(first.stdout().match(/"run.parked"/g)).toHaveLength(CHAT_PLATFORMS.length),
      20_000,
    );
    await first.end("SIGKILL");
    await using second = await replica();
    await using third = await replica();
    for (const platform of CHAT_PLATFORMS) {
      const id = questions.get(platform) ?? "";
      const { right, wrong } = PEOPLE[platform];
      await press(second, platform, `approve:${id}`, wrong);
      await told(platform, REFUSED, 1);
      expect(TEXTS[platform]().some((text) => text.includes("Tool ask said"))).toBe(false);
      await press(third, platform, `approve:${id}`, right);
      await told(platform, /^Approved\.$/, 1);
      await read(platform, "Tool ask said: approved by");
      await press(second, platform, `deny:${id}`, right);
      await told(platform, REFUSED, 2);
      expect(TEXTS[platform]().filter((text) => text.startsWith("Tool ask said"))).toEqual([
        expect.stringContaining("approved by"),
      ]);
    }
  });
});

/** Who is asked where, who may decide it, and who may not. On WhatsApp nobody else is there. */
const PEOPLE: Readonly<
  Record<ChatPlatform, { approver: string; place: object; right: object; wrong: object }>
> = {
  slack: {
    approver: "T1:U2",
    place: { kind: "mention", channel: "C71" },
    right: { user: "U2", channel: "C71" },
    wrong: { user: "U3", channel: "C71" },
  },
  discord: {
    approver: "10:32",
    place: { channel: "71" },
    right: { user: "32", channel: "71" },
    wrong: { user: "33", channel: "71" },
  },
  telegram: {
    approver: "32",
    place: { kind: "mention", channel: "-2071" },
    right: { group: "-2071", user: "32" },
    wrong: { group: "-2071", user: "33" },
  },
  whatsapp: {
    approver: "4917100071",
    place: { user: "4917100071" },
    right: { user: "4917100071" },
    wrong: { user: "4917100072" },
  },
};

const REFUSED = /not among those|does not wait|decided already/;

/** What those who pressed were told, alone where the platform can do that. */
function told(platform: ChatPlatform, pattern: RegExp, count: number): Promise<true> {
  const alone = () => (platform === "telegram" ? platforms.telegram.told.map(({ text }) => text) : []);
  const heard = () => [...TEXTS[platform](), ...alone()].filter((text) => pattern.test(text));
  return seenOn(platforms[platform], () => (heard().length >= count ? true : undefined));
}
