import { Secret } from "../../../src/config/secret.ts";
import type { Store } from "../../../src/ports/store.ts";
import type { RedisConnection } from "../../../src/store/redis/connect.ts";
import { RedisLink } from "../../../src/store/redis/redis-link.ts";
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
}

/** A store with the test's clock, over a link that the test can cut. */
export async function openOn(
  connection: RedisConnection,
  { clock, limits }: OpenOptions,
  { prefix, owner }: { prefix: string; owner: string },
): Promise<OpenedStore> {
  const log = () => {};
  const link = new RedisLink({ connection, key: `{${prefix}}:meta`, random: Math.random, log });
  await link.open(5_000);
  const shared = { prefix, owner, clock, limits, random: Math.random, log };
  try {
    return { link, store: await openStoreOn({ ...shared, link, durability: "power", time: "clock" }) };
  } catch (error) {
    await link.close();
    throw error;
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
