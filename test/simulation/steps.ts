import type { Memory } from "./chat.ts";
import type { Fortunes } from "./replicas.ts";

/** The small scenario with two replicas, struck at one step after the other. */
export interface EveryStep {
  readonly name: string;
  readonly fortunesAt: (step: number) => Partial<Fortunes> & { readonly recovery: Memory };
  readonly firstStep: number;
  readonly stride: number;
}

const RECOVERIES: readonly Memory[] = ["lookup", "refuses-copies", "nothing"];
/** Longer than a lease: another replica has taken over. */
const FROZEN_MS = 40_000;

const STRIKES: Readonly<Record<string, (step: number) => Partial<Fortunes>>> = {
  "dies and comes back": (step) => ({ deaths: [step], returns: { "same name": 1 } }),
  "dies and comes back as another": (step) => ({ deaths: [step], returns: { "new name": 1 } }),
  "dies for good": (step) => ({ deaths: [step], returns: { never: 1 } }),
  "that starts second dies": (step) => ({ deaths: [Number.POSITIVE_INFINITY, step] }),
  "is frozen for longer than a lease": (step) => ({ freezes: [{ step, forMs: FROZEN_MS }] }),
};

/**
 * `long`: at each step, for each kind of platform. `short`: each step of a kind of strike for one kind of platform in
 * turn, or each other step; together they strike at each.
 */
export function everyStep(form: "short" | "long"): readonly EveryStep[] {
  if (form === "long") {
    return Object.entries(STRIKES).flatMap(([name, strike]) =>
      RECOVERIES.map((recovery) => ({
        name: `${name}, recovery by ${recovery}`,
        fortunesAt: (step) => ({ replicas: 2, ...strike(step), recovery }),
        firstStep: 0,
        stride: 1,
      })),
    );
  }
  return Object.entries(STRIKES).map(([name, strike], index) => ({
    name,
    fortunesAt: (step) => ({
      replicas: 2,
      ...strike(step),
      recovery: RECOVERIES[(step + index) % RECOVERIES.length] ?? "nothing",
    }),
    firstStep: index % STRIDE,
    stride: STRIDE,
  }));
}

const STRIDE = 2;
