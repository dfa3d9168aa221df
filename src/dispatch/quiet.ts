import { isStopped } from "../domain/signal.ts";
import type { Job } from "../ports/queue.ts";
import type { Merging } from "./merging.ts";

/** A burst that does not end is answered all the same, after so many quiet times. */
const QUIET_TIMES_MAX = 10;

/**
 * How long to leave a message alone, because its sender may not have said all: until nothing has come for `quietMs`. What has
 * come by then is joined to it. Nobody waits for the rest of a run that has begun, nor for what came long ago.
 */
export async function quietForMs(
  job: Pick<Job, "busy" | "progress" | "signals" | "acceptedAtMs">,
  merging: Pick<Merging, "mayGrow" | "gather">,
  quietMs: number,
  nowMs: () => number,
): Promise<number> {
  if (quietMs === 0 || job.busy !== "collect" || job.progress !== null) return 0;
  if (!merging.mayGrow || isStopped(job.signals)) return 0;
  const events = await merging.gather();
  const newestMs = Math.max(...events.map(({ occurredAtMs }) => occurredAtMs));
  // By the platform's clock, which may be another than ours: no message makes others wait longer than for one quiet time.
  const leftMs = quietMs - Math.max(0, nowMs() - newestMs);
  const mostMs = job.acceptedAtMs + QUIET_TIMES_MAX * quietMs - nowMs();
  return Math.max(0, Math.min(leftMs, mostMs));
}
