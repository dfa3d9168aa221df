import { RunAborted } from "../domain/abort.ts";
import { BreakerOpen } from "../domain/breaker.ts";
import { ModelBusy, ModelError } from "../domain/errors.ts";
import { isStoreFailure } from "./settle.ts";

/** Not about this message: the model is left alone, has no room for us, or will not have us. */
export function isOutage(error: unknown): boolean {
  const isAlone = error instanceof BreakerOpen || error instanceof ModelBusy;
  return isAlone || (error instanceof ModelError && error.isRefusal);
}

export function usesNoAttempt(error: unknown): boolean {
  return isOutage(error) || error instanceof RunAborted || isStoreFailure(error);
}

/** How an attempt ended that gave no result, for the metrics. */
export function attemptOutcome(error: unknown, signal: AbortSignal): string {
  if (signal.aborted || error instanceof RunAborted) return "aborted";
  return usesNoAttempt(error) ? "deferred" : "retried";
}
