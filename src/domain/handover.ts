import type { Handover, Step } from "./run.ts";

/** In their order. */
export function handoversIn(steps: readonly Step[]): readonly Handover[] {
  return steps.flatMap((step) => (step.kind === "tool" && step.handed !== undefined ? [step.handed] : []));
}

/** Who is at work after these steps of a run that began, or was taken up, with `agent`. */
export function agentAfter(steps: readonly Step[], agent: string): string {
  return handoversIn(steps).at(-1)?.to ?? agent;
}

/** All that have had the run, the first one first; nothing where that was one alone. */
export function pathIn(steps: readonly Step[]): readonly string[] {
  const all = handoversIn(steps);
  const first = all[0];
  return first === undefined ? [] : [first.from, ...all.map(({ to }) => to)];
}
