import type { Platform } from "../domain/event.ts";
import type { RequestOutcome } from "../domain/request.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Reception } from "./reception.ts";

/** What is answered otherwise is not late: it comes again, or is a stranger's, who may be as slow as he likes. */
const ACKNOWLEDGED: ReadonlySet<RequestOutcome> = new Set([
  "accepted",
  "handshake",
  "duplicate",
  "refused",
  "ignored",
]);

/** Counts how long one platform was kept waiting, which waits for `withinMs`; undefined: it does not say how long. */
export function acknowledgedFor(
  platform: Platform,
  withinMs: number | undefined,
  metrics: Pick<Metrics, "ackSeconds" | "acksLate">,
): (durationMs: number, reception: Pick<Reception, "outcome">) => void {
  // Labels are bound once: looking them up for every request costs more than counting.
  const seconds = metrics.ackSeconds.labels({ platform });
  const late = metrics.acksLate.labels({ platform });
  return (durationMs, { outcome }) => {
    seconds.observe(durationMs / 1000);
    if (withinMs !== undefined && durationMs > withinMs && ACKNOWLEDGED.has(outcome)) late.inc();
  };
}
