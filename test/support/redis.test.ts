import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { startRedis } from "./redis.ts";
import { startRedisCluster, startReplica, startSentinel } from "./redis-topology.ts";

describe("a Redis of a test", () => {
  it("keeps over SIGKILL what it has acknowledged, on the same port", async () => {
    await using redis = await startRedis();
    const { port } = redis;
    expect(await redis.cli("SET", "a", "1")).toBe("OK");
    expect(await redis.kill()).toBe("SIGKILL");
    await expect(redis.cli("GET", "a")).rejects.toThrow();
    await redis.restart();
    expect(redis.port).toBe(port);
    expect(await redis.cli("GET", "a")).toBe("1");
  });

  it("forgets everything without an append-only file, also when it is told to stop", async () => {
    await using redis = await startRedis({ fsync: "off" });
    await redis.cli("SET", "a", "1");
    expect(await redis.stop()).toBe(0);
    await redis.restart();
    expect(await redis.cli("GET", "a")).toBeNull();
  });

  it("is set up as asked, and evicts nothing", async () => {
    await using redis = await startRedis({ fsync: "everysec", maxMemory: "3mb" });
    const setting = async (name: string) => ((await redis.cli("CONFIG", "GET", name)) as string[])[1];
    expect(await setting("appendonly")).toBe("yes");
    expect(await setting("appendfsync")).toBe("everysec");
    expect(await setting("maxmemory-policy")).toBe("noeviction");
    await expect(
      redis.cli("SET", "a", "x".repeat(4_000_000)).then(() => redis.cli("SET", "b", "1")),
    ).rejects.toThrow("OOM");
  });

  it("answers nobody while it is paused, and then all", async () => {
    await using redis = await startRedis();
    await using other = await startRedis();
    redis.pause();
    let isAnswered = false;
    const answer = redis.cli("PING").finally(() => {
      isAnswered = true;
    });
    expect(await other.cli("PING")).toBe("PONG");
    expect(isAnswered).toBe(false);
    redis.resume();
    expect(await answer).toBe("PONG");
  });

  it("answers late during CLIENT PAUSE", async () => {
    await using redis = await startRedis();
    const startedAt = performance.now();
    await redis.clientPause(300);
    expect(await redis.cli("PING")).toBe("PONG");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(295);
  });

  it("loses everything to FLUSHALL", async () => {
    await using redis = await startRedis();
    await redis.cli("SET", "a", "1");
    await redis.flushAll();
    expect(await redis.cli("DBSIZE")).toBe(0);
  });

  it("leaves nothing behind, stopped or not", async () => {
    const redis = await startRedis();
    redis.pause();
    await redis[Symbol.asyncDispose]();
    expect(() => process.kill(redis.pid, 0)).toThrow("ESRCH");
    expect(existsSync(redis.folder)).toBe(false);
  });

  it("says why it does not start", async () => {
    const start = startRedis({ args: ["--no-such-option", "1"] });
    await expect(start).rejects.toThrow(/ended with 1:\s[\s\S]*no-such-option/);
  });

  it("gives up where each port that it tries is taken", async () => {
    await using other = await startRedis();
    const start = startRedis({ args: ["--port", String(other.port)] });
    await expect(start).rejects.toThrow("Address already in use");
  });
});

describe("a cluster", () => {
  it("has every slot on one of three masters, and each sends to the others what is theirs", async () => {
    await using cluster = await startRedisCluster();
    const answers = await Promise.all(
      cluster.nodes.map((node) => node.cli("SET", "{a}", "1").then(String, (error: Error) => error.message)),
    );
    // Key {a} is in slot 15495, the last third.
    const owner = cluster.nodes[2]?.port;
    expect(answers).toEqual([`MOVED 15495 127.0.0.1:${owner}`, `MOVED 15495 127.0.0.1:${owner}`, "OK"]);
  });
});

describe("a replica under a sentinel", () => {
  it("becomes the master when the master dies", async () => {
    await using master = await startRedis();
    await using replica = await startReplica(master);
    await using sentinel = await startSentinel(master);
    await master.cli("SET", "a", "1");
    await master.replicated(1);
    await master.kill();
    expect(await sentinel.failedOver()).toBe(replica.port);
    await replica.said("MASTER MODE enabled");
    expect(await replica.cli("GET", "a")).toBe("1");
    expect(await replica.cli("SET", "a", "2")).toBe("OK");
  });
});
