import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type BackupSources, type RunningGateway, takeBackup } from "../../src/backup/take.ts";
import { openSqliteStore } from "../../src/store/sqlite/index.ts";
import { aFolder } from "../store/folder.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, claimAll } from "../support/store.ts";

export const NOW_MS = Date.parse("2026-03-01T02:00:00Z");
export const DAY_MS = 86_400_000;

export interface Place extends BackupSources {
  readonly root: string;
  /** Where archives go. */
  readonly to: string;
}

/** A data folder and a configuration, without a gateway. */
export function aPlace(changes: Partial<BackupSources> = {}): Place {
  const folder = aFolder("memory");
  onTestFinished(() => folder.remove());
  const root = folder.path;
  const configFolder = join(root, "config");
  cpSync("config", configFolder, { recursive: true });
  mkdirSync(join(root, "data"));
  return {
    ...{ root, configFolder, to: join(root, "archives"), dataDir: join(root, "data"), mediaDir: null },
    ...{ kind: "full", store: "sqlite", takeRedis: null, running: NOBODY },
    ...changes,
  };
}

/** Fails a test in which a gateway is asked that does not run. */
const NOBODY: RunningGateway = {
  hold: () => Promise.reject(new Error("Expected nobody to be asked")),
  extend: () => Promise.reject(new Error("Expected nobody to be asked")),
  release: () => Promise.reject(new Error("Expected nobody to be asked")),
};

export async function openStoreOf({ dataDir }: Pick<Place, "dataDir">) {
  return await openSqliteStore({
    file: join(dataDir, "parley.db"),
    clock: new FakeClock(),
    limits: { waitingPerLaneMax: 100, waitingMax: 1_000 },
  });
}

/** One event that is done and one that waits, of two people. */
export async function leaveEvents(place: Pick<Place, "dataDir">): Promise<void> {
  await using store = await openStoreOf(place);
  await store.inbox.accept(anOffer(anEvent({ id: "test:done", conversation: "test:one" })));
  const [job] = await claimAll(store.queue);
  if (job === undefined) throw new Error("Expected a job");
  await store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
  await store.inbox.accept(anOffer(anEvent({ id: "test:waits", conversation: "test:two" })));
}

export const backUp = async (place: Place, nowMs = NOW_MS) =>
  await takeBackup({ ...place, version: "0.1.0", nowMs });
