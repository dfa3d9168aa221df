import type { Clock, Random } from "../../ports/clock.ts";
import type { RedisConnection } from "./connect.ts";
import { isRefusal } from "./errors.ts";
import { type Inspection, inspect, judge, refusalOf } from "./inspect.ts";
import { isUnavailable } from "./link.ts";
import { RedisLink } from "./redis-link.ts";
import { openStoreOn, type SharedStore } from "./store.ts";

export interface RedisStoreOptions {
  readonly connection: RedisConnection;
  /** All keys begin with `{prefix}:`, which puts them in one slot of a Cluster. */
  readonly prefix: string;
  /** Start although Redis keeps nothing over a crash. */
  readonly acceptLoss: boolean;
  /** Names this process: what an earlier one of the same name had claimed is taken back at once. */
  readonly owner: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: { readonly waitingPerLaneMax: number; readonly waitingMax: number };
  readonly log: (line: string) => void;
  /** How long to try to reach Redis. */
  readonly openMs?: number;
}

/** A Redis that starts at the same time, or fails over, has this long. */
const OPEN_MS = 15_000;
/** After it was lost once more just as it was there, or took nothing yet. */
const AGAIN_MS = 100;

/**
 * Opens the store that any number of processes share. Throws STORE_UNAVAILABLE when Redis cannot be reached, and
 * STORE_UNSAFE when it may lose what it is given. `report` tells in one line how safe it is.
 */
export async function openRedisStore(
  options: RedisStoreOptions,
): Promise<SharedStore & { readonly report: string }> {
  const { connection, prefix, acceptLoss, clock, random, log, openMs = OPEN_MS } = options;
  const giveUpAtMs = performance.now() + openMs;
  /** What the last Redis that was reached has said. */
  let said: unknown;
  for (;;) {
    const link = new RedisLink({ connection, key: `{${prefix}}:meta`, random, log });
    try {
      await link.open(giveUpAtMs - performance.now());
      said = null;
      const { durability, report } = judge(await inspect(link.client), acceptLoss);
      const store = await openStoreOn({ ...options, link, durability, time: "server" });
      return Object.assign(store, { report });
    } catch (error) {
      const { isRefused } = link;
      await link.close();
      // Such as one that still loads, or fails over.
      const mayPass = isUnavailable(error) && !isRefused && !isRefusal(error);
      if (!mayPass) throw error;
      if (said === null) said = error;
      // The last try may have had no time of its own.
      if (performance.now() + AGAIN_MS > giveUpAtMs) throw said ?? error;
      await clock.sleep(AGAIN_MS);
    }
  }
}

/**
 * For `parley doctor`: what the servers say, and what they say to a write, without opening or writing anything. Throws
 * STORE_UNAVAILABLE.
 */
export async function inspectRedis(
  connection: RedisConnection,
  random: Random,
): Promise<{ readonly nodes: readonly Inspection[]; readonly refusal: string | null }> {
  const link = new RedisLink({ connection, key: "{parley}:meta", random, log: () => {} });
  try {
    await link.open(3_000);
    return { nodes: await inspect(link.client), refusal: await refusalOf(link.client) };
  } finally {
    await link.close();
  }
}
