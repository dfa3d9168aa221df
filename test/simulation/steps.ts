import type { Memory, OnTheWay } from "./chat.ts";
import type { SmallPlan } from "./plan.ts";
import type { Fortunes } from "./replicas.ts";

/** The small scenario, struck at one step after the other. */
export interface EveryStep {
  readonly name: string;
  readonly fortunesAt: (step: number) => SmallPlan;
  readonly firstStep: number;
  readonly stride: number;
}

/** `short`: at some steps each; together they strike at each. */
type Form = "short" | "long";

const PLATFORMS: readonly (readonly [Memory, OnTheWay])[] = [
  ["lookup", "arrives"],
  ["lookup", "is lost"],
  ["refuses-copies", "arrives"],
  ["nothing", "arrives"],
  ["nothing", "is lost"],
];

/** One gateway, which dies. */
export function everyDeath(form: Form): readonly EveryStep[] {
  return PLATFORMS.map(([recovery, onTheWay], index) => ({
    name: `dies, recovery by ${recovery}, what is on its way ${onTheWay}`,
    fortunesAt: (step) => ({ deaths: [step], recovery, onTheWay }),
    ...(form === "long" ? EACH : { firstStep: index, stride: PLATFORMS.length }),
  }));
}

const EACH = { firstStep: 0, stride: 1 };
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

/** One of two replicas is struck. `long`: for each kind of platform; `short`: for one kind in turn. */
export function everyStep(form: Form): readonly EveryStep[] {
  const strikes = Object.entries(STRIKES);
  if (form === "long") {
    return strikes.flatMap(([name, strike]) =>
      RECOVERIES.map((recovery) => ({
        name: `${name}, recovery by ${recovery}`,
        fortunesAt: (step) => ({ ...TWO, ...strike(step), recovery }),
        ...EACH,
      })),
    );
  }
  return strikes.map(([name, strike], index) => ({
    name,
    fortunesAt: (step) => ({
      ...TWO,
      ...strike(step),
      recovery: RECOVERIES[(step + index) % RECOVERIES.length] ?? "nothing",
    }),
    firstStep: index,
    stride: strikes.length,
  }));
}

const TWO = { replicas: 2, onTheWay: "arrives" } as const;
