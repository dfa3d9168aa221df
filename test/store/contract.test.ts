import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import { openSqliteStore, type SqliteStoreOptions } from "../../src/store/sqlite/index.ts";
import { type InlineStore, openInlineStore } from "../../src/store/sqlite/inline.ts";
import { type OpenOptions, type StoreUnderTest, storeContract } from "../contract/store.ts";
import { aFolder } from "./folder.ts";
import { KeptThread } from "./kept-thread.ts";

/** Flushes cost time and are not what the contract is about; the fault tests are. */
const durability = "process";

const thread = new KeptThread(new URL("./mortal-thread.ts", import.meta.url));
afterAll(() => thread.end());

storeContract(
  "sqlite",
  underTest(
    (options) => openSqliteStore({ ...options, thread: thread.start }),
    async (store, file) => {
      writeFileSync(`${file}.die`, "");
      await store.journal.stats().catch(() => {});
      rmSync(`${file}.die`);
    },
  ),
);
storeContract(
  "inline sqlite",
  underTest(openInlineStore, async (store: InlineStore) => store.crash()),
);

function underTest<S extends Store>(
  open: (options: SqliteStoreOptions) => Promise<S>,
  kill: (store: S, file: string) => Promise<void>,
): (options: OpenOptions) => Promise<StoreUnderTest> {
  return async (options) => {
    const folder = aFolder("memory");
    const file = join(folder.path, "parley.db");
    const openHere = () => open({ file, durability, ...options });
    const store = await openHere();
    let current = store;
    return {
      store,
      async reopen() {
        await current[Symbol.asyncDispose]();
        current = await openHere();
        return current;
      },
      async kill() {
        await kill(current, file);
        current = await openHere();
        return current;
      },
      async close() {
        await current[Symbol.asyncDispose]();
        folder.remove();
      },
    };
  };
}
