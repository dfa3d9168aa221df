import { channel } from "node:diagnostics_channel";
import { DeliveryError } from "../domain/errors.ts";

/**
 * - `ok`: done
 * - `rate_limited`: 429
 * - `refused`: any other no of the platform
 * - `failed`: the platform is not well, or nobody knows what became of the call
 */
export type CallOutcome = "ok" | "rate_limited" | "refused" | "failed";

/** One call of a platform's API that has ended. */
export interface PlatformCall {
  readonly platform: string;
  /** As the adapter names it: of our own words, never of an answer. */
  readonly method: string;
  readonly outcome: CallOutcome;
}

/** Adapters tell of their calls here, and need not know who counts them; while nobody listens it costs nothing. */
const CALLS = channel("parley.platform.call");

/** Makes a call and tells how it ended. `outcomeIn`: of an answer; absent: a no is thrown. */
export async function toldCall<T>(
  { platform, method }: Omit<PlatformCall, "outcome">,
  make: () => Promise<T>,
  outcomeIn: (answer: T) => CallOutcome = () => "ok",
): Promise<T> {
  const tell = (outcome: CallOutcome) => {
    CALLS.publish({ platform, method, outcome } satisfies PlatformCall);
  };
  try {
    const answer = await make();
    tell(outcomeIn(answer));
    return answer;
  } catch (error) {
    tell(error instanceof DeliveryError ? outcomeOf(error) : "failed");
    throw error;
  }
}

/** Until the function that it gives is called. */
export function hearCalls(heard: (call: PlatformCall) => void): () => void {
  const listener = (call: unknown) => heard(call as PlatformCall);
  CALLS.subscribe(listener);
  return () => CALLS.unsubscribe(listener);
}

export function outcomeOf({ status, kind }: Pick<DeliveryError, "status" | "kind">): CallOutcome {
  if (status === 429) return "rate_limited";
  return kind === "rejected" || kind === "refused" ? "refused" : "failed";
}
