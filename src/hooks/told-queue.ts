import { eventDead } from "../domain/happened.ts";
import type { Clock } from "../ports/clock.ts";
import type { Hooks } from "../ports/hooks.ts";
import type { Queue } from "../ports/queue.ts";

/**
 * The same queue; hooks hear of dead letters. They are told before, or a crash between the two would leave them without;
 * it is taken back where somebody else has the event by now.
 */
export function toldQueue(queue: Queue, hooks: Pick<Hooks, "publish">, clock: Pick<Clock, "nowMs">): Queue {
  return {
    claim: (options) => queue.claim(options),
    extend: (job, leaseMs) => queue.extend(job, leaseMs),
    checkpoint: (job, progress) => queue.checkpoint(job, progress),
    join: (job) => queue.join(job),
    ready: (signal) => queue.ready(signal),
    async settle(job, settlement) {
      if (settlement.kind !== "dead") return await queue.settle(job, settlement);
      const { event, progress, attempt: attempts, waitsSinceMs } = job;
      const agent = progress?.agent ?? job.agent;
      const death = { agent, cause: settlement.cause, attempts, waitsSinceMs };
      const takeBack = await hooks.publish(eventDead(event, death, clock.nowMs()));
      const isHeld = await queue.settle(job, settlement);
      if (!isHeld) await takeBack().catch(() => {});
      return isHeld;
    },
  };
}
