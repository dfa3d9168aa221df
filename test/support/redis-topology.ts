import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.ts";
import { type RedisOptions, type RedisServer, startOnFreePort, startRedis } from "./redis.ts";
import { toolPath } from "./tools.ts";

const SLOTS = 16_384;
const MASTERS = 3;

export interface RedisCluster extends AsyncDisposable {
  /** Masters without replicas, each with a third of the slots. */
  readonly nodes: readonly RedisServer[];
}

/** Resolves when every node holds the cluster to be whole. That takes two seconds, which Redis has built in. */
export async function startRedisCluster(options: RedisOptions = {}): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: MASTERS }, () => startClusterNode(options)));
  const [first] = nodes;
  for (const [index, node] of nodes.entries()) {
    const from = Math.floor((SLOTS * index) / MASTERS);
    const to = Math.floor((SLOTS * (index + 1)) / MASTERS) - 1;
    await node.cli("CLUSTER", "ADDSLOTSRANGE", from, to);
    await node.cli("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
    const { busPort } = node;
    if (node !== first) await first?.cli("CLUSTER", "MEET", "127.0.0.1", node.port, busPort);
  }
  await Promise.all(nodes.map((node) => node.said("Cluster state changed: ok")));
  return {
    nodes,
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
    },
  };
}

async function startClusterNode(options: RedisOptions): Promise<RedisServer & { readonly busPort: number }> {
  const busPort = await freePort();
  const cluster = ["--cluster-enabled", "yes", "--cluster-port", String(busPort)];
  const timing = ["--cluster-node-timeout", "2000"];
  const server = await startRedis({ ...options, args: [...cluster, ...timing, ...(options.args ?? [])] });
  return Object.assign(server, { busPort });
}

/** Resolves when it holds what the master holds. */
export async function startReplica(of: RedisServer, options: RedisOptions = {}): Promise<RedisServer> {
  const args = ["--replicaof", `127.0.0.1 ${of.port}`, ...(options.args ?? [])];
  const replica = await startRedis({ ...options, args });
  await replica.said("MASTER <-> REPLICA sync: Finished with success");
  return replica;
}

export interface RedisSentinel extends AsyncDisposable {
  readonly port: number;
  /** What it calls the master. */
  readonly name: string;
  /** Resolves with the port of the new master after a failover. */
  failedOver(): Promise<number>;
}

/** One is enough for a test: it alone decides. Resolves when it knows the master and a replica of it. */
export async function startSentinel(master: RedisServer, name = "parley"): Promise<RedisSentinel> {
  const folder = mkdtempSync(join(tmpdir(), "parley-sentinel-"));
  const { port, child } = await startOnFreePort((port) => {
    const file = join(folder, "sentinel.conf");
    writeFileSync(file, sentinelConfiguration({ port, folder, name, masterPort: master.port }));
    return [toolPath("redis-server"), file, "--sentinel"];
  }, "+slave slave");
  return {
    port,
    name,
    failedOver: async () => Number(await child.said("stdout", /\+switch-master .* (\d+)$/m)),
    async [Symbol.asyncDispose]() {
      await child.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface SentinelOptions {
  readonly port: number;
  readonly folder: string;
  readonly name: string;
  readonly masterPort: number;
}

function sentinelConfiguration({ port, folder, name, masterPort }: SentinelOptions): string {
  return `port ${port}
bind 127.0.0.1
dir ${folder}
sentinel monitor ${name} 127.0.0.1 ${masterPort} 1
sentinel down-after-milliseconds ${name} 500
sentinel failover-timeout ${name} 2000
`;
}
