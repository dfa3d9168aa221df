import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type DiscordMessage, type FakeDiscord, fakeDiscord } from "../../fakes/discord.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { configFolder, NO_LIMITS } from "../configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "../gateway-process.ts";
import { seenOn } from "../platforms.ts";
import { scrape, scrapeWhenIdle } from "../scrape.ts";

const DEV_KEY = "a-key-for-developers-alone";
const TOKEN = "OTAw.discord-gateway.token-5d11";
/** A hold lasts at most five seconds, and its next holder has as many to connect. */
const KILLED_MS = 10_000;
const STOPPED_MS = 3_000;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

let discord: FakeDiscord;
beforeEach(async () => {
  discord = await fakeDiscord({ botToken: TOKEN });
});
const processes: GatewayProcess[] = [];
afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one[Symbol.asyncDispose]()));
  await discord.close();
});

/** With a bot token and nothing else of Discord. */
async function start(env: Readonly<Record<string, string>> = {}, spec = NO_LIMITS): Promise<GatewayProcess> {
  const gateway = await startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(spec),
    env: { DISCORD_BOT_TOKEN: TOKEN, DISCORD_API_URL: discord.apiUrl, ...env },
  });
  processes.push(gateway);
  return gateway;
}

/** Replicas of one gateway; what earlier tests have left is not theirs. */
async function replicas(): Promise<readonly [GatewayProcess, GatewayProcess]> {
  await redis.flushAll();
  const spec = `${NO_LIMITS}  store: { spool: off }\n`;
  const first = await start({ REDIS_URL: redis.url }, spec);
  await held();
  return [first, await start({ REDIS_URL: redis.url }, spec)];
}

const held = () => discord.gateway.until(() => discord.gateway.holders === 1, "the Gateway to be held");

function answers(count: number, match: (message: DiscordMessage) => boolean = () => true) {
  return seenOn(discord, () => {
    const found = discord.messages.filter(match);
    return found.length >= count ? found : undefined;
  });
}

async function component(gateway: GatewayProcess): Promise<{ status: string; details: string } | undefined> {
  const response = await fetch(`${gateway.url}/ready`);
  const { components } = (await response.json()) as {
    components: Record<string, { status: string; details: string }>;
  };
  return components["discord.gateway"];
}

/** So many messages of as many people, each in a channel of its own, some while the connection is gone. */
function sayAll(texts: readonly string[]): void {
  for (const [i, text] of texts.entries())
    discord.gateway.say({ content: `<@900> ${text}`, channel: String(300 + i), user: String(500 + i) });
}

const saidOnce = (texts: readonly string[]) => {
  const said = discord.messages.map(({ content }) => content).sort();
  expect(said).toEqual(texts.map((text) => `You said: ${text}`).sort());
};

describe("Discord's Gateway, end to end", () => {
  it("lets people chat with a bot token alone: in a channel, in private, and on in a thread", async () => {
    const gateway = await start();
    await held();
    const question = discord.gateway.say({ content: "<@900> hello" });
    const [answer] = await answers(1);
    expect(answer).toMatchObject({
      channelId: "20",
      content: "You said: hello",
      body: {
        message_reference: { message_id: question.id, fail_if_not_exists: false },
        allowed_mentions: { parse: [] },
      },
    });
    discord.gateway.say({ content: "in private", guild: null, channel: "70" });
    await answers(1, ({ channelId, content }) => channelId === "70" && content === "You said: in private");

    discord.gateway.threads.set("51", "20");
    discord.gateway.say({ content: "not yet for us", channel: "51" });
    discord.gateway.say({ content: "<@900> come in", channel: "51" });
    await answers(1, ({ content }) => content === "You said: come in");
    discord.gateway.say({ content: "no mention needed", channel: "51" });
    await answers(1, ({ content }) => content === "You said: no mention needed");
    expect(discord.messages).toHaveLength(4);

    expect(await component(gateway)).toEqual({ status: "ok", details: "connected" });
    const metrics = await scrape(gateway.url);
    expect(metrics.value('parley_socket_up{platform="discord",shard="0"}')).toBe(1);
    expect(metrics.value('parley_socket_holder{platform="discord"}')).toBe(1);
    // There is no key by which a webhook could be known.
    const posted = await fetch(`${gateway.url}/webhooks/discord`, { method: "POST", body: "{}" });
    expect(posted.status).toBe(404);
    expect(discord.gateway.violations).toEqual([]);
  });

  it("answers in a thread of its own where that is wanted, and goes on there", async () => {
    await start({}, `${NO_LIMITS}  platforms: { discord: { replies: thread } }\n`);
    await held();
    const question = discord.gateway.say({ content: "<@900> deploy api" });
    await answers(1, ({ channelId }) => channelId === question.id);
    expect([...discord.opened]).toEqual([[question.id, "deploy api"]]);
    discord.gateway.say({ content: "and then?", channel: question.id });
    await answers(1, ({ content }) => content === "You said: and then?");
  });

  it("makes embeds of tables where that is wanted, and text of them where the bot may show none", async () => {
    await start({}, `${NO_LIMITS}  platforms: { discord: { structured: embeds } }\n`);
    await held();
    discord.noEmbeds.add("21");
    const table = "| Service | State |\n|-|-|\n| api | up |";
    for (const channel of ["20", "21"])
      discord.gateway.say({
        content: `<@900> see https://x.example/a\n\n${table}\n\nthen ${channel}`,
        channel,
      });
    await answers(2, ({ content }) => content.startsWith("then"));
    const seen = (place: string) =>
      discord.messages
        .filter(({ channelId }) => channelId === place)
        .map(({ content, embeds, previews }) => [content, embeds, previews]);
    const above = "You said: see <https://x.example/a>";
    const embed = { title: "Service · State", fields: [{ name: "api", value: "up" }] };
    expect(seen("20")).toEqual([
      [above, [embed], []],
      ["then 20", [], []],
    ]);
    expect(seen("21")).toEqual([
      [`${above}\n\n\`\`\`\nService   State\n───────   ─────\napi       up\n\`\`\``, [], []],
      ["then 21", [], []],
    ]);
  });

  it("goes on where it was after a restart: what was said meanwhile is answered, once", async () => {
    const dataDir = temporaryFolder();
    const again = () =>
      startGateway({
        dataDir,
        config: configFolder(),
        env: { DISCORD_BOT_TOKEN: TOKEN, DISCORD_API_URL: discord.apiUrl },
      });
    const first = await again();
    processes.push(first);
    await held();
    discord.gateway.say({ content: "<@900> before" });
    await answers(1);
    expect(await first.end("SIGTERM")).toBe(0);
    expect(discord.gateway.closeCodes).toEqual([4_900]);
    discord.gateway.say({ content: "<@900> meanwhile" });
    processes.push(await again());
    await answers(1, ({ content }) => content === "You said: meanwhile");
    saidOnce(["before", "meanwhile"]);
    expect(discord.gateway.logins).toMatchObject([
      { kind: "identify" },
      { kind: "resume", outcome: "resumed" },
    ]);
  });
});

