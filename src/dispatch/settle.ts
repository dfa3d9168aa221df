import { RunAborted } from "../domain/abort.ts";
import { backoffMs } from "../domain/backoff.ts";
import { BACKOFF_CAP_MS, BREAKER_REFUSED_MS } from "../domain/bounds.ts";
import { BreakerOpen } from "../domain/breaker.ts";
import { DeliveryError, GatewayError, ModelBusy, ModelError } from "../domain/errors.ts";
import type { Random } from "../ports/clock.ts";
import type { Job, Settlement } from "../ports/queue.ts";
import { Aside } from "../reply/beside.ts";
import { describe } from "../shared/fault.ts";

export interface RetryPolicy {
  /** Failures of one event before it is a dead letter. What a crash cut off is no failure; CUT_OFFS_MAX bounds that. */
  readonly attemptsMax: number;
  readonly baseMs: number;
}

/** How soon to try again what only waits for something to come back. */
const DEFER_MS = 5_000;
/** A platform that throttles without saying for how long. */
const THROTTLED_MS = 1_000;

/**
 * The only place that decides whether to retry.
 *
 * | failure | settlement |
 * |-|-|
 * | whoever wrote it has taken it back | dropped |
 * | draining, paused | defer: no attempt is used up |
 * | model or platform left alone for now | defer, until it is asked again |
 * | no call of the model may be made now, by its provider or by the configuration | the same |
 * | model refuses us (key, credit, permission) | defer: it would refuse any message, until somebody sees to it |
 * | platform refuses us (a token that was revoked) | the same: the answer is kept, and said once it is taken again |
 * | store away or refusing | defer: it is nobody's fault, and nothing gets better by giving up |
 * | lease lost | nothing: the event is no longer ours |
 * | platform says "too many" (429) | defer, for as long as it said |
 * | platform or model fails for now | retry, not before it said |
 * | send that may have landed | retry: the outbox knows it as in doubt |
 * | platform refuses for good | dead |
 * | anything else | retry: a bug here must not lose the event |
 *
 * A retry over `attemptsMax` is dead.
 */
export function settlementFor(
  error: unknown,
  job: Job,
  policy: RetryPolicy,
  random: Random,
): Settlement | null {
  if (error instanceof Sooner) {
    const settlement = settlementFor(error.error, job, policy, random);
    if (settlement === null || !("afterMs" in settlement)) return settlement;
    return { ...settlement, afterMs: Math.min(settlement.afterMs, error.withinMs) };
  }
  // What was said beside the answer belongs to the run.
  if (error instanceof Aside) return settlementOf(error.error, job.failures, policy, random);
  const isFirstTry = error instanceof DeliveryError && job.refusal === null && !job.progress?.answer;
  // Saying begins with the answer: whoever fails to say one that was not there at the claim fails for the first time.
  return settlementOf(error, isFirstTry ? 0 : job.failures, policy, random);
}

function settlementOf(
  error: unknown,
  failuresBefore: number,
  policy: RetryPolicy,
  random: Random,
): Settlement | null {
  if (error instanceof RunAborted) {
    if (error.why === "withdrawn") return { kind: "dropped", cause: "withdrawn" };
    return error.why === "lease-lost" ? null : { kind: "defer", afterMs: 0, cause: error.why };
  }
  if (error instanceof Deferred) return { kind: "defer", afterMs: error.afterMs, cause: error.message };
  const cause = causeOf(error);
  if (isStoreFailure(error)) return { kind: "defer", afterMs: DEFER_MS, cause };
  if (isRefusal(error)) return { kind: "defer", afterMs: BREAKER_REFUSED_MS, cause };
  if (error instanceof BreakerOpen || error instanceof ModelBusy)
    return { kind: "defer", afterMs: error.retryAfterMs ?? 0, cause };
  if (error instanceof DeliveryError && error.kind === "rejected") return { kind: "dead", cause };
  // Too many at once is the platform's way of saying "later".
  if (error instanceof DeliveryError && error.status === 429) {
    return { kind: "defer", afterMs: Math.max(error.retryAfterMs ?? 0, THROTTLED_MS), cause };
  }
  const failures = failuresBefore + 1;
  if (failures >= policy.attemptsMax) {
    return { kind: "dead", cause: `gave up after ${failures} attempts: ${cause}` };
  }

  const delayMs = backoffMs(
    failures,
    { baseMs: policy.baseMs, capMs: BACKOFF_CAP_MS, exponential: true },
    random,
  );
  return { kind: "retry", afterMs: Math.max(delayMs, askedDelayMs(error)), cause };
}

/** Not about this message: whoever is called will not have our credentials. */
function isRefusal(error: unknown): boolean {
  return error instanceof ModelError
    ? error.isRefusal
    : error instanceof DeliveryError && error.kind === "refused";
}

export function isStoreFailure(error: unknown): boolean {
  return error instanceof GatewayError && error.code.startsWith("STORE_");
}

/** What went wrong, of an event that is to come back within this time: somebody is to be told by then. */
export class Sooner extends Error {
  readonly error: unknown;
  readonly withinMs: number;

  constructor(error: unknown, withinMs: number) {
    super("Comes back sooner", { cause: error });
    this.name = "Sooner";
    this.error = error;
    this.withinMs = withinMs;
  }
}

/** Thrown when the work must wait for something that is not this event's fault. */
export class Deferred extends Error {
  readonly afterMs: number;

  constructor(why: string, afterMs: number = DEFER_MS) {
    super(why);
    this.name = "Deferred";
    this.afterMs = afterMs;
  }
}

function askedDelayMs(error: unknown): number {
  return error instanceof DeliveryError || error instanceof ModelError ? (error.retryAfterMs ?? 0) : 0;
}

/** For the operator. */
export function causeOf(error: unknown): string {
  return describe(error instanceof Sooner || error instanceof Aside ? error.error : error);
}
