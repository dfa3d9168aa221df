import { budgetOf } from "../agent/ending.ts";
import { rememberedTurns } from "../agent/shown.ts";
import { controlCommandOf } from "../domain/command.ts";
import type { ContextItem } from "../domain/context.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { Answer, Progress, Turn } from "../domain/run.ts";
import type { RunResult } from "../ports/agent.ts";
import type { Clock } from "../ports/clock.ts";
import type { Job, Settlement } from "../ports/queue.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** A failed run has been told to the person; the event stays as a dead letter, so that the operator sees it. */
export function settlementOf(
  { answer, earlier = [] }: Pick<Progress, "earlier"> & { readonly answer: Answer },
  events: readonly TriggerEvent[],
  { clock }: { readonly clock: Pick<Clock, "nowMs"> },
): Settlement {
  if (answer.outcome === "failed") return { kind: "dead", cause: answer.cause ?? "the run failed" };
  return {
    kind: "done",
    outcome: answer.outcome,
    turns: turnsOf(answer, events, earlier, clock.nowMs()),
  };
}

/** The person's turns are what the model was shown of them. */
function turnsOf(
  { outcome, text }: Answer,
  events: readonly TriggerEvent[],
  earlier: readonly ContextItem[],
  nowMs: number,
): Turn[] {
  // A refused request stays out of memory: the model would go on refusing what comes after it.
  if (outcome === "refused" || events.some((event) => controlCommandOf(event) !== null)) return [];
  const asked = events.flatMap((event, index) => rememberedTurns(event, index === 0 ? earlier : []));
  return [...asked, { role: "assistant", name: null, text, atMs: nowMs }];
}

/** For metrics and log: a run has ended. */
export function report(
  result: RunResult,
  job: Job,
  progress: Progress,
  startedAt: number,
  { log, metrics }: { readonly log: Logger; readonly metrics: Metrics },
): void {
  const seconds = (performance.now() - startedAt) / 1000;
  const { agent, runId } = progress;
  metrics.runs.inc({ agent, outcome: result.outcome });
  metrics.runAttempts.inc({ agent, outcome: result.outcome });
  metrics.runSeconds.observe({ agent }, seconds);
  const budget = budgetOf(result);
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
