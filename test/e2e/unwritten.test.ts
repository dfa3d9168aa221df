import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type ModelServer, startModelServer } from "../chaos/model-server.ts";
import { Dice } from "../simulation/dice.ts";
import { type Disk, mayMount, refusingDisk, smallDisk } from "../support/disk.ts";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import { allRecords, judgeReplies } from "./judge.ts";
import { type Conversation, nextQuestion, openConversations } from "./load.ts";
import { CHAT_PLATFORMS, deliver, openPlatforms, type Platforms } from "./platforms.ts";
import { scrapeWhenIdle } from "./scrape.ts";

const LEASE_MS = 3_000;
/** So long that settlements are given up and leases have run out. */
const OUTAGE_MS = 12_000;
/** Of each group, an equal share on each platform. */
const CONVERSATIONS = 12;
const FIRST_PERSON = 100_000;

const AGENT = `apiVersion: parley/v1
kind: Agent
metadata: { name: assistant }
spec:
  model: { provider: anthropic, model: claude-sonnet-5, timeout_seconds: 60 }
`;
const CONFIG = `${NO_LIMITS}  store: { spool: off }\n`;

/** Where a gateway stores, and how that stops taking anything and takes it again. */
interface Place extends AsyncDisposable {
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  begin(pid: number): Promise<void>;
  end(pid: number): Promise<void>;
}

function onDisk(disk: Disk): Place {
  return {
    dataDir: join(disk.folder, "data"),
    env: {},
    begin: async (pid) => disk.fill(pid),
    end: async (pid) => disk.free(pid),
    [Symbol.asyncDispose]: async () => disk[Symbol.dispose](),
  };
}

type Command = readonly [string, ...(string | number)[]];