describe("replicas", () => {
  it("hold one connection; when its holder is killed in the middle, the other resumes and nothing is lost", async () => {
    const [first, second] = await replicas();
    expect((await component(second))?.status).toBe("standby");
    sayAll(["a0"]);
    await answers(1);
    const texts = Array.from({ length: 20 }, (_, i) => `b${i}`);
    sayAll(texts.slice(0, 10));
    process.kill(first.pid, "SIGKILL");
    const killedAt = Date.now();
    sayAll(texts.slice(10));
    await discord.gateway.until(
      () => discord.gateway.logins.at(-1)?.outcome === "resumed",
      "the other to resume",
    );
    expect(Date.now() - killedAt).toBeLessThan(KILLED_MS);
    await answers(21);
    saidOnce(["a0", ...texts]);
    expect((await component(second))?.status).toBe("ok");
    expect(discord.gateway.holdersMax).toBe(1);
  });

  it("hand it over at SIGTERM, and the session with it", async () => {
    const [first] = await replicas();
    sayAll(["one"]);
    await answers(1);
    const stoppedAt = Date.now();
    process.kill(first.pid, "SIGTERM");
    sayAll(["two"]);
    await discord.gateway.until(
      () => discord.gateway.logins.at(-1)?.outcome === "resumed",
      "the other to resume",
    );
    expect(Date.now() - stoppedAt).toBeLessThan(STOPPED_MS);
    expect(discord.gateway.closeCodes).toEqual([4_900]);
    await answers(2);
    saidOnce(["one", "two"]);
    expect(discord.gateway.holdersMax).toBe(1);
  });

  it("lose nothing while the store is away", async () => {
    await replicas();
    sayAll(["one"]);
    await answers(1);
    redis.pause();
    sayAll(["two", "three"]);
    await vi.waitFor(() => expect(discord.gateway.holders).toBe(0), { timeout: 10_000, interval: 50 });
    sayAll(["four", "five", "six"]);
    redis.resume();
    await answers(6);
    saidOnce(["one", "two", "three", "four", "five", "six"]);
    expect(discord.gateway.holdersMax).toBe(1);
  });

  it("read back what was said when the session is gone with its holder", async () => {
    const [first, second] = await replicas();
    discord.gateway.say({ content: "<@900> before" });
    await answers(1);
    // Or its conversation would wait for the lease of whoever had it in hand.
    await scrapeWhenIdle(first.url);
    discord.gateway.forgetsSessions = true;
    process.kill(first.pid, "SIGKILL");
    discord.gateway.say({ content: "<@900> missed" });
    await answers(1, ({ content }) => content === "You said: missed");
    saidOnce(["before", "missed"]);
    expect(
      (await scrape(second.url)).value('parley_socket_read_back_total{platform="discord"}'),
    ).toBeGreaterThan(0);
  });
});

describe("a Discord that refuses", () => {
  it("is told of with what to do, and keeps nobody else from being answered", async () => {
    discord.gateway.refusesWith = 4_004;
    const gateway = await start({ PARLEY_DEV_KEY: DEV_KEY });
    await vi.waitFor(
      async () =>
        expect(await component(gateway)).toMatchObject({
          status: "failed",
          details: "4004 authentication failed: look at DISCORD_BOT_TOKEN",
        }),
      { timeout: 10_000, interval: 50 },
    );
    const sixSeconds = discord.gateway.logins[0]?.at ?? 0;
    await discord.gateway.until(() => discord.gateway.logins.length >= 2, "another try");
    expect(discord.gateway.logins.filter(({ at }) => at - sixSeconds < 6_000).length).toBeLessThanOrEqual(5);
    const response = await fetch(`${gateway.url}/webhooks/test?wait=10`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-dev-key": DEV_KEY },
      body: JSON.stringify({ message: "hello" }),
    });
    expect(await response.json()).toMatchObject({ reply: "You said: hello" });
  });
});
