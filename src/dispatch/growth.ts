import { GROWTH_MS } from "../domain/bounds.ts";
import { controlCommandOf } from "../domain/command.ts";
import { isStopped } from "../domain/signal.ts";
import type { Job } from "../ports/queue.ts";

/**
 * How long to leave an event alone, because another delivery of the same message may bring its files. Only just after
 * it was accepted, so that nothing waits that has waited already, and only once: then that time is over.
 */
export function growsForMs(job: Job, nowMs: number): number {
  const { event, refusal, progress, signals, acceptedAtMs } = job;
  if (!event.mayGrow || event.attachments.length > 0) return 0;
  if (refusal !== null || progress !== null || isStopped(signals) || controlCommandOf(event) !== null)
    return 0;
  const leftMs = acceptedAtMs + GROWTH_MS - nowMs;
  // More is left only by a clock that is not the one that accepted it, or was set back.
  return leftMs > 2 * GROWTH_MS ? 0 : Math.max(0, leftMs);
}
