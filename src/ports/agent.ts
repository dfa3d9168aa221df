import type { ContextItem } from "../domain/context.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { Progress, RunOutcome, Step, Turn, Usage } from "../domain/run.ts";

/** One turn of a conversation to be answered. */
export interface Run {
  readonly id: string;
  readonly agent: string;
  readonly event: TriggerEvent;
  readonly history: readonly Turn[];
  /** What was said before in the thread and is not in `history`. */
  readonly earlier?: readonly ContextItem[];
  /** Steps recorded by an earlier holder; the run goes on after them. */
  readonly steps: readonly Step[];
  readonly startedAtMs: number;
}

export interface RunResult {
  readonly outcome: RunOutcome;
  /** Markdown for the person; never empty. */
  readonly text: string;
  readonly usage: Usage;
  readonly modelCalls: number;
  /** Of a failed run, for the operator: a code and what happened; never message text. */
  readonly cause?: string;
}

/**
 * Runs one turn to its end. Records each step through `record` before going on; `record` rejects when the lease is lost.
 * Throws ModelError when the turn should be tried again later, BreakerOpen when the model is left alone for now; gives a
 * `failed` result when neither would help.
 */
export interface AgentRuntime {
  run(run: Run, record: (steps: Progress["steps"]) => Promise<void>, signal: AbortSignal): Promise<RunResult>;
}
