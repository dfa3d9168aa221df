import { Redis } from "ioredis";
import { setAsideIn } from "../store/redis/set-aside.ts";
import { ArchiveError, describe, InUse } from "./manifest.ts";
import { addressOf, connectTo, type RedisPlace } from "./redis-place.ts";
import { withSnapshot } from "./redis-proof.ts";

export interface RedisTarget extends RedisPlace {
  /** Of the keys of this installation; what else the snapshot holds is not ours. */
  readonly prefix: string;
}

export interface RedisRestored {
  readonly keys: number;
  /** Events that are dead letters now, because they may have been answered after the backup. */
  readonly setAside: number;
  /** Takes it out again. */
  undo(): Promise<void>;
}

const COPIED_AT_ONCE = 200;

/**
 * Puts the keys of a snapshot into a Redis that has none of this prefix: what is there is never replaced. A server of our own
 * loads the snapshot first, and what waited is set aside there, so that no replica ever sees it waiting. Throws ArchiveError,
 * InUse where replicas are connected.
 */
export async function restoreRedis(
  file: string,
  server: string,
  target: RedisTarget,
  runsUnfinished: boolean,
): Promise<RedisRestored> {
  return await withSnapshot(file, server, async ({ path }) => {
    const from = new Redis(path, { lazyConnect: true, retryStrategy: null });
    const to = connectTo(target);
    try {
      await from.connect();
      await refuseUsed(to, target);
      const setAside = runsUnfinished ? 0 : await setAsideIn(from, target.prefix);
      const keys = await copy(from, to, target);
      if (keys === 0)
        throw new ArchiveError(
          `Expected keys with the prefix ${target.prefix} (store.redis.prefix) in the snapshot, got none`,
        );
      return { keys, setAside, undo: () => clear(target) };
    } finally {
      from.disconnect();
      to.disconnect();
    }
  });
}

/** Throws as `restoreRedis` does, before anything is touched. */
export async function refuseUsedRedis(target: RedisTarget): Promise<void> {
  const to = connectTo(target);
  try {
    await refuseUsed(to, target);
  } finally {
    to.disconnect();
  }
}

async function refuseUsed(to: Redis, target: RedisTarget): Promise<void> {
  const place = `Redis at ${addressOf(target.url)}`;
  let replicas: number;
  let found: boolean;
  let isNode: boolean;
  try {
    if (to.status === "wait") await to.connect();
    isNode = /^cluster_enabled:1/m.test(await to.info("cluster"));
    const listening = await Promise.all([to, ...(target.others ?? [])].map((one) => gatewaysOn(one, target)));
    replicas = listening.reduce((sum, count) => sum + count, 0);
    found = !(await keysOf(to, target.prefix).next()).done;
  } catch (error) {
    throw new ArchiveError(`Expected to reach ${place}, got ${describe(error)}`, { cause: error });
  }
  // What it says of its keys says nothing of those of the others.
  if (isNode && target.others === undefined)
    throw new ArchiveError(
      `Expected a Redis with one address, got a node of a Cluster at ${place}. Set store.redis.cluster to true.`,
    );
  if (replicas > 0)
    throw new InUse(`Expected no gateway to use ${place}, got ${replicas} that do; stop them first`);
  if (found)
    throw new ArchiveError(
      `Expected nothing with the prefix ${target.prefix} in ${place}, got keys, which stay as they are. Restore into an empty ` +
        "Redis, or under another store.redis.prefix.",
    );
}

/** Each node of a Cluster knows those alone that listen there. */
async function gatewaysOn(node: Redis | URL, { tls, prefix }: RedisTarget): Promise<number> {
  const client = node instanceof URL ? connectTo({ url: node, tls }) : node;
  try {
    if (client.status === "wait") await client.connect();
    const [, count] = (await client.pubsub("NUMSUB", `{${prefix}}:bus`)) as [string, number];
    return Number(count);
  } finally {
    if (client !== node) client.disconnect();
  }
}

async function* keysOf(client: Redis, prefix: string): AsyncGenerator<Buffer[], void> {
  const match = `{${prefix.replace(/[*?[\]\\]/g, "\\$&")}}:*`;
  for (let cursor = "0"; ; ) {
    const [next, keys] = await client.scanBuffer(cursor, "MATCH", match, "COUNT", COPIED_AT_ONCE);
    if (keys.length > 0) yield keys;
    cursor = next.toString();
    if (cursor === "0") return;
  }
}

async function copy(from: Redis, to: Redis, target: RedisTarget): Promise<number> {
  let count = 0;
  const seen = new Set<string>();
  try {
    for await (const found of keysOf(from, target.prefix)) {
      // A scan may name one twice.
      const keys = found.filter((key) => !seen.has(key.toString("latin1")));
      for (const key of keys) seen.add(key.toString("latin1"));
      const texts = await Promise.all(keys.map((key) => from.dumpBuffer(key)));
      const leftMs = await Promise.all(keys.map((key) => from.pttl(key)));
      await Promise.all(
        keys.map(async (key, index) => {
          const text = texts[index];
          if (text) await to.restore(key, Math.max(0, leftMs[index] ?? 0), text);
        }),
      );
      count += keys.length;
    }
    return count;
  } catch (error) {
    await clear(target).catch(() => {});
    throw new ArchiveError(
      `Could not put the snapshot into Redis, and took out what was put there: ${describe(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** All of the prefix: there was nothing before. */
async function clear(target: RedisTarget): Promise<void> {
  const to = connectTo(target);
  try {
    await to.connect();
    for await (const keys of keysOf(to, target.prefix)) await to.unlink(keys);
  } finally {
    to.disconnect();
  }
}
