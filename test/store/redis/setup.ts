import { Secret } from "../../../src/config/secret.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Store } from "../../../src/ports/store.ts";
import type { RedisConnection } from "../../../src/store/redis/connect.ts";
import { type LinkTimes, RedisLink } from "../../../src/store/redis/redis-link.ts";
import { openStoreOn } from "../../../src/store/redis/store.ts";
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
  readonly store: Store;
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
