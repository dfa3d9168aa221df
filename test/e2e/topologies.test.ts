import { expect, it } from "vitest";
import { startRedis } from "../support/redis.ts";
import { startRedisCluster, startReplica, startSentinel } from "../support/redis-topology.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";

/** A replica with these lines for `store.redis`. */
function replica(url: string, redis: string): Promise<GatewayProcess> {
  return startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(`${NO_LIMITS}  store: { redis: { ${redis} } }\n`),
    env: { REDIS_URL: url },
  });
}

it("two installations share a Cluster, and nothing else", async () => {
  await using cluster = await startRedisCluster();
  const url = cluster.nodes[0]?.url ?? "";
  await using one = await replica(url, "cluster: true");
  await using other = await replica(url, "cluster: true, prefix: other");
  expect(one.stderr()).toContain("Cluster of 3 masters");
  // The same delivery at both: each has never seen it.
  const question = { message: "hello", conversation: "c", id: "same", wait: 20 };
  for (const gateway of [one, other])
    expect(await ask(gateway.url, question)).toMatchObject({ status: 200, reply: "You said: hello" });
  const keys = (await Promise.all(cluster.nodes.map((node) => node.cli("KEYS", "*")))).flat() as string[];
  expect(keys.filter((key) => !/^\{(parley|other)\}:/.test(key))).toEqual([]);
  expect(new Set(keys.map((key) => key.split(":")[0]))).toEqual(new Set(["{parley}", "{other}"]));
  for (const gateway of [one, other]) expect(await gateway.end("SIGTERM")).toBe(0);
});

// A Sentinel that got no time for two seconds trusts nothing that it sees for thirty.
const TILTED = { timeout: 240_000 };

it("Sentinels move the master, and everything acknowledged is answered in order", TILTED, async () => {
  await using master = await startRedis();
  await using standby = await startReplica(master);
  await using sentinel = await startSentinel(master);
  // Only its credentials matter: the Sentinels know the place.
  await using gateway = await replica(
    "redis://127.0.0.1:1",
    `sentinel: { name: ${sentinel.name}, nodes: ["127.0.0.1:${sentinel.port}"] }, wait_replicas: 1`,
  );
  const say = (message: string, wait?: number) =>
    ask(gateway.url, { message, conversation: "c", id: message, ...(wait !== undefined && { wait }) });
  expect(await say("before", 20)).toMatchObject({ status: 200, reply: "You said: before" });

  await master.kill();
  expect(await say("without a master")).toMatchObject({ status: 200 });
  expect(await sentinel.failedOver()).toBe(standby.port);
  // The new master has no replica, so nothing can be on one: what comes waits in the spool.
  expect(await say("alone")).toMatchObject({ status: 200 });
  await master.restart();
  // Resolves with the first replica that has all there is, however it came to it.
  await standby.replicated(1);
  expect(await say("after", 60)).toMatchObject({ status: 200, reply: "You said: after" });
  expect(await gateway.end("SIGTERM")).toBe(0);
  const said = gateway.logLines().filter(({ msg }) => msg === "reply.sent");
  expect(said.map(({ event_id }) => event_id)).toEqual(
    ["before", "without a master", "alone", "after"].map((id) => `test:${id}`),
  );
});
