import { rmSync, writeFileSync } from "node:fs";
import { afterAll } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/index.ts";
import { storeContract } from "../contract/store.ts";
import { KeptThread } from "./kept-thread.ts";
import { sqliteUnderTest } from "./sqlite-under-test.ts";

const thread = new KeptThread(new URL("./mortal-thread.ts", import.meta.url));
afterAll(() => thread.end());

storeContract(
  "sqlite",
  sqliteUnderTest(
    (options) => openSqliteStore({ ...options, thread: thread.start }),
    async (store, file) => {
      writeFileSync(`${file}.die`, "");
      await store.journal.stats().catch(() => {});
      rmSync(`${file}.die`);
    },
  ),
);
