import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { placeBehindSentinels, placeInCluster } from "../../src/backup/redis-place.ts";
import { type RedisTarget, refuseUsedRedis, restoreRedis } from "../../src/backup/redis-restore.ts";
import { takeSnapshot } from "../../src/backup/redis-snapshot.ts";
import { call } from "../cli/helpers.ts";
import { connectionTo, openOn } from "../store/redis/setup.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { startRedis } from "../support/redis.ts";
import { startRedisCluster, startReplica, startSentinel } from "../support/redis-topology.ts";
import { anOffer } from "../support/store.ts";
import { toolPath } from "../support/tools.ts";
import { aPlace } from "./archives.ts";

const SERVER = toolPath("redis-server");
const LIMITS = { waitingPerLaneMax: 100, waitingMax: 1_000 };
const sourceOf = (url: string) => ({ url: new URL(url), tls: null });

function open(url: string, more: Partial<ReturnType<typeof connectionTo>>, prefix: string) {
  const environment = { clock: new FakeClock(Date.now()), limits: LIMITS };
  return openOn({ ...connectionTo(url), ...more }, environment, { prefix, owner: prefix });
}

/** Three events that wait there, and a snapshot of that. */
async function kept(
  source: RedisTarget,
  { url, more = {} }: { url: string; more?: Partial<ReturnType<typeof connectionTo>> },
): Promise<string> {
  const { store } = await open(url, more, source.prefix);
  for (const id of ["one", "two", "three"])
    await store.inbox.accept(anOffer(anEvent({ id, conversation: id }), { busy: "collect" }));
  await expect(refuseUsedRedis(source)).rejects.toThrow("Expected no gateway to use Redis at");
  await store[Symbol.asyncDispose]();
  const file = join(aPlace().root, "dump.rdb");
  rmSync(file, { force: true });
  await takeSnapshot(source, file);
  return file;
}

it("a Cluster is backed up where our keys are, and restored into another, whichever node is named", async () => {
  await using before = await startRedisCluster();
  await using after = await startRedisCluster();
  const [first] = before.nodes;
  const [, , last] = after.nodes;
  if (first === undefined || last === undefined) throw new Error("Expected three nodes, got fewer");
  // Two installations, in slots of different masters.
  const places = await Promise.all(
    ["parley", "parley-sales"].map(async (prefix) => ({
      ...(await placeInCluster(sourceOf(first.url), prefix)),
      prefix,
    })),
  );
  expect(new Set(places.map(({ url }) => url.port)).size).toBe(2);
  for (const place of places) {
    const file = await kept(place, { url: first.url, more: { cluster: true } });
    const target = { ...(await placeInCluster(sourceOf(last.url), place.prefix)), prefix: place.prefix };
    await refuseUsedRedis(target);
    expect(await restoreRedis(file, SERVER, target, false)).toMatchObject({ setAside: 3 });
    await expect(refuseUsedRedis(target)).rejects.toThrow("which stay as they are");
    const { store } = await open(last.url, { cluster: true }, place.prefix);
    expect(
      (await store.journal.list({ limit: 9 })).map(({ id, state }) => `${id} ${state}`).toSorted(),
    ).toEqual(["one dead", "three dead", "two dead"]);
    expect(await store.upkeep.check()).toEqual({ findings: [], events: 3 });
    await store[Symbol.asyncDispose]();
  }
});

it("behind Sentinels it is the master that they name", async () => {
  await using master = await startRedis();
  await using _ = await startReplica(master);
  await using sentinel = await startSentinel(master);
  const sentinels = {
    name: sentinel.name,
    nodes: ["127.0.0.1:1", `127.0.0.1:${sentinel.port}`],
    password: null,
  };
  const place = {
    ...(await placeBehindSentinels(sourceOf("redis://ignored:9"), sentinels)),
    prefix: "parley",
  };
  expect(place.url.port).toBe(String(master.port));
  const file = await kept(place, { url: master.url });
  await master.cli("FLUSHALL");
  expect(await restoreRedis(file, SERVER, place, true)).toMatchObject({ setAside: 0 });
  await expect(
    placeBehindSentinels(sourceOf("redis://ignored:9"), { ...sentinels, name: "another" }),
  ).rejects.toThrow("a Sentinel that knows no another");
});

it("puts nothing into a node of a Cluster that is taken for a server of its own", async () => {
  await using cluster = await startRedisCluster();
  for (const { url } of cluster.nodes)
    await expect(refuseUsedRedis({ ...sourceOf(url), prefix: "parley" })).rejects.toThrow(
      /Expected a Redis with one address, got a node of a Cluster .* store\.redis\.cluster/,
    );
  const alone = await placeInCluster(sourceOf("redis://127.0.0.1:1"), "parley").catch(String);
  expect(alone).toContain("Expected a Cluster at 127.0.0.1:1, got");
});

it("parley backup and parley restore find the master by the configuration", async () => {
  await using before = await startRedisCluster();
  await using after = await startRedisCluster();
  const [first] = before.nodes;
  const [, second] = after.nodes;
  if (first === undefined || second === undefined) throw new Error("Expected three nodes, got fewer");
  const { store } = await open(first.url, { cluster: true }, "parley");
  await store.inbox.accept(anOffer(anEvent({ id: "one", conversation: "one" }), { busy: "collect" }));
  await store[Symbol.asyncDispose]();
  const place = aPlace({ store: "redis" });
  const spec = "apiVersion: parley/v1\nkind: Gateway\nspec:\n  store: { redis: { cluster: true } }\n";
  writeFileSync(join(place.configFolder, "gateway.yaml"), spec);
  const run = (url: string, ...args: readonly string[]) =>
    call(args, {
      cwd: place.root,
      env: { PARLEY_CONFIG: place.configFolder, PARLEY_DATA_DIR: place.dataDir, REDIS_URL: url },
    });
  const made = await run(first.url, "backup", "--to", "archives", "--redis-server", SERVER, "--json");
  expect(made).toMatchObject({ code: 0 });
  const { path } = JSON.parse(made.stdout) as { path: string };
  const restored = await run(second.url, "restore", path, "--redis-server", SERVER);
  expect(restored).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("keys were put back into Redis"),
  });
  const again = await run(second.url, "restore", path, "--redis-server", SERVER);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("which stay as they are") });
});
