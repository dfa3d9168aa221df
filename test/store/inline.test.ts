import { type InlineStore, openInlineStore } from "../../src/store/sqlite/inline.ts";
import { storeContract } from "../contract/store.ts";
import { sqliteUnderTest } from "./sqlite-under-test.ts";

storeContract(
  "inline sqlite",
  sqliteUnderTest(openInlineStore, async (store: InlineStore) => store.crash()),
);