async function onRedis(begin: Command, end: Command): Promise<Place> {
  const redis: RedisServer = await startRedis();
  return {
    dataDir: temporaryFolder(),
    env: { REDIS_URL: redis.url },
    begin: async () => void (await redis.cli(...begin)),
    end: async () => void (await redis.cli(...end)),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

const NOBODY_PORT = 1;
const PLACES: [string, () => Place | Promise<Place>][] = [
  ["a disk that refuses each write", () => onDisk(refusingDisk())],
  [
    "a Redis that is out of memory",
    () => onRedis(["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
  ],
  [
    "a Redis that is read-only",
    () => onRedis(["REPLICAOF", "127.0.0.1", NOBODY_PORT], ["REPLICAOF", "NO", "ONE"]),
  ],
];
// Where a file system of our own can be made, the disk is really full.
if (mayMount()) PLACES.unshift(["a disk that is full", () => onDisk(smallDisk())]);

function startOn(place: Place, model: ModelServer, platforms: Platforms): Promise<GatewayProcess> {
  return startGateway({
    command: [process.execPath, join(ROOT, "test/e2e/short-lease.ts"), String(LEASE_MS)],
    dataDir: place.dataDir,
    config: configFolder(CONFIG, AGENT),
    env: {
      ...{ ...platforms.env, ...place.env },
      ...{ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "gateway" },
    },
  });
}

async function ask(url: string, conversations: readonly Conversation[]): Promise<void> {
  for (const conversation of conversations) {
    const question = nextQuestion(conversation);
    expect((await deliver(url, question.request)).status).toBe(200);
    question.isAcknowledged = true;
  }
}

/** When the model has an answer for each of three groups of people; when the platforms confirm what they were told. */
class Moments {
  readonly confirmation = Promise.withResolvers<void>();
  readonly answers = {
    before: Promise.withResolvers<void>(),
    during: Promise.withResolvers<void>(),
    after: Promise.withResolvers<void>(),
  } as const;

  readonly thinks = async (topic: string): Promise<void> => {
    const group = Math.floor((Number(topic.split("-")[1]) - FIRST_PERSON) / CONVERSATIONS);
    await Object.values(this.answers)[group]?.promise;
  };
}

/** Runs in hand: the reply is said and not confirmed yet, the model answers in the outage, or only after it. */
async function inHand(gateway: GatewayProcess, moments: Moments, model: ModelServer, platforms: Platforms) {
  const conversations = openConversations(3 * CONVERSATIONS);
  const { confirmation, answers } = moments;
  // Slack is told in a form, where a space is a plus.
  const isReply = ({ body }: { body: string }) => /You.said/.test(body);
  const perPlatform = CONVERSATIONS / CHAT_PLATFORMS.length;
  for (const platform of CHAT_PLATFORMS)
    platforms[platform].faults.push({
      ...{ kind: "slow", until: confirmation.promise },
      ...{ match: isReply, times: perPlatform },
    });
  await ask(gateway.url, conversations);
  answers.before.resolve();
  for (const platform of CHAT_PLATFORMS) await platforms[platform].waitFor(isReply, perPlatform, 60_000);
  await eventually(async () => expect(model.calls).toHaveLength(conversations.length), 60_000);
  return conversations;
}

async function statusOf(url: string): Promise<number> {
  return (await fetch(url)).status;
}

describe.each(PLACES)("%s, for longer than a lease, while runs are in hand", (_, open) => {
  it("costs no second call of a model and no second word", { timeout: 180_000 }, async () => {
    const moments = new Moments();
    await using platforms = await openPlatforms();
    await using model = await startModelServer(new Dice(1), Date.now, moments.thinks);
    await using place = await open();
    await using gateway = await startOn(place, model, platforms);
    const conversations = await inHand(gateway, moments, model, platforms);

    await place.begin(gateway.pid);
    await eventually(async () => expect(await statusOf(`${gateway.url}/ready`)).toBe(503), 30_000);
    moments.answers.during.resolve();
    moments.confirmation.resolve();
    await sleep(OUTAGE_MS);
    expect(await statusOf(`${gateway.url}/ready`)).toBe(503);
    await place.end(gateway.pid);
    moments.answers.after.resolve();

    await scrapeWhenIdle(gateway.url, 60_000);
    const { lost, duplicated, reordered, marked } = judgeReplies(allRecords(platforms), conversations);
    expect({ lost, duplicated, reordered, marked }).toEqual({
      ...{ lost: [], duplicated: [], reordered: [], marked: 0 },
    });
    expect(model.calls.map(({ topic }) => topic).sort()).toEqual(
      conversations.flatMap(({ asked }) => asked.map(({ topic }) => topic)).sort(),
    );
    expect(await gateway.end("SIGTERM")).toBe(0);
  });
});

it("told to stop while its disk takes nothing, it says what is lost, fails, and nothing said is repeated unmarked", {
  timeout: 180_000,
}, async () => {
  const moments = new Moments();
  await using platforms = await openPlatforms();
  await using model = await startModelServer(new Dice(1), Date.now, moments.thinks);
  await using place = onDisk(refusingDisk());
  await using gateway = await startOn(place, model, platforms);
  const conversations = await inHand(gateway, moments, model, platforms);
  moments.answers.after.resolve();
  await place.begin(gateway.pid);
  await eventually(async () => expect(await statusOf(`${gateway.url}/ready`)).toBe(503), 30_000);
  moments.answers.during.resolve();
  moments.confirmation.resolve();
  await gateway.logged("event.settle_failed");
  expect(await gateway.end("SIGTERM")).toBe(1);
  expect(gateway.logLines()).toContainEqual(
    expect.objectContaining({
      level: "error",
      msg: "store.unwritten",
      runs: expect.any(Number),
      parts: CONVERSATIONS,
    }),
  );

  await using next = await startOn(place, model, platforms);
  await scrapeWhenIdle(next.url, 60_000);
  const { lost, duplicated, reordered } = judgeReplies(allRecords(platforms), conversations);
  expect({ lost, duplicated, reordered }).toEqual({ lost: [], duplicated: [], reordered: [] });
  expect(await next.end("SIGTERM")).toBe(0);
});
