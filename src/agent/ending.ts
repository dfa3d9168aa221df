import type { ErrorCode } from "../domain/errors.ts";
import type { RunOutcome, Step } from "../domain/run.ts";
import type { RunResult } from "../ports/agent.ts";
import type { AgentLimits } from "./agent.ts";
import { type ModelStep, modelCallsIn, textOf, usageOf } from "./progress.ts";

type LimitOutcome = Extract<RunOutcome, `out-of-${string}`>;

const NO_WORDS = "I have no answer: the model ended its turn without a word.";
const REFUSED = "I cannot help with that: the model declined to answer.";
const CUT = "My answer reached its length limit, so it is not complete.";

/** What went wrong, as far as the person should know. */
const FAILURES: Partial<Record<ErrorCode, string>> = {
  MODEL_REQUEST_REJECTED: "the model rejected the request",
};

/** A run that the model itself brought to its end. */
export function finished(steps: readonly Step[], last: ModelStep): RunResult {
  if (last.stop === "refusal") return result(steps, "refused", REFUSED);
  const text = textOf(steps);
  if (last.stop === "length") return result(steps, "out-of-tokens", withPartial(CUT, text));
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

export function stopped(steps: readonly Step[]): RunResult {
  return result(steps, "stopped", "Stopped.");
}

/** `cause` is for the operator, the text for the person. */
export function failed(steps: readonly Step[], code: ErrorCode, cause: string): RunResult {
  const what = FAILURES[code] ?? "the model is not available";
  return {
    ...result(steps, "failed", `I cannot answer this: ${what}. It is kept for the operator to look at.`),
    cause: `${code}: ${cause}`,
  };
}

export function noSuchAgent(steps: readonly Step[], agent: string): RunResult {
  const text =
    "I cannot answer: the agent that should do so is not set up any more. This is kept for the operator to look at.";
  return { ...result(steps, "failed", text), cause: `no agent is named ${agent}` };
}

function limitText(outcome: LimitOutcome, limits: AgentLimits): string {
  switch (outcome) {
    case "out-of-time":
      return `I ran out of time (${limits.maxExecutionMs / 1000} s) before finishing.`;
    case "out-of-tokens":
      return `I ran out of tokens (${limits.tokensMax}) before finishing.`;
    case "out-of-money":
      return `I ran out of budget (${limits.costCentsMax} cents) before finishing.`;
    case "out-of-steps":
      return `I ran out of steps (${limits.maxIterations}) before finishing.`;
  }
}

/** The notice comes first: after half an answer it could end up inside an open code block. */
function withPartial(notice: string, partial: string): string {
  return partial === "" ? notice : `${notice} This is what I have so far:\n\n${partial}`;
}

function result(steps: readonly Step[], outcome: RunOutcome, text: string): RunResult {
  return { outcome, text, usage: usageOf(steps), modelCalls: modelCallsIn(steps) };
}
