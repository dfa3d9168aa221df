import type { Job, Queue } from "../ports/queue.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/**
 * The same queue, which counts what was answered together with an earlier message: as that one is settled, so that an answer
 * whose attempt is repeated counts once.
 */
export function countsMerged(queue: Queue, { eventsMerged }: Pick<Metrics, "eventsMerged">): Queue {
  /** How many are joined by now, by the events of the claim: who works on a job may hand over a copy of it. */
  const joinedTo = new WeakMap<Job["events"], number>();
  return {
    claim: (options) => queue.claim(options),
    async settle(job, settlement) {
      const isHeld = await queue.settle(job, settlement);
      const joined = joinedTo.get(job.events) ?? job.events.length - 1;
      if (isHeld && settlement.kind === "done" && joined > 0)
        eventsMerged.inc({ platform: job.event.platform }, joined);
      return isHeld;
    },
    extend: (job, leaseMs) => queue.extend(job, leaseMs),
    async join(job) {
      const joined = await queue.join(job);
      joinedTo.set(job.events, joined.length);
      return joined;
    },
    checkpoint: (job, progress) => queue.checkpoint(job, progress),
    ready: (signal) => queue.ready(signal),
  };
}
