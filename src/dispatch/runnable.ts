import { isWithdrawn } from "../domain/signal.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { Job, Settlement } from "../ports/queue.ts";
import { growsForMs } from "./growth.ts";
import { poisonCauseOf } from "./poison.ts";
import { type RolesDeps, withRolesKnown } from "./roles.ts";
import { canBeAnswered } from "./serves.ts";
import { Deferred } from "./settle.ts";

export interface RunnableDeps {
  readonly clock: Clock;
  /** Of platforms whose messages do not tell roles; absent: there is none. */
  readonly roles?: RolesDeps;
}

/**
 * The job, now that nothing about its event is open any more; or how it ends, because nobody is to run it. Throws Deferred
 * while something is, and the signal's reason when aborted.
 */
export async function runnable(
  job: Job,
  adapter: Adapter,
  { clock, roles }: RunnableDeps,
  signal: AbortSignal,
): Promise<Job | Settlement> {
  // One claim more than allowed tells the person; if that was cut off too, the next would only be cut off again.
  const poison = poisonCauseOf(job, 1);
  if (poison !== null) return { kind: "dead", cause: poison };

  const growsMs = growsForMs(job, clock.nowMs());
  if (growsMs > 0) throw new Deferred("files of the same message may follow", growsMs);

  // What was joined to it is somebody's question still, and is answered with it.
  const isWanted = !isWithdrawn(job.event.id, job.signals) || job.events.length > 1;
  const isAnswerPaid = job.progress !== null && job.progress.answer !== null;
  if (!isWanted && !isAnswerPaid) return { kind: "dropped", cause: "withdrawn" };
  if (!isAnswerPaid && !(await canBeAnswered(job.event, adapter, clock, signal)))
    return { kind: "dropped", cause: "not_installed" };

  return await withRolesKnown(job, adapter, roles, signal);
}

export function isSettlement(ready: Job | Settlement): ready is Settlement {
  return !("event" in ready);
}
