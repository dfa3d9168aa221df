import { isStopped } from "../domain/signal.ts";
import type { Clock } from "../ports/clock.ts";
import type { Job } from "../ports/queue.ts";
import type { Merging } from "./merging.ts";
import { Deferred } from "./settle.ts";

/** A burst that does not end is answered all the same, after so many quiet times. */
const QUIET_TIMES_MAX = 10;

/**
 * Leaves a message alone, because its sender may not have said all, until nothing has come for `quietMs`: throws Deferred. What
 * has come by then is joined to it. Nobody waits for the rest of a run that has begun, nor for what came long ago.
 */
export async function leaveQuiet(
  job: Pick<Job, "busy" | "progress" | "signals" | "acceptedAtMs">,
  merging: Pick<Merging, "mayGrow" | "gather">,
  quietMs: number,
  clock: Pick<Clock, "nowMs">,
): Promise<void> {
  if (quietMs === 0 || job.busy !== "collect" || job.progress !== null) return;
  if (!merging.mayGrow || isStopped(job.signals)) return;
  const events = await merging.gather();
  const newestMs = Math.max(...events.map(({ occurredAtMs }) => occurredAtMs));
  // By the platform's clock, which may be another than ours: no message makes others wait longer than for one quiet time.
  const nowMs = clock.nowMs();
  const leftMs = quietMs - Math.max(0, nowMs - newestMs);
  const mostMs = job.acceptedAtMs + QUIET_TIMES_MAX * quietMs - nowMs;
  const forMs = Math.min(leftMs, mostMs);
  if (forMs > 0) throw new Deferred("more may be said", forMs);
}
