import { rmSync } from "node:fs";
import { join } from "node:path";
import { openInlineStore } from "../../../src/store/sqlite/inline.ts";
import { aTemporaryFolder } from "../folder.ts";
import type { OpenedStore, OpenOptions, Storage, Surroundings } from "../storage.ts";
import { steppedStore } from "../store.ts";
import { quiet } from "../time.ts";
import { openOn } from "./disk.ts";
import { readLedger } from "./ledger.ts";
import { witnessedStore } from "./witnessed.ts";

/** One file, of one process at a time. */
export async function onFile({ witness, faults }: Surroundings): Promise<Storage> {
  const folder = aTemporaryFolder();
  const file = join(folder, "parley.db");

  async function open({ life, limits }: OpenOptions): Promise<OpenedStore> {
    let isLooking = false;
    const store = await openInlineStore({
      file,
      clock: life.clock,
      durability: "process",
      limits,
      onCommit() {
        if (!isLooking) life.step("commit");
      },
      open: openOn(() => {
        const fate = faults.disk(life.clock.nowMs());
        if (fate !== "ok") witness.storeFailed(`disk ${fate}`);
        return fate;
      }),
    });
    life.whenDying(() => store.crash());
    return {
      store: steppedStore(witnessedStore(store, life, witness), life, witness),
      async stats() {
        isLooking = true;
        return await store.journal.stats().finally(() => {
          isLooking = false;
        });
      },
    };
  }

  return {
    open,
    quiet,
    ledger: () => Promise.resolve(readLedger(file)),
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
