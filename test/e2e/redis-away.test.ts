import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, runToItsEnd, startGateway, temporaryFolder } from "./gateway-process.ts";
import { allRecords, judgeReplies } from "./judge.ts";
import { type Conversation, nextQuestion, openConversations } from "./load.ts";
import { deliver, openPlatforms, type Platforms } from "./platforms.ts";
import { scrapeWhenIdle } from "./scrape.ts";

const CONVERSATIONS = 120;
const SPOOL = `${NO_LIMITS}  store: { spool: on }\n`;

/** Platforms of its own for each test: all ask the same. */
function replicaOf(redisUrl: string, platforms: Platforms): Promise<GatewayProcess> {
  return startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(SPOOL),
    env: { ...platforms.env, REDIS_URL: redisUrl },
  });
}

/**
 * Each conversation's next message, all at once, each sent once. Gives what was not 200: the gateway itself answers 503
 * when the platform would not wait any longer.
 */
async function askAll(
  url: string,
  conversations: readonly Conversation[],
  times: number[] = [],
): Promise<readonly number[]> {
  const statuses = await Promise.all(
    conversations.map(async (conversation) => {
      const question = nextQuestion(conversation);
      const startedAt = performance.now();
      const { status } = await deliver(url, question.request);
      times.push(performance.now() - startedAt);
      question.isAcknowledged = status === 200;
      return status;
    }),
  );
  return statuses.filter((status) => status !== 200);
}

/** Everything acknowledged was answered once and in order. */
function judged(platforms: Platforms, conversations: readonly Conversation[]) {
  const { lost, duplicated, reordered } = judgeReplies(allRecords(platforms), conversations);
  return { lost, duplicated, reordered };
}

const CLEAN = { lost: [], duplicated: [], reordered: [] };

async function statusOf(url: string): Promise<number> {
  return (await fetch(url)).status;
}

describe("a Redis that stands still under a replica with a spool", () => {
  it.each<[string, (redis: RedisServer) => Promise<void>, (redis: RedisServer) => void]>([
    ["stopped", async (redis) => redis.pause(), (redis) => redis.resume()],
    ["paused by CLIENT PAUSE", (redis) => redis.clientPause(8_000), () => {}],
  ])("(%s) costs no webhook", async (_, hush, wake) => {
    await using platforms = await openPlatforms();
    await using redis = await startRedis();
    await using gateway = await replicaOf(redis.url, platforms);
    const conversations = openConversations(CONVERSATIONS);
    const figures: string[] = [];
    const ask = async (when: string) => {
      const times: number[] = [];
      expect(await askAll(gateway.url, conversations, times)).toEqual([]);
      figures.push(`${when} ${Math.round(Math.max(...times))} ms`);
    };
    await ask("before");
    await hush(redis);
    await ask("first in the silence");
    await ask("later in it");
    wake(redis);
    await ask("right after it");
    console.info(`${CONVERSATIONS} webhooks at once, slowest acknowledgement: ${figures.join(", ")}`);
    await scrapeWhenIdle(gateway.url, 60_000);
    expect(judged(platforms, conversations)).toEqual(CLEAN);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });

  it("costs no webhook of one that stood still itself meanwhile", async () => {
    await using platforms = await openPlatforms();
    await using redis = await startRedis();
    await using gateway = await replicaOf(redis.url, platforms);
    const conversations = openConversations(CONVERSATIONS);
    expect(await askAll(gateway.url, conversations)).toEqual([]);
    redis.pause();
    process.kill(gateway.pid, "SIGSTOP");
    const inSocket = askAll(gateway.url, conversations);
    await sleep(4_000);
    process.kill(gateway.pid, "SIGCONT");
    expect((await inSocket).filter((status) => status !== 408)).toEqual([]);
    expect(await askAll(gateway.url, conversations)).toEqual([]);
    redis.resume();
    expect(await askAll(gateway.url, conversations)).toEqual([]);
    await scrapeWhenIdle(gateway.url, 60_000);
    expect(judged(platforms, conversations)).toEqual(CLEAN);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });
});

