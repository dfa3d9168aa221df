import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytesOf, mediaContract, streamOf } from "../../contract/media.ts";
import { FakeClock } from "../../support/clock.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { openBench } from "./bench.ts";
import { newPrefix } from "./setup.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ fsync: "no" });
});
afterAll(() => redis[Symbol.asyncDispose]());

async function place() {
  const clock = new FakeClock();
  const prefix = newPrefix();
  let opened = 0;
  return {
    clock,
    prefix,
    async open(totalBytes = 1e9) {
      const { store } = await openBench(redis, { clock, prefix, owner: `o${++opened}` });
      return store.mediaWithin({ fileBytes: 1e6, totalBytes });
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

mediaContract("Redis", place);

describe("files in Redis", () => {
  const KEY = { conversation: "c", id: "f" };

  it("are no larger than Redis may have them, whatever their sender may", async () => {
    const at = await place();
    const { store } = await openBench(redis, { prefix: at.prefix });
    const media = store.mediaWithin({ fileBytes: 3, totalBytes: 100 });
    await expect(media.put(KEY, streamOf("four"), 100)).rejects.toMatchObject({ why: "too-large" });
  });

  it("leave nothing behind, and many of them go as well as one", async () => {
    const at = await place();
    const media = await at.open();
    for (let n = 0; n < 300; n++)
      await media.put({ conversation: `c${n % 2}`, id: String(n) }, streamOf("x"), 9);
    await media.forget("c0");
    expect(await media.usage()).toEqual({ files: 150, bytes: 150 });
    at.clock.advance(2);
    expect(await media.sweep(1)).toBe(150);
    const keys = (await redis.cli("KEYS", `{${at.prefix}}:m*`)) as string[];
    expect(keys.filter((key) => !key.endsWith(":meta"))).toEqual([]);
  });

  it("are there once, though two replicas bring them at the same time", async () => {
    const at = await place();
    const [one, other] = [await at.open(), await at.open()];
    const sizes = await Promise.all([
      one.put(KEY, streamOf("first"), 99),
      other.put(KEY, streamOf("second"), 99),
    ]);
    const kept = await bytesOf(await one.find(KEY));
    expect(sizes).toEqual([kept?.length, kept?.length]);
    expect(await other.usage()).toEqual({ files: 1, bytes: kept?.length });
  });
});
