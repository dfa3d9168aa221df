import type { Clock } from "../../../src/ports/clock.ts";
import { Secret } from "../../../src/shared/secret.ts";
import type { RedisConnection } from "../../../src/store/redis/connect.ts";
import { openRedisStore } from "../../../src/store/redis/index.ts";
import { type LinkTimes, RedisLink } from "../../../src/store/redis/redis-link.ts";
import { openStoreOn, type SharedStore } from "../../../src/store/redis/store.ts";
import { systemClock } from "../../../src/system/clock.ts";
import type { OpenOptions, StoreUnderTest } from "../../contract/store.ts";

export function connectionTo(url: string, changes: Partial<RedisConnection> = {}): RedisConnection {
  return { url: new Secret(url), cluster: false, sentinel: null, tls: null, waitReplicas: 0, ...changes };
}

let prefixes = 0;

/** Keys that no other test uses. */
export function newPrefix(): string {
  return `test-${process.pid}-${++prefixes}`;
}

export interface OpenedStore {
  readonly store: SharedStore;
  readonly link: RedisLink;
  /** What it has logged. */
  readonly lines: readonly string[];
  /** Resolves with the next line of its log that has this in it, also when there is one already. */
  logged(wanted: string): Promise<string>;
}

export interface OpenOnOptions {
  /** Whose time the scripts go by; the test's clock, unless it says otherwise. */
  readonly time?: "server" | "clock";
  readonly times?: LinkTimes;
}

/** A store over a link that the test can cut. */
export async function openOn(
  connection: RedisConnection,
  { clock, limits }: { readonly clock: Clock; readonly limits: OpenOptions["limits"] },
  { prefix, owner }: { readonly prefix: string; readonly owner: string },
  { time = "clock", times }: OpenOnOptions = {},
): Promise<OpenedStore> {
  const lines: string[] = [];
  const waiters = new Set<() => void>();
  const log = (line: string) => {
    lines.push(line);
    for (const look of waiters) look();
  };
  const link = new RedisLink({
    connection,
    key: `{${prefix}}:meta`,
    // Connects anew as soon as it ever does.
    random: () => 0,
    log,
    ...(times && { times }),
  });
  try {
    await link.open(5_000);
    const shared = { prefix, owner, clock, limits, link, random: Math.random, log };
    const store = await openStoreOn({ ...shared, durability: "power", time });
    return { link, store, lines, logged };
  } catch (error) {
    await link.close();
    throw error;
  }

  function logged(wanted: string): Promise<string> {
    return new Promise((resolve) => {
      const look = () => {
        const line = lines.find((one) => one.includes(wanted));
        if (line === undefined) return;
        waiters.delete(look);
        resolve(line);
      };
      waiters.add(look);
      look();
    });
  }
}

export type EarnestStore = Awaited<ReturnType<typeof openRedisStore>>;

export interface EarnestOptions {
  readonly acceptLoss?: boolean;
  readonly openMs?: number;
  /** Where its log goes. */
  readonly lines?: string[];
}

/** A store as the gateway opens it, by the time of the server. */
export async function openInEarnest(
  { url, ...changes }: Partial<Omit<RedisConnection, "url">> & { readonly url: string },
  { acceptLoss = false, openMs = 5_000, lines = [] }: EarnestOptions = {},
): Promise<EarnestStore> {
  return await openRedisStore({
    connection: connectionTo(url, changes),
    prefix: "earnest",
    owner: "one",
    acceptLoss,
    openMs,
    clock: systemClock,
    random: Math.random,
    limits: { waitingPerLaneMax: 100, waitingMax: 100 },
    log: (line) => void lines.push(line),
  });
}

/** A prefix of its own stands for an empty database. */
export async function storeUnderTest(
  connection: RedisConnection,
  options: OpenOptions,
): Promise<StoreUnderTest> {
  const names = { prefix: newPrefix(), owner: "one" };
  let current = await openOn(connection, options, names);
  return {
    store: current.store,
    async reopen() {
      await current.store[Symbol.asyncDispose]();
      current = await openOn(connection, options, names);
      return current.store;
    },
    async kill() {
      await current.link.close();
      current = await openOn(connection, options, names);
      return current.store;
    },
    close: async () => await current.store[Symbol.asyncDispose](),
  };
}
