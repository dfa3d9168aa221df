import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { openConversations } from "./load.ts";
import { openPlatforms } from "./platforms.ts";
import { scrapeWhenIdle } from "./scrape.ts";
import { askAll, CLEAN, judged, replicaOf } from "./spooling-replica.ts";

const CONVERSATIONS = 120;

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
