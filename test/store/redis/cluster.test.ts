import { afterAll, beforeAll } from "vitest";
import { storeContract } from "../../contract/store.ts";
import { type RedisCluster, startRedisCluster } from "../../support/redis-topology.ts";
import { connectionTo, storeUnderTest } from "./setup.ts";

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster({ fsync: "no" });
});
afterAll(() => cluster[Symbol.asyncDispose]());

storeContract("redis cluster", (options) =>
  storeUnderTest(connectionTo(cluster.nodes[0]?.url ?? "", { cluster: true }), options),
);
