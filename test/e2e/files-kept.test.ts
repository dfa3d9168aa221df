import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { slackSigned } from "../fakes/slack.ts";
import { fileOf } from "../fakes/slack-files.ts";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, SECRETS, seenOn, webhook } from "./platforms.ts";

const WORDS = "Pump nine fails at 06:10, says nobody but this file";
const TOKEN = "an-admin-token-of-these-tests-0123456789";
const agent = (ttlSeconds: number) =>
  `kind: Agent\nmetadata: { name: assistant }\nspec: { model: { provider: demo }, memory: { ttl_seconds: ${ttlSeconds} } }\n`;
const kept = (seconds: number) => `${NO_LIMITS}  media: { kept_seconds: ${seconds} }\n`;
const WEEK = 604_800;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

async function fileSent(gateway: GatewayProcess, slack: Awaited<ReturnType<typeof openPlatforms>>["slack"]) {
  const file = { id: "F1", name: "a.txt", mimetype: "text/plain", bytes: Buffer.from(WORDS) };
  slack.files.push(file);
  const envelope = JSON.parse(webhook("slack", { kind: "dm", channel: "D1", text: "demo: prompt" }).body);
  const event = { ...envelope.event, subtype: "file_share", files: [fileOf(file)] };
  const signing = { secret: SECRETS.SLACK_SIGNING_SECRET, nowMs: Date.now() };
  const signed = slackSigned(JSON.stringify({ ...envelope, event }), signing);
  await deliver(gateway.url, { method: "POST", path: "/webhooks/slack", ...signed });
  await seenOn(slack, () => slack.messages.find(({ text }) => text.includes(WORDS)));
}

/** What is past its time goes now, and not within the minute. */
async function pruned({ url }: GatewayProcess): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const answer = await fetch(`${url}/api/v1/maintenance/prune`, { method: "POST", headers, body: "{}" });
  expect(answer.status).toBe(200);
}

describe.each(["a folder", "Redis"] as const)("a file that is kept in %s, after a kill", (place) => {
  it.each([
    ["kept_seconds is over", kept(1), agent(WEEK)],
    ["no agent remembers what was said with it", kept(WEEK), agent(1)],
  ])("is deleted once %s, and not before", async (_, past, agentThen) => {
    await using platforms = await openPlatforms();
    await redis.flushAll();
    const dataDir = temporaryFolder();
    const env = {
      ...platforms.env,
      PARLEY_ADMIN_TOKEN: TOKEN,
      ...(place === "Redis" && { REDIS_URL: redis.url }),
    };
    const start = (spec: string, described: string) =>
      startGateway({ dataDir, config: configFolder(spec, described), env });
    const files = async (): Promise<number> => {
      if (place === "a folder")
        return readdirSync(join(dataDir, "media"), { recursive: true, withFileTypes: true }).filter((one) =>
          one.isFile(),
        ).length;
      const client = new Redis(redis.url);
      const texts: string[] = [];
      // Files are kept there in base64, which nothing else of a conversation is.
      for (const key of await client.keys("*"))
        if ((await client.type(key)) === "hash") texts.push(...Object.values(await client.hgetall(key)));
      client.disconnect();
      return texts.filter((text) => text === Buffer.from(WORDS).toString("base64")).length;
    };

    await using first = await start(kept(WEEK), agent(WEEK));
    await fileSent(first, platforms.slack);
    await first.end("SIGKILL");
    await using second = await start(kept(WEEK), agent(WEEK));
    await pruned(second);
    expect(await files()).toBe(1);
    await second.end("SIGKILL");
    await using third = await start(past, agentThen);
    // A second after the file came, of which nobody tells.
    await eventually(async () => {
      await pruned(third);
      expect(await files()).toBe(0);
    }, 20_000);
  });
});
