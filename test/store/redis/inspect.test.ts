import { describe, expect, it } from "vitest";
import { type Inspection, judge } from "../../../src/store/redis/inspect.ts";
import { type RedisOptions, startRedis } from "../../support/redis.ts";
import { startReplica } from "../../support/redis-topology.ts";
import { openInEarnest } from "./setup.ts";

const SAFE: Inspection = {
  version: "7.0.15",
  evictionPolicy: "noeviction",
  role: "master",
  isAppendOnly: true,
  fsync: "always",
};

const verdict = (changes: Partial<Inspection>, acceptLoss = false) =>
  judge([{ ...SAFE, ...changes }], acceptLoss);

describe("a server is judged", () => {
  it.each([
    ["power", { fsync: "always" }, "appendfsync always: what was acknowledged survives a power cut"],
    [
      "process",
      { fsync: "everysec" },
      "appendfsync everysec: what was acknowledged survives a crash of Redis",
    ],
    ["process", { fsync: "no" }, "may take what the system had not written"],
    ["process", { fsync: null }, "appendfsync unknown: what was acknowledged survives a crash of Redis"],
  ] as const)("as one that keeps over %s (%o)", (durability, changes, why) => {
    expect(verdict(changes)).toEqual({ durability, report: expect.stringContaining(why) });
    expect(verdict(changes).report).toMatch(/^Redis 7\.0\.15, /);
  });

  it("as one that keeps nothing, where that was accepted", () => {
    expect(verdict({ isAppendOnly: false }, true)).toEqual({
      durability: "none",
      report:
        "Redis 7.0.15, appendonly no: what was acknowledged is lost when Redis crashes, as was accepted",
    });
  });

  it.each([
    [{ isAppendOnly: false }, "expected appendonly yes, got no"],
    [{ evictionPolicy: "allkeys-lru" }, "expected maxmemory-policy noeviction, got allkeys-lru"],
    [{ evictionPolicy: "" }, "expected maxmemory-policy noeviction, got no answer"],
    [{ version: "6.2.14" }, "expected Redis 7.0 or newer, got 6.2.14"],
  ])("as unsafe (%o)", (changes, why) => {
    expect(() => verdict(changes)).toThrow(
      expect.objectContaining({ code: "STORE_UNSAFE", message: expect.stringContaining(why) }),
    );
  });

  it.each([{ evictionPolicy: "volatile-ttl" }, { version: "6.0.0" }])(
    "as unsafe whatever loss is accepted (%o)",
    (changes) => {
      expect(() => verdict(changes, true)).toThrow(expect.objectContaining({ code: "STORE_UNSAFE" }));
    },
  );

  it.each(["7.2.4", "8.0.1", "10.1.0"])("by its version as a number (%s)", (version) => {
    expect(verdict({ version }).durability).toBe("power");
  });

  it("by the weakest of a Cluster", () => {
    const nodes = [SAFE, { ...SAFE, fsync: "everysec" } as const, SAFE];
    expect(judge(nodes, false)).toEqual({
      durability: "process",
      report: expect.stringContaining("Redis 7.0.15 Cluster of 3 masters, appendfsync everysec"),
    });
    expect(() => judge([SAFE, { ...SAFE, isAppendOnly: false }], false)).toThrow("appendonly yes");
  });
});

describe("a store that is opened", () => {
  const openWith = async (options: RedisOptions, acceptLoss = false) => {
    await using redis = await startRedis(options);
    await using store = await openInEarnest({ url: redis.url }, { acceptLoss });
    return { durability: store.durability, report: store.report };
  };

  it.each([
    ["always", "power"],
    ["everysec", "process"],
    ["no", "process"],
  ] as const)("knows what appendfsync %s is worth", async (fsync, durability) => {
    const opened = await openWith({ fsync });
    expect(opened).toEqual({ durability, report: expect.stringContaining(`appendfsync ${fsync}:`) });
  });

  it("refuses a server that keeps nothing, unless told to accept that", async () => {
    await expect(openWith({ fsync: "off" })).rejects.toMatchObject({
      code: "STORE_UNSAFE",
      message: expect.stringContaining("accept_loss"),
    });
    expect(await openWith({ fsync: "off" }, true)).toMatchObject({ durability: "none" });
  });

  it("refuses a server that evicts", async () => {
    const evicting = { args: ["--maxmemory-policy", "allkeys-lru"] };
    await expect(openWith(evicting, true)).rejects.toMatchObject({
      code: "STORE_UNSAFE",
      message: expect.stringContaining("got allkeys-lru"),
    });
  });

  it("refuses a replica", async () => {
    await using master = await startRedis();
    await using replica = await startReplica(master);
    await expect(openInEarnest({ url: replica.url })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("expected a master, got a replica"),
    });
  });

  it("does with a server that hides its settings, and says so", async () => {
    const opened = await openWith({ fsync: "always", args: ["--rename-command", "CONFIG", ""] });
    expect(opened).toEqual({
      durability: "process",
      report: expect.stringContaining("appendfsync unknown"),
    });
  });
});