describe("a replica that stood still while its Redis was well", () => {
  // The second is longer than the client lets a connection be silent.
  it.each([3_000, 12_000])("(for %i ms) refuses nothing, and keeps the order", async (frozenMs) => {
    await using platforms = await openPlatforms();
    await using redis = await startRedis();
    await using gateway = await replicaOf(redis.url, platforms);
    const conversations = openConversations(CONVERSATIONS);
    const [before, during] = [conversations.slice(0, 15), conversations.slice(15)];
    expect(await askAll(gateway.url, conversations)).toEqual([]);

    // Some are in hand, and some wait in its socket.
    const inHand = askAll(gateway.url, before);
    process.kill(gateway.pid, "SIGSTOP");
    const inSocket = askAll(gateway.url, during);
    await sleep(frozenMs);
    process.kill(gateway.pid, "SIGCONT");
    // A request that came in part before may have had its time; none is refused for a store that is well.
    expect([...(await inHand), ...(await inSocket)].filter((status) => status !== 408)).toEqual([]);
    expect(await askAll(gateway.url, conversations)).toEqual([]);

    // Connections to a platform that were closed meanwhile all break at once, and it may be left alone for a minute.
    const metrics = await scrapeWhenIdle(gateway.url, 120_000);
    // It asked a Redis that was well: what is spooled could be overtaken on another replica.
    expect(metrics.value("parley_spooled_total")).toBe(0);
    expect(judged(platforms, conversations)).toEqual(CLEAN);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });
});

describe("a replica that is started while its Redis is away", () => {
  it("takes webhooks into its spool, is not ready, and begins when Redis is there", async () => {
    await using platforms = await openPlatforms();
    await using redis = await startRedis();
    await redis.kill();
    await using gateway = await replicaOf(redis.url, platforms);
    const conversations = openConversations(CONVERSATIONS);
    expect(await askAll(gateway.url, conversations)).toEqual([]);
    expect(await askAll(gateway.url, conversations)).toEqual([]);
    expect(await statusOf(`${gateway.url}/ready`)).toBe(503);
    expect(await statusOf(`${gateway.url}/ready/webhooks`)).toBe(200);
    await gateway.logged(/ECONNREFUSED.*Started without it/);
    expect(allRecords(platforms)).toEqual([]);

    await redis.restart();
    await gateway.logged(/Redis can be used after \d+ s\. Redis \d/);
    expect(await askAll(gateway.url, conversations)).toEqual([]);
    await scrapeWhenIdle(gateway.url, 60_000);
    expect(judged(platforms, conversations)).toEqual(CLEAN);
    expect(await statusOf(`${gateway.url}/ready`)).toBe(200);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });

  it("says what is wrong with the Redis that comes, and begins once that is mended", async () => {
    await using platforms = await openPlatforms();
    await using redis = await startRedis({ args: ["--maxmemory-policy", "allkeys-lru"] });
    await redis.kill();
    await using gateway = await replicaOf(redis.url, platforms);
    const conversations = openConversations(CONVERSATIONS);
    await redis.restart();
    await gateway.logged(/expected maxmemory-policy noeviction, got allkeys-lru/);
    const ready = await fetch(`${gateway.url}/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      components: { store: { status: "failed", code: "STORE_UNSAFE" } },
    });
    expect(await askAll(gateway.url, conversations)).toEqual([]);

    await redis.cli("CONFIG", "SET", "maxmemory-policy", "noeviction");
    await eventually(async () => expect(await statusOf(`${gateway.url}/ready`)).toBe(200), 60_000);
    await scrapeWhenIdle(gateway.url, 60_000);
    expect(judged(platforms, conversations)).toEqual(CLEAN);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });

  it("ends when it is told to, and keeps what it took", async () => {
    await using platforms = await openPlatforms();
    const redisUrl = `redis://127.0.0.1:${await freePort()}`;
    await using gateway = await replicaOf(redisUrl, platforms);
    expect(await askAll(gateway.url, openConversations(8))).toEqual([]);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });

  it("ends with 69 where it has no spool", async () => {
    await using platforms = await openPlatforms();
    const { ending, stderr } = await runToItsEnd({
      dataDir: temporaryFolder(),
      config: configFolder(`${NO_LIMITS}  store: { spool: off }\n`),
      env: { ...platforms.env, REDIS_URL: `redis://127.0.0.1:${await freePort()}` },
    });
    expect([ending, stderr]).toEqual([69, expect.stringContaining("ECONNREFUSED")]);
  });
});
