import { readdir } from "node:fs/promises";
import type { Clock } from "../ports/clock.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** How long what a look has found is told. */
const KEPT_MS = 60_000;
/** An archive of everything has its time in its name, and no name before it is whole. */
const WHOLE = /^parley-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/;

/** When the newest backup in this folder was made, for whoever is to be told that none is made any more; 0: none is there. */
export function showBackupAge(
  folder: () => string,
  { clock, metrics }: { readonly clock: Pick<Clock, "nowMs">; readonly metrics: Metrics },
): void {
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  metrics.beforeScrape(async () => {
    const nowMs = clock.nowMs();
    if (nowMs - lookedAtMs < KEPT_MS) return;
    lookedAtMs = nowMs;
    const names = await readdir(folder()).catch(() => []);
    metrics.backupNewest.set(Math.max(0, ...names.map(madeAtMs)) / 1000);
  });
}

function madeAtMs(name: string): number {
  return WHOLE.test(name) ? Date.parse(name.replace(WHOLE, "$1-$2-$3T$4:$5:$6.$7Z")) : 0;
}
