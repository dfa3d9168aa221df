import { copyFileSync, existsSync, renameSync } from "node:fs";
import { GatewayError } from "../../domain/errors.ts";
import type { StillFile } from "../../ports/still-file.ts";
import type { Store } from "../../ports/store.ts";
import { Batcher } from "./batcher.ts";
import { type OpenDatabase, openDatabase } from "./database.ts";
import { Engine } from "./engine.ts";
import { createFront } from "./front.ts";
import type { SqliteStoreOptions } from "./index.ts";
import { createLookAt } from "./look.ts";
import { Readiness } from "./readiness.ts";

export interface InlineStore extends Store {
  /**
   * Dies: what was not committed is lost, what waits for an answer waits for ever, and the file is left as the death
   * of a process leaves it, its log not copied. Another store can open it at once.
   */
  crash(): void;
}

export interface InlineStoreOptions extends Omit<SqliteStoreOptions, "thread"> {
  /** Between a commit and its answers: the moment to crash when the caller shall not learn of what was stored. */
  readonly onCommit?: () => void;
  /** Stands in for SQLite, to make a disk fail. */
  readonly open?: OpenDatabase;
}

/** The same store without its thread, for a simulation that decides what happens when. A commit blocks the caller. */
export async function openInlineStore(options: InlineStoreOptions): Promise<InlineStore> {
  const { file, clock, limits, durability = "power", log = () => {}, open = openDatabase } = options;
  const engine = new Engine({ file, durability, limits }, Math.trunc(clock.nowMs()), open, log);
  const readiness = new Readiness(clock, engine.status);
  /** Or closed. */
  let isDead = false;

  const batcher: Batcher = new Batcher({
    transport: {
      send(requests) {
        if (isDead) return;
        const reply = engine.run(requests);
        options.onCommit?.();
        if (isDead) return;
        batcher.onReply(reply);
        engine.saveLog("much");
      },
    },
    schedule: queueMicrotask,
    onStatus: (status) => readiness.update(status),
  });

  async function close(): Promise<void> {
    if (isDead) return;
    const error = new GatewayError("STORE_CLOSED", `The store ${file} is closed`);
    readiness.end(error);
    await batcher.end(error);
    isDead = true;
    engine.close();
  }

  function crash(): void {
    if (isDead) return;
    isDead = true;
    batcher.forsake();
    const saved = [file, `${file}-wal`].filter((path) => existsSync(path));
    // Closing would copy the log into the file, which a dying process does not.
    for (const path of saved) copyFileSync(path, `${path}.crash`);
    engine.close();
    for (const path of saved) renameSync(`${path}.crash`, path);
  }

  const scrub = async (upTo: number | null) => (isDead ? "it is closed" : engine.scrub(upTo));
  const still: StillFile = {
    path: file,
    hold: async () => (isDead ? null : engine.hold()),
    extend: async () => engine.isHeld,
    release: async () => engine.letGo(),
  };
  const lookAt = createLookAt(still, clock);
  return { ...createFront({ batcher, readiness, clock, durability, file, scrub, lookAt, close }), crash };
}
