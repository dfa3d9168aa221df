import { afterAll, beforeAll } from "vitest";
import { storeContract } from "../../contract/store.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { connectionTo, storeUnderTest } from "./setup.ts";

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis({ fsync: "no" });
});
afterAll(() => redis[Symbol.asyncDispose]());

storeContract("redis", (options) => storeUnderTest(connectionTo(redis.url), options));
