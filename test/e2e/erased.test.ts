import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { run } from "../cli/helpers.ts";
import { slackSigned } from "../fakes/slack.ts";
import { fileOf } from "../fakes/slack-files.ts";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, type Platforms, SECRETS, seenOn, webhook } from "./platforms.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const TEXT = "qzxj the boiler hums at night";
const WORDS = "qzxk what the file of Ann holds";
const FILE = "qzxf-plans.txt";
const NEEDLES = ["qzxj", "qzxk", "qzxf"];
const OTHERS = ["bqzy words of Bob", "bqzf file of Bob"];

let platforms: Platforms;
beforeEach(async () => {
  platforms = await openPlatforms();
});
afterEach(() => platforms[Symbol.asyncDispose]());

interface Said {
  readonly kind: "dm" | "mention";
  readonly channel: string;
  readonly user: string;
  readonly text: string;
  readonly more?: object;
}

async function say(gateway: GatewayProcess, { kind, channel, user, text, more = {} }: Said): Promise<void> {
  const before = platforms.slack.messages.length;
  const request = webhook("slack", { kind, channel, text, user });
  const envelope = JSON.parse(request.body);
  const body = JSON.stringify({ ...envelope, event: { ...envelope.event, ...more } });
  const signing = { secret: SECRETS.SLACK_SIGNING_SECRET, nowMs: Date.now() };
  await deliver(gateway.url, { ...request, ...slackSigned(body, signing) });
  await seenOn(platforms.slack, () =>
    platforms.slack.messages.slice(before).find((one) => one.channel === channel),
  );
}

function withFile(id: string, name: string, words: string): object {
  const file = { id, name, mimetype: "text/plain", bytes: Buffer.from(words) };
  platforms.slack.files.push(file);
  return { subtype: "file_share", files: [fileOf(file)] };
}

async function talk(gateways: readonly [GatewayProcess, GatewayProcess]): Promise<void> {
  const [one, other] = gateways;
  await say(one, { kind: "dm", channel: "D1", user: "U1", text: TEXT, more: withFile("F1", FILE, WORDS) });
  await say(other, { kind: "dm", channel: "D1", user: "U1", text: "demo: prompt" });
  await say(other, {
    kind: "dm",
    channel: "D2",
    user: "U2",
    text: OTHERS[0] ?? "",
    more: withFile("F2", "b.txt", OTHERS[1] ?? ""),
  });
  await say(one, { kind: "dm", channel: "D2", user: "U2", text: "demo: prompt" });
}

/** Files that hold one of the words, as they are or in base64, wherever in it they begin. */
function holding(folder: string, words: readonly string[]): string[] {
  const wanted = words.flatMap((word) => [word, ...[0, 1, 2].map((at) => base64Of(word, at))]);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      const bytes = readFileSync(path);
      return wanted.some((word) => bytes.includes(word));
    });
}

function base64Of(word: string, at: number): string {
  const text = Buffer.from(" ".repeat(at) + word).toString("base64");
  return text.slice(Math.ceil((at * 4) / 3), Math.floor(((at + word.length) * 4) / 3) - 1);
}

async function erase(gateway: GatewayProcess): Promise<Record<string, unknown>> {
  const env = { PARLEY_URL: gateway.url, PARLEY_ADMIN_TOKEN: TOKEN };
  const args = ["conversations", "erase", "--user", "slack:T1:U1", "--yes", "--json"];
  const { code, stdout, stderr } = await run(args, { env });
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

it("leaves no byte in the data folder of what somebody wrote or was answered, and all of others", async () => {
  const dataDir = temporaryFolder();
  const env = { ...platforms.env, PARLEY_ADMIN_TOKEN: TOKEN };
  await using gateway = await startGateway({ dataDir, env });
  await talk([gateway, gateway]);
  expect(holding(dataDir, NEEDLES)).not.toEqual([]);
  expect(await erase(gateway)).toMatchObject({ complete: true, events: 2, files: 1, in_hand: 0, left: [] });
  expect(holding(dataDir, NEEDLES)).toEqual([]);
  for (const words of OTHERS) expect(holding(dataDir, [words])).not.toEqual([]);
  // It goes on, and knows nothing any more.
  await say(gateway, { kind: "dm", channel: "D1", user: "U1", text: "demo: prompt" });
  expect(platforms.slack.messages.at(-1)?.text).not.toContain("qzx");
  await gateway.end("SIGTERM");
  expect(holding(dataDir, NEEDLES)).toEqual([]);
});

it("nor in Redis, its files, and the spool of any replica", async () => {
  await using redis: RedisServer = await startRedis();
  const folders = [temporaryFolder(), temporaryFolder()] as const;
  const env = { ...platforms.env, PARLEY_ADMIN_TOKEN: TOKEN, REDIS_URL: redis.url };
  await using one = await startGateway({ dataDir: folders[0], env });
  await using other = await startGateway({ dataDir: folders[1], env });
  await talk([one, other]);
  // What came while Redis was away is in the spool of who took it.
  redis.pause();
  const request = webhook("slack", { kind: "dm", channel: "D1", text: `${TEXT} again`, user: "U1" });
  const spooled = deliver(other.url, request);
  await eventually(async () => expect(holding(folders[1], ["qzxj"])).not.toEqual([]), 10_000);
  redis.resume();
  await spooled;
  await seenOn(platforms.slack, () => platforms.slack.messages.find(({ text }) => text.includes("again")));
  expect(holding(redis.folder, NEEDLES)).not.toEqual([]);
  expect(await erase(one)).toMatchObject({ complete: true, events: 3, files: 1, in_hand: 0, left: [] });
  const left = async () => [redis.folder, ...folders].flatMap((folder) => holding(folder, NEEDLES));
  await eventually(async () => expect(await left()).toEqual([]), 2_000);
  for (const words of OTHERS) expect(holding(redis.folder, [words])).not.toEqual([]);
});
