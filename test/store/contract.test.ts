import { join } from "node:path";
import type { Store } from "../../src/ports/store.ts";
import { openSqliteStore, type SqliteStoreOptions } from "../../src/store/sqlite/index.ts";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { type OpenOptions, type StoreUnderTest, storeContract } from "../contract/store.ts";
import { aFolder } from "./folder.ts";

/** Flushes cost time and are not what the contract is about; the fault tests are. */
const durability = "process";

storeContract("sqlite", underTest(openSqliteStore));
storeContract("inline sqlite", underTest(openInlineStore));

function underTest(
  open: (options: SqliteStoreOptions) => Promise<Store>,
): (options: OpenOptions) => Promise<StoreUnderTest> {
  return async (options) => {
    const folder = aFolder("memory");
    const openHere = () => open({ file: join(folder.path, "parley.db"), durability, ...options });
    const store = await openHere();
    let current = store;
    return {
      store,
      async reopen() {
        await current[Symbol.asyncDispose]();
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
