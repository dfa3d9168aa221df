import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it } from "vitest";
import { slackSigned } from "../fakes/slack.ts";
import { fileOf } from "../fakes/slack-files.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, type Platforms, SECRETS, seenOn, webhook } from "./platforms.ts";

const WORDS = "Pump nine fails at 06:10, says nobody but this file";

let platforms: Platforms;
beforeEach(async () => {
  platforms = await openPlatforms();
});
afterEach(() => platforms[Symbol.asyncDispose]());

async function say(gateway: GatewayProcess, channel: string, text: string, files: readonly object[] = []) {
  const request = webhook("slack", { kind: "dm", channel, text, user: "U1" });
  const envelope = JSON.parse(request.body);
  const more = files.length > 0 ? { subtype: "file_share", files } : {};
  const body = JSON.stringify({ ...envelope, event: { ...envelope.event, ...more } });
  const signing = { secret: SECRETS.SLACK_SIGNING_SECRET, nowMs: Date.now() };
  await deliver(gateway.url, { ...request, ...slackSigned(body, signing) });
}

async function fileSent(gateway: GatewayProcess, channel: string): Promise<void> {
  const { slack } = platforms;
  const file = { id: `F${channel}`, name: "a.txt", mimetype: "text/plain", bytes: Buffer.from(WORDS) };
  slack.files.push(file);
  await say(gateway, channel, "demo: prompt", [fileOf(file)]);
  await seenOn(slack, () =>
    slack.messages.find((one) => one.channel === channel && one.text.includes(WORDS)),
  );
}

async function reset(gateway: GatewayProcess, channel: string): Promise<void> {
  const { slack } = platforms;
  await say(gateway, channel, "!reset");
  await seenOn(slack, () =>
    slack.messages.find((one) => one.channel === channel && /forgot/i.test(one.text)),
  );
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .filter((text) => text.includes(WORDS));

it("/reset deletes the files of its conversation from the folder, and those of no other", async () => {
  const dataDir = temporaryFolder();
  await using gateway = await startGateway({ dataDir, env: platforms.env });
  await fileSent(gateway, "D41");
  await fileSent(gateway, "D42");
  const media = join(dataDir, "media");
  expect(filesBelow(media)).toHaveLength(2);
  await reset(gateway, "D41");
  expect(filesBelow(media)).toHaveLength(1);
  await reset(gateway, "D42");
  expect(filesBelow(media)).toEqual([]);
});

it("and from Redis, whichever replica is asked to", async () => {
  await using redis: RedisServer = await startRedis();
  const replica = () =>
    startGateway({ dataDir: temporaryFolder(), env: { ...platforms.env, REDIS_URL: redis.url } });
  await using first = await replica();
  await using second = await replica();
  await fileSent(first, "D43");
  await fileSent(second, "D44");
  await using client = Object.assign(new Redis(redis.url), {
    async [Symbol.asyncDispose]() {
      client.disconnect();
    },
  });
  // Files are kept there in base64, which nothing else of a conversation is.
  const kept = async () => {
    const texts: string[] = [];
    for (const key of await client.keys("*"))
      if ((await client.type(key)) === "hash") texts.push(...Object.values(await client.hgetall(key)));
    return texts.filter((text) => text === Buffer.from(WORDS).toString("base64")).length;
  };
  expect(await kept()).toBe(2);
  await reset(second, "D43");
  expect(await kept()).toBe(1);
  await reset(first, "D44");
  expect(await kept()).toBe(0);
});
