import type { TriggerEvent } from "../domain/event.ts";
import type { MoneyHold } from "../domain/money.ts";
import type { CompactedStep, Step, ToolCall, Usage } from "../domain/run.ts";

export type ModelStep = Extract<Step, { kind: "model" }>;

/** What a run with these steps does next. */
export type Action =
  | { readonly kind: "ask" }
  /** `mayHaveRun`: an earlier holder began this call and its end is not known. */
  | { readonly kind: "tool"; readonly call: ToolCall; readonly mayHaveRun: boolean }
  | { readonly kind: "finish"; readonly last: ModelStep };

/**
 * Read off the recorded steps alone, so that a run resumed after a crash takes the same path as one that never
 * stopped. Tools run one after the other: the n-th result belongs to the n-th call of the last answer.
 */
export function nextAction(steps: readonly Step[]): Action {
  const at = steps.findLastIndex(({ kind }) => kind === "model");
  const last = steps[at];
  if (last?.kind !== "model") return { kind: "ask" };
  const after = steps.slice(at + 1);
  // What else was asked for with it is not for the agent that goes on.
  if (after.some((step) => step.kind === "tool" && step.handed !== undefined)) return { kind: "ask" };
  const call = last.toolCalls[after.filter(({ kind }) => kind === "tool").length];
  if (call !== undefined) return { kind: "tool", call, mayHaveRun: after.at(-1)?.kind === "tool-started" };
  const isOver = last.stop !== "pause" && last.toolCalls.length === 0 && !after.some(isJoined);
  return !isOver ? { kind: "ask" } : { kind: "finish", last };
}

function isJoined({ kind }: Step): boolean {
  return kind === "joined";
}

/** Of what is joined to the event of a run, what it has not been shown yet. */
export function notShown(joined: readonly TriggerEvent[], steps: readonly Step[]): readonly TriggerEvent[] {
  const shown = new Set(steps.flatMap((step) => (step.kind === "joined" ? [step.eventId] : [])));
  return joined.filter(({ id }) => !shown.has(id));
}

/** The model was called, and has told what that took. */
function isAnswered(step: Step | undefined): step is ModelStep | CompactedStep {
  return step?.kind === "model" || step?.kind === "compacted";
}

/** What calls may have cost that did not end with an answer. */
export function lostCentsIn(steps: readonly Step[]): number {
  return steps.reduce((sum, step, index) => {
    if (step.kind === "agent") return sum + lostCentsIn(step.steps);
    if (step.kind !== "model-started") return sum;
    const next = steps[index + 1];
    return isAnswered(next) && next.wasHeld ? sum : sum + step.hold.cents;
  }, 0);
}

/** The last call of them, of agents that were asked too, for which money was held and of which it is known what it cost. */
export function lastPaidIn(
  steps: readonly Step[],
): { readonly hold: MoneyHold; readonly usage: Usage } | null {
  for (let at = steps.length - 1; at >= 0; at--) {
    const [before, step] = [steps[at - 1], steps[at]];
    if (step?.kind === "agent") {
      const paid = lastPaidIn(step.steps);
      if (paid !== null) return paid;
    }
    if (before?.kind === "model-started" && isAnswered(step) && step.wasHeld)
      return { hold: before.hold, usage: step.usage };
  }
  return null;
}

export function modelCallsIn(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => {
    if (step.kind === "agent") return sum + modelCallsIn(step.steps);
    return isAnswered(step) && !(step.kind === "model" && step.fromCache) ? sum + 1 : sum;
  }, 0);
}

/** The same without summaries of what was said before: those are no step of an answer. */
export function answersIn(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => {
    if (step.kind === "agent") return sum + answersIn(step.steps);
    return step.kind === "model" ? sum + 1 : sum;
  }, 0);
}

/** The text of the last answer, with what the model said before it paused. Empty when there is none. */
export function textOf(steps: readonly Step[]): string {
  return wholeText(steps).trim();
}

function wholeText(steps: readonly Step[]): string {
  const answers = steps.filter((step) => step.kind === "model");
  const begin =
    answers.findLastIndex(({ stop }, index) => index < answers.length - 1 && stop !== "pause") + 1;
  return answers
    .slice(begin)
    .map(({ text }) => text)
    .join("");
}

/** With what the next answer goes on. Empty: it is a new one. */
export function pausedText(steps: readonly Step[]): string {
  const last = steps.at(-1);
  return last?.kind === "model" && last.stop === "pause" ? wholeText(steps) : "";
}
