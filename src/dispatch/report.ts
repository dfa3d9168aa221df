import { controlCommandOf } from "../domain/command.ts";
import { codeIn } from "../domain/errors.ts";
import { runFinished } from "../domain/happened.ts";
import type { Answer, Handover, Progress } from "../domain/run.ts";
import type { RunResult } from "../ports/agent.ts";
import type { Clock } from "../ports/clock.ts";
import type { Hooks } from "../ports/hooks.ts";
import type { Job } from "../ports/queue.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** For metrics and log: a run has ended. `budget`: by which, where it was one. */
export function report(
  result: RunResult,
  job: Job,
  progress: Progress,
  startedAt: number,
  budget: string | null,
  { log, metrics }: { readonly log: Logger; readonly metrics: Metrics },
): void {
  const seconds = (performance.now() - startedAt) / 1000;
  const { agent, path, runId } = progress;
  const { outcome, usage } = result;
  metrics.runAttempts.inc({ agent, outcome });
  metrics.runSeconds.observe({ agent, outcome }, seconds);
  metrics.runTokens.observe({ agent, model: result.model ?? "none" }, usage.inputTokens + usage.outputTokens);
  if (budget !== null) metrics.budgetExceeded.inc({ agent, budget });
  log.info(
    {
      ...eventIds(job.event),
      conversation_id: job.event.conversation,
      run_id: runId,
      agent,
      path,
      attempt: job.attempt,
      outcome,
      over_budget: result.overBudget,
      code: codeIn(result.cause),
      cause: result.cause,
      model: result.model,
      model_calls: result.modelCalls,
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      cost_cents: usage.costCents,
      duration_ms: Math.round(seconds * 1000),
    },
    "run.finished",
  );
}

/** Recorded: from now on another agent is at work. */
export function reportHandover(
  { from, to }: Handover,
  { event, attempt }: Job,
  runId: string,
  { log }: { readonly log: Logger },
): void {
  const about = { ...eventIds(event), conversation_id: event.conversation, run_id: runId, attempt };
  log.info({ ...about, agent: from, to }, "run.handed_over");
}

/**
 * The answer to a message has been said: for hooks and metrics. `ownSeconds`: of the attempt that said it. Rejects with
 * STORE_*: hooks are told before the event is over, or a crash between the two would leave them without.
 */
export async function reportSaid(
  job: Job,
  { agent, runId, answer, parkedMs = 0 }: Progress & { readonly answer: Answer },
  ownSeconds: number,
  { clock, metrics, hooks }: { readonly clock: Clock; readonly metrics: Metrics; readonly hooks?: Hooks },
): Promise<void> {
  // A command to the gateway itself is no run.
  if (job.kind !== "message" || controlCommandOf(job.event) !== null) return;
  const nowMs = clock.nowMs();
  const run = { runId, agent, answer, attempts: job.attempt, acceptedAtMs: job.waitsSinceMs };
  await hooks?.publish(runFinished(job.event, run, nowMs));
  const { platform } = job.event;
  metrics.runs.inc({ agent, outcome: answer.outcome });
  metrics.eventSeconds.observe({ platform }, Math.max(0, nowMs - job.waitsSinceMs - parkedMs) / 1000);
  metrics.ownSeconds.observe({ platform }, ownSeconds);
}
