import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { proveSnapshot } from "../../src/backup/redis-proof.ts";
import { takeSnapshot } from "../../src/backup/redis-snapshot.ts";
import { verifyArchive } from "../../src/backup/verify.ts";
import { startRedis } from "../support/redis.ts";
import { toolPath } from "../support/tools.ts";
import { aPlace, backUp } from "./archives.ts";

const SERVER = toolPath("redis-server");

it("a snapshot of Redis is in the archive, whole, and another server has every key of it", async () => {
  await using redis = await startRedis();
  await redis.cli("MSET", ...Array.from({ length: 500 }, (_, n) => [`key:${n}`, "x".repeat(1_000)]).flat());
  const url = new URL(redis.url);
  const place = aPlace({
    store: "redis",
    async takeRedis(to) {
      await takeSnapshot({ url, tls: null }, to);
      return await proveSnapshot(to, SERVER);
    },
  });
  const { archive, manifest } = await backUp(place);
  expect(manifest).toMatchObject({ redis_keys: 500, left_out: [], events: null });
  expect(await verifyArchive(archive)).toEqual(manifest);
  await using next = await startRedis({ fsync: "off" });
  copyFileSync(join(archive, "redis/dump.rdb"), join(next.folder, "dump.rdb"));
  await next.kill();
  await next.restart();
  expect(await next.cli("DBSIZE")).toBe(500);
  expect(await next.cli("GET", "key:499")).toBe("x".repeat(1_000));
});

it("a snapshot with a byte that is another one proves nothing", async () => {
  await using redis = await startRedis();
  await redis.cli("SET", "key", "x".repeat(10_000));
  const file = join(aPlace().root, "dump.rdb");
  await takeSnapshot({ url: new URL(redis.url), tls: null }, file);
  expect(await proveSnapshot(file, SERVER)).toBe(1);
  const bytes = readFileSync(file);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  await expect(proveSnapshot(file, SERVER)).rejects.toThrow(/to load .*dump\.rdb, got an end with 1/);
  await expect(proveSnapshot(file, "/no/such/redis-server")).rejects.toThrow(/got no such program/);
});

it("a password is told, and a wrong one is a refusal of which nothing is left", async () => {
  await using redis = await startRedis({ args: ["--requirepass", "right"] });
  const { root } = aPlace();
  const at = (password: string) => ({
    url: new URL(redis.url.replace("redis://", `redis://:${password}@`)),
    tls: null,
  });
  await takeSnapshot(at("right"), join(root, "right.rdb"));
  expect(readFileSync(join(root, "right.rdb")).toString("latin1", 0, 5)).toBe("REDIS");
  await expect(takeSnapshot(at("wrong"), join(root, "wrong.rdb"))).rejects.toThrow(
    /from Redis at .*, got WRONGPASS/,
  );
});

it("a Redis that is not there is said to be so", async () => {
  const redis = await startRedis();
  await redis[Symbol.asyncDispose]();
  await expect(
    takeSnapshot({ url: new URL(redis.url), tls: null }, join(aPlace().root, "dump.rdb")),
  ).rejects.toThrow(/Expected a snapshot from Redis at .*, got .*ECONNREFUSED/);
});
