import type { Progress } from "../domain/run.ts";
import type { Clock } from "../ports/clock.ts";
import type { Job, Settlement } from "../ports/queue.ts";
import { iso } from "../shared/time.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

interface ParkDeps {
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, "runAttempts">;
}

/** Somebody must decide first: no worker waits for that. */
export function park(
  progress: Progress,
  untilMs: number,
  { event, attempt }: Job,
  { clock, log, metrics }: ParkDeps,
): Extract<Settlement, { kind: "park" }> {
  const { agent, runId } = progress;
  metrics.runAttempts.inc({ agent, outcome: "parked" });
  const about = { ...eventIds(event), conversation_id: event.conversation, run_id: runId, agent, attempt };
  log.info({ ...about, until: iso(untilMs) }, "run.parked");
  return { kind: "park", untilMs, progress: { ...progress, parkedAtMs: clock.nowMs() } };
}
