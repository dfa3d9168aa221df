import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { refuseUsedRedis } from "../../src/backup/redis-restore.ts";
import { call } from "../cli/helpers.ts";
import { startRedisCluster } from "../support/redis-topology.ts";
import { aPlace, backUp } from "./archives.ts";

it("puts nothing into a node of a Cluster that is taken for a server of its own", async () => {
  await using cluster = await startRedisCluster();
  for (const { url } of cluster.nodes)
    await expect(refuseUsedRedis({ url: new URL(url), tls: null, prefix: "parley" })).rejects.toThrow(
      /Expected a Redis with one address, got a node of a Cluster .* --no-redis/,
    );
});

it.each([
  ["Cluster", "cluster: true"],
  ["Sentinel", 'sentinel: { name: main, nodes: ["127.0.0.1:26379"] }'],
])("says what to do where the configuration has a %s, and touches nothing", async (what, option) => {
  const place = aPlace({
    store: "redis",
    async takeRedis(to) {
      writeFileSync(to, "a snapshot");
      return 1;
    },
  });
  const { archive } = await backUp(place);
  const file = join(place.configFolder, "gateway.yaml");
  writeFileSync(file, `apiVersion: parley/v1\nkind: Gateway\nspec:\n  store: { redis: { ${option} } }\n`);
  const env = {
    PARLEY_CONFIG: place.configFolder,
    PARLEY_DATA_DIR: place.dataDir,
    REDIS_URL: "redis://127.0.0.1:9",
  };
  const restored = await call(["restore", archive], { cwd: place.root, env });
  expect(restored).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`got a ${what}. Put the snapshot back`),
  });
  expect(await call(["restore", archive, "--no-redis"], { cwd: place.root, env })).toMatchObject({ code: 0 });
  expect(await call(["backup", "--to", "more"], { cwd: place.root, env })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Take snapshots on its nodes"),
  });
});
