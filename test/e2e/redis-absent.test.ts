import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { runToItsEnd, temporaryFolder } from "./gateway-process.ts";
import { allRecords } from "./judge.ts";
import { openConversations } from "./load.ts";
import { openPlatforms } from "./platforms.ts";
import { scrapeWhenIdle } from "./scrape.ts";
import { askAll, CLEAN, judged, replicaOf } from "./spooling-replica.ts";

/** So few that no machine is too busy to acknowledge them in time; how many it can is for `redis-away`. */
const CONVERSATIONS = 24;

async function statusOf(url: string): Promise<number> {
  return (await fetch(url)).status;
}

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
