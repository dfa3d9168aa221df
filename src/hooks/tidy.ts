import type { Deliveries } from "../ports/hooks.ts";
import { DAY_MS } from "../shared/time.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { HookTarget } from "./target.ts";

/** Of one hook: what is over that is left out, the oldest first. */
export const WAITING_MAX = 10_000;
export const DEAD_MAX = 1_000;
/** What is for a hook that is not configured any more, or not yet by all replicas. */
const STRAY_MS = DAY_MS;

export interface TidyDeps {
  readonly deliveries: Pick<Deliveries, "all" | "remove">;
  readonly targets: () => readonly HookTarget[];
  readonly deadMs: () => number;
  readonly metrics: Pick<Metrics, "hookDeliveries" | "hookWaiting" | "hookDead">;
}

interface Count {
  waiting: number;
  dead: number;
}

/** Counts what there is, and deletes what nobody will send: too old, too much, or for nobody. Gives how many went. */
export async function tidyHooks(
  { deliveries, targets, deadMs, metrics }: TidyDeps,
  nowMs: number,
): Promise<number> {
  const names = targets().map(({ name }) => name);
  const counts = new Map<string, Count>(names.map((name) => [name, { waiting: 0, dead: 0 }]));
  const kept = deadMs();
  let gone = 0;
  for await (const delivery of deliveries.all()) {
    const { hook, atMs, died } = delivery;
    const count = counts.get(hook);
    const isStray = count === undefined && nowMs - (died?.atMs ?? atMs) > STRAY_MS;
    const isOld = died !== undefined && nowMs - died.atMs > kept;
    // The latest of the dead come first, and what waits longest comes last but for what is due again later.
    const isOver =
      count !== undefined && (died === undefined ? ++count.waiting > WAITING_MAX : ++count.dead > DEAD_MAX);
    if (!isStray && !isOld && !isOver) continue;
    if (!(await deliveries.remove(delivery))) continue;
    gone++;
    if (count !== undefined && isOver && died === undefined)
      metrics.hookDeliveries.inc({ hook, outcome: "dropped" });
  }
  metrics.hookWaiting.reset();
  metrics.hookDead.reset();
  for (const [hook, { waiting, dead }] of counts) {
    metrics.hookWaiting.set({ hook }, Math.min(waiting, WAITING_MAX));
    metrics.hookDead.set({ hook }, Math.min(dead, DEAD_MAX));
  }
  return gone;
}
