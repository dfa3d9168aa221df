import { BreakerOpen } from "../domain/breaker.ts";
import { DeliveryError, ModelError } from "../domain/errors.ts";
import type { Progress } from "../domain/run.ts";
import type { Clock } from "../ports/clock.ts";
import type { Job } from "../ports/queue.ts";
import type { Patience } from "../reply/waiting.ts";
import { isOutage } from "./outage.ts";
import { causeOf, Sooner } from "./settle.ts";

/** Says that the model cannot be reached, where that is due; where it will be, the event comes back by then. */
export async function told(error: unknown, patience: Patience | undefined): Promise<unknown> {
  const isAway = isOutage(error) || (error instanceof ModelError && error.retryable);
  if (!isAway || patience === undefined) return error;
  patience.inTrouble();
  const dueInMs = patience.dueInMs();
  await patience.end();
  const isAskedToWait = error instanceof ModelError && (error.retryAfterMs ?? 0) > (dueInMs ?? 0);
  return dueInMs === null || isAskedToWait ? error : new Sooner(error, dueInMs);
}

/** What it waited for a person is not counted. */
export function waitedMs(
  { waitsSinceMs }: Pick<Job, "waitsSinceMs">,
  { parkedMs = 0 }: Pick<Progress, "parkedMs">,
  clock: Pick<Clock, "nowMs">,
): number {
  return clock.nowMs() - waitsSinceMs - parkedMs;
}

/** A platform that will not have us is waited for, but not longer than an answer is of use. */
export function lastWord(error: unknown, waitedMs: number, waitMsMax = Infinity): unknown {
  const isRefused =
    (error instanceof DeliveryError && error.kind === "refused") ||
    (error instanceof BreakerOpen && error.why === "PLATFORM_REFUSED");
  if (!isRefused || waitedMs <= waitMsMax) return error;
  return new DeliveryError("rejected", `not said within max_age_seconds: ${causeOf(error)}`, {
    cause: error,
  });
}

/** How long ago the person sent it. */
export function ageSeconds({ event }: Pick<Job, "event">, clock: Pick<Clock, "nowMs">): number {
  return Math.max(0, clock.nowMs() - event.occurredAtMs) / 1000;
}
