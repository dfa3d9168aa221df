import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type FakeSlack, fakeSlack } from "../../fakes/slack.ts";
import { eventually } from "../../support/eventually.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { configFolder, NO_LIMITS } from "../configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "../gateway-process.ts";
import { SECRETS, seenOn, webhook } from "../platforms.ts";

const APP_TOKEN = "xapp-1-A1-12-e2e-7d1f";
const MARK = "This may be a repeat";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ fsync: "no" });
});
afterAll(() => redis[Symbol.asyncDispose]());

async function slackWithSockets(): Promise<FakeSlack> {
  const slack = await fakeSlack({
    token: SECRETS.SLACK_BOT_TOKEN,
    appToken: APP_TOKEN,
    sockets: { ackMs: 3_000, retries: 10 },
    nowMs: Date.now,
  });
  onTestFinished(() => slack.close());
  return slack;
}

async function gatewayOn(
  slack: FakeSlack,
  env: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const dataDir = temporaryFolder();
  const config = configFolder(`${NO_LIMITS}  store: { spool: off }\n`);
  const gateway = await startGateway({
    dataDir,
    config,
    env: {
      SLACK_BOT_TOKEN: SECRETS.SLACK_BOT_TOKEN,
      SLACK_APP_TOKEN: APP_TOKEN,
      SLACK_API_URL: slack.apiUrl,
      ...env,
    },
  });
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return gateway;
}

async function twoOn(slack: FakeSlack): Promise<readonly [GatewayProcess, GatewayProcess]> {
  await redis.flushAll();
  const env = { REDIS_URL: redis.url };
  const holder = await gatewayOn(slack, env);
  await slack.sockets.waitOpen(2);
  const other = await gatewayOn(slack, env);
  await eventually(async () => expect(await socketOf(other)).toBe("standby"), 20_000);
  return [holder, other];
}

async function socketOf({ url }: GatewayProcess): Promise<unknown> {
  const { components } = (await (await fetch(`${url}/ready`)).json()) as {
    components: Record<string, { status: string }>;
  };
  return components["slack.socket"]?.status;
}

/** What somebody says to the bot in a channel, as Slack puts it into an envelope. */
const mention = (text: string, more: { id?: string } = {}) =>
  JSON.parse(webhook("slack", { kind: "mention", text, ...more }).body) as object;

const saidOf = (slack: FakeSlack, text: string) => slack.messages.filter((one) => one.text.includes(text));
const answered = (slack: FakeSlack, text: string) =>
  seenOn(slack, () => (saidOf(slack, text).length > 0 ? saidOf(slack, text) : undefined));

describe("Slack over Socket Mode", () => {
  it("is on without a signing secret: a mention is answered, and nobody can post a webhook", async () => {
    const slack = await slackWithSockets();
    const gateway = await gatewayOn(slack);
    await slack.sockets.waitOpen(2);
    const ack = await slack.sockets.acked(slack.sockets.send("events_api", mention("over the socket")));
    expect(ack.tookMs).toBeLessThan(3_000);
    expect(await answered(slack, "over the socket")).toHaveLength(1);
    const { method, path, headers, body } = webhook("slack", { text: "posted" });
    expect((await fetch(gateway.url + path, { method, headers, body })).status).toBe(404);
    await eventually(async () => expect(await socketOf(gateway)).toBe("ok"), 10_000);
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toContain('parley_socket_up{platform="slack",shard="0"} 1');
    expect(metrics).toContain('parley_socket_holder{platform="slack"} 1');
    expect(gateway.stdout() + gateway.stderr()).not.toContain(APP_TOKEN);
  });

  it("is answered once what comes by webhook and over the socket", async () => {
    const slack = await slackWithSockets();
    const gateway = await gatewayOn(slack, { SLACK_SIGNING_SECRET: SECRETS.SLACK_SIGNING_SECRET });
    await slack.sockets.waitOpen(2);
    const { method, path, headers, body } = webhook("slack", { kind: "mention", text: "by both ways" });
    await slack.sockets.acked(slack.sockets.send("events_api", JSON.parse(body) as object));
    expect((await fetch(gateway.url + path, { method, headers, body })).status).toBe(200);
    await slack.sockets.acked(slack.sockets.send("events_api", mention("and after that")));
    await answered(slack, "and after that");
    expect(saidOf(slack, "by both ways")).toHaveLength(1);
  });

  it("goes to the other replica within ten seconds when its holder is killed, and loses nothing", async () => {
    const slack = await slackWithSockets();
    const [holder, other] = await twoOn(slack);
    const texts = Array.from({ length: 30 }, (_, n) => `killed ${String(n).padStart(2, "0")}`);
    const ids = texts.map((text) => slack.sockets.send("events_api", mention(text)));
    await holder.end("SIGKILL");
    const killedAt = performance.now();
    await slack.sockets.waitOpen(1);
    expect(performance.now() - killedAt).toBeLessThan(10_000);
    for (const id of ids) await slack.sockets.acked(id, 30_000);
    for (const text of texts) await answered(slack, text);
    // Of what the killed one was saying, nobody can tell where Slack was not heard: that is marked, the rest is said once.
    const unmarked = (text: string) => saidOf(slack, text).filter((one) => !one.text.includes(MARK));
    expect(texts.map((text) => unmarked(text).length)).toEqual(texts.map(() => 1));
    await eventually(async () => expect(await socketOf(other)).toBe("ok"), 10_000);
  });

  it("goes to the other replica within three seconds when its holder is told to stop", async () => {
    const slack = await slackWithSockets();
    const [holder] = await twoOn(slack);
    const openedBefore = slack.sockets.opened;
    const askedAt = performance.now();
    const ended = holder.end("SIGTERM");
    await eventually(async () => expect(slack.sockets.opened).toBeGreaterThan(openedBefore), 10_000);
    expect(performance.now() - askedAt).toBeLessThan(3_000);
    await slack.sockets.acked(slack.sockets.send("events_api", mention("after the hand-over")));
    await answered(slack, "after the hand-over");
    expect(await ended).toBe(0);
  });

  it("acknowledges nothing while the store is away, and answers it once afterwards", async () => {
    const slack = await slackWithSockets();
    await redis.flushAll();
    await gatewayOn(slack, { REDIS_URL: redis.url });
    await slack.sockets.waitOpen(2);
    redis.pause();
    onTestFinished(() => redis.resume());
    const id = slack.sockets.send("events_api", mention("while it is away"));
    await eventually(async () => expect(slack.sockets.open).toEqual([]), 15_000);
    expect(slack.sockets.acks).toEqual([]);
    redis.resume();
    await slack.sockets.acked(id, 40_000);
    expect(await answered(slack, "while it is away")).toHaveLength(1);
  });
});
