import { join } from "node:path";
import type { Store } from "../../src/ports/store.ts";
import { Batcher } from "../../src/store/sqlite/batcher.ts";
import { openDatabase } from "../../src/store/sqlite/database.ts";
import { Engine } from "../../src/store/sqlite/engine.ts";
import { createFront } from "../../src/store/sqlite/front.ts";
import type { Kind } from "../../src/store/sqlite/protocol.ts";
import { Readiness } from "../../src/store/sqlite/readiness.ts";
import { aFolder } from "../store/folder.ts";
import type { FakeClock } from "./clock.ts";

/** The store as the process has it, requests of one tick in one commit, with a list of those commits. */
export function openCountedStore(clock: FakeClock): { store: Store; commits: Kind[][] } {
  const folder = aFolder("memory");
  const limits = { waitingPerLaneMax: 1_000, waitingMax: 10_000 };
  const options = { file: join(folder.path, "parley.db"), durability: "process" as const, limits };
  const engine = new Engine(options, clock.nowMs(), openDatabase, () => {});
  const readiness = new Readiness(clock, engine.status);
  const commits: Kind[][] = [];
  const batcher: Batcher = new Batcher({
    transport: {
      send(requests) {
        commits.push(requests.map(([kind]) => kind));
        const reply = engine.run(requests);
        setImmediate(() => batcher.onReply(reply));
      },
    },
    schedule: setImmediate,
    onStatus: (status) => readiness.update(status),
  });
  const store = createFront({
    batcher,
    readiness,
    clock,
    durability: "process",
    file: options.file,
    scrub: async (upTo) => engine.scrub(upTo),
    lookAt: async () => "busy" as const,
    async close() {
      engine.close();
      folder.remove();
    },
  });
  return { store, commits };
}
