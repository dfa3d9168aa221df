import { Redis } from "ioredis";
import { messageOf } from "../shared/fault.ts";
import { ArchiveError, describe } from "./manifest.ts";
import type { RedisSource } from "./redis-snapshot.ts";

/** Where the keys of one installation are. */
export interface RedisPlace extends RedisSource {
  /** Other nodes of the Cluster, over which gateways may listen, too. */
  readonly others?: readonly URL[];
}

interface Sentinels {
  readonly name: string;
  /** As `host:port`. */
  readonly nodes: readonly string[];
  readonly password: string | null;
}

const PATIENCE = { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 1, connectTimeout: 3_000 };

export function connectTo({ url, tls }: RedisSource): Redis {
  return new Redis(url.href, { ...PATIENCE, ...(tls !== null && { tls }) }).on("error", () => {});
}

/**
 * The master of a Cluster that has our keys: they are of one slot, by their tag. `node`: any of it. Throws ArchiveError.
 */
export async function placeInCluster(node: RedisSource, prefix: string): Promise<RedisPlace> {
  const client = connectTo(node);
  try {
    await client.connect();
    const slot = Number(await client.cluster("KEYSLOT", `{${prefix}}:`));
    const ranges = (await client.call("CLUSTER", "SLOTS")) as readonly SlotRange[];
    const [, , master] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [];
    if (master === undefined) throw new Error(`a Cluster in which nobody has the slot ${slot}`);
    const urlOf = (one: SlotNode) => elsewhere(node.url, one[0] || node.url.hostname, one[1]);
    const all = ranges.flatMap(([, , ...nodes]) => nodes.map((one) => urlOf(one).href));
    const url = urlOf(master);
    const others = [...new Set(all)].filter((href) => href !== url.href).map((href) => new URL(href));
    return { url, tls: node.tls, others };
  } catch (error) {
    throw new ArchiveError(`Expected a Cluster at ${addressOf(node.url)}, got ${describe(error)}`, {
      cause: error,
    });
  } finally {
    client.disconnect();
  }
}

type SlotNode = readonly [host: string, port: number, ...more: unknown[]];
type SlotRange = readonly [from: number, to: number, ...nodes: SlotNode[]];

/** The master that Sentinels name; the first of them that answers is believed. Throws ArchiveError. */
export async function placeBehindSentinels(source: RedisSource, sentinels: Sentinels): Promise<RedisPlace> {
  const faults: string[] = [];
  for (const node of sentinels.nodes) {
    const url = new URL(`${source.tls === null ? "redis" : "rediss"}://${node}`);
    if (url.port === "") url.port = "26379";
    if (sentinels.password !== null) url.password = encodeURIComponent(sentinels.password);
    const client = connectTo({ url, tls: source.tls });
    try {
      await client.connect();
      const found = await client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", sentinels.name);
      if (!Array.isArray(found)) throw new Error(`a Sentinel that knows no ${sentinels.name}`);
      return { url: elsewhere(source.url, String(found[0]), Number(found[1])), tls: source.tls };
    } catch (error) {
      faults.push(`${node}: ${messageOf(error)}`);
    } finally {
      client.disconnect();
    }
  }
  throw new ArchiveError(`Expected a Sentinel to name the master, got ${faults.join("; ")}`);
}

/** With the user, password and database of what the configuration names. */
function elsewhere(of: URL, host: string, port: number): URL {
  const url = new URL(of.href);
  url.hostname = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  url.port = String(port);
  return url;
}

export function addressOf({ hostname, port }: URL): string {
  return `${hostname}:${port || "6379"}`;
}
