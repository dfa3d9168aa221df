import { RunAborted } from "../domain/abort.ts";
import { type ErrorCode, ModelError } from "../domain/errors.ts";
import { filesMadeIn, NO_USAGE, type RunOutcome, type Step, usageOf } from "../domain/run.ts";
import type { DayOver, RunResult } from "../ports/agent.ts";
import {
  AGENT_GONE,
  CUT,
  DECLINED,
  failedText,
  HERE_IT_IS,
  NO_WORDS,
  overTodayText,
  ranOutText,
  STOPPED,
  withPartial,
} from "../reply/texts.ts";
import type { AgentLimits } from "./agent.ts";
import { type ModelStep, modelCallsIn, textOf } from "./progress.ts";
import { OutOfTime } from "./signals.ts";

type LimitOutcome = Extract<RunOutcome, `out-of-${string}`>;

/** What went wrong, as far as the person should know. */
const FAILURES: Partial<Record<ErrorCode, string>> = {
  MODEL_REQUEST_REJECTED: "the model rejected the request",
};

/** A run that the model itself brought to its end. */
export function finished(steps: readonly Step[], last: ModelStep): RunResult {
  if (last.stop === "refusal") return result(steps, "refused", DECLINED);
  const text = textOf(steps);
  if (last.stop === "length") return result(steps, "out-of-tokens", withPartial(CUT, text));
  if (text === "" && filesMadeIn(steps).length > 0) return result(steps, "answered", HERE_IT_IS);
  if (text === "") return { ...result(steps, "failed", NO_WORDS), cause: "the model gave an empty answer" };
  return result(steps, "answered", text);
}

/** A run that a limit brought to its end. `saying`: what the model had said of an answer that was broken off. */
export function limited(
  steps: readonly Step[],
  outcome: LimitOutcome,
  limits: AgentLimits,
  saying = "",
): RunResult {
  return result(steps, outcome, withPartial(limitText(outcome, limits), saying.trim() || textOf(steps)));
}

/** A run whose next call is not to be paid for today. */
export function overToday(steps: readonly Step[], over: DayOver): RunResult {
  const text = withPartial(overTodayText(over), textOf(steps));
  return { ...result(steps, "out-of-money", text), overBudget: over.scope };
}

/** What is left of a run that was broken off; null: it is not over. `saying`: of an answer that was being given. */
export function brokenOff(
  error: unknown,
  steps: readonly Step[],
  limits: AgentLimits,
  saying: string,
): RunResult | null {
  if (error instanceof OutOfTime) return limited(steps, "out-of-time", limits, saying);
  if (error instanceof RunAborted && error.why === "stopped") return stopped(steps);
  const isLost = error instanceof ModelError && !error.retryable && !error.isRefusal;
  return isLost ? failed(steps, error.code, error.message) : null;
}

export function stopped(steps: readonly Step[]): RunResult {
  return result(steps, "stopped", STOPPED);
}

/** `cause` is for the operator, the text for the person. */
function failed(steps: readonly Step[], code: ErrorCode, cause: string): RunResult {
  return { ...result(steps, "failed", failedText(FAILURES[code])), cause: `${code}: ${cause}` };
}

export function noSuchAgent(steps: readonly Step[], agent: string): RunResult {
  return { ...result(steps, "failed", AGENT_GONE), cause: `no agent is named ${agent}` };
}

function limitText(outcome: LimitOutcome, limits: AgentLimits): string {
  switch (outcome) {
    case "out-of-time":
      return ranOutText(`time (${limits.maxExecutionMs / 1000} s)`);
    case "out-of-tokens":
      return ranOutText(`tokens (${limits.tokensMax})`);
    case "out-of-money":
      return ranOutText(`budget (${limits.costCentsMax} cents)`);
    case "out-of-steps":
      return ranOutText(`steps (${limits.maxIterations})`);
  }
}

/** What ended it, where that was a budget: one of its own, or whose budget of the day. */
export function budgetOf({ outcome, overBudget }: RunResult): string | null {
  return overBudget ?? OWN_BUDGETS[outcome] ?? null;
}

const OWN_BUDGETS: Partial<Record<RunOutcome, string>> = {
  "out-of-time": "time",
  "out-of-tokens": "tokens",
  "out-of-money": "cost",
  "out-of-steps": "steps",
};

function result(steps: readonly Step[], outcome: RunOutcome, text: string): RunResult {
  return { outcome, text, usage: usageOf(steps), modelCalls: modelCallsIn(steps) };
}

/** Of one that did not come to its model. `text` is for the person, `cause` for the operator. */
export function failure(text: string, cause: string): RunResult {
  return { outcome: "failed", text, usage: NO_USAGE, modelCalls: 0, cause };
}
