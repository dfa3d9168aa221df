import { join } from "node:path";
import type { Store } from "../../src/ports/store.ts";
import type { SqliteStoreOptions } from "../../src/store/sqlite/index.ts";
import type { OpenOptions, StoreUnderTest } from "../contract/store.ts";
import { aFolder } from "./folder.ts";

/** Flushes cost time and are not what the contract is about; the fault tests are. */
const durability = "process";

/** SQLite in a folder in memory, as the contract wants it. */
export function sqliteUnderTest<S extends Store>(
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
