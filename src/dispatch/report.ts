import type { Progress } from "../domain/run.ts";
import type { RunResult } from "../ports/agent.ts";
import type { Job } from "../ports/queue.ts";
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
  const { agent, runId } = progress;
  metrics.runs.inc({ agent, outcome: result.outcome });
  metrics.runAttempts.inc({ agent, outcome: result.outcome });
  metrics.runSeconds.observe({ agent }, seconds);
  if (budget !== null) metrics.budgetExceeded.inc({ agent, budget });
  log.info(
    {
      event_id: job.event.id,
      conversation_id: job.event.conversation,
      run_id: runId,
      agent,
      attempt: job.attempt,
      outcome: result.outcome,
      over_budget: result.overBudget,
      cause: result.cause,
      model_calls: result.modelCalls,
      input_tokens: result.usage.inputTokens,
      output_tokens: result.usage.outputTokens,
      cost_cents: result.usage.costCents,
      duration_ms: Math.round(seconds * 1000),
    },
    "run.finished",
  );
}
