import { type Step, usageOf } from "../domain/run.ts";
import type { AgentLimits } from "./agent.ts";
import { ANSWER_TOKENS_MIN } from "./bounds.ts";
import { answersIn, lostCentsIn } from "./progress.ts";

/** What one run has used of its limits, and what it may still use. */
export class Ledger {
  readonly #limits: () => AgentLimits;
  readonly #steps: readonly Step[];

  /** `steps` grows as the run goes on; `limits` are those of whoever is at work. */
  constructor(limits: () => AgentLimits, steps: readonly Step[]) {
    this.#limits = limits;
    this.#steps = steps;
  }

  hasStepsLeft(): boolean {
    return answersIn(this.#steps) < this.#limits().maxIterations;
  }

  /** The longest answer to an input of so many tokens; null when it would be too short to be of use. */
  answerTokens(inputTokens: number): number | null {
    const { maxTokens } = this.#limits();
    const left = this.leftTokens() - inputTokens;
    return left < Math.min(ANSWER_TOKENS_MIN, maxTokens) ? null : Math.min(maxTokens, left);
  }

  leftTokens(): number {
    const { inputTokens, outputTokens } = usageOf(this.#steps);
    return this.#limits().tokensMax - inputTokens - outputTokens;
  }

  /** `goesOn`: with a call that broke off last, and what was held for that. */
  canAfford(ceilingCents: number, goesOn = false): boolean {
    return this.#spentCents(goesOn) + ceilingCents <= this.#limits().costCentsMax;
  }

  isPast(share: number): boolean {
    return this.#spentCents(false) >= share * this.#limits().costCentsMax;
  }

  leftCents(goesOn = false): number {
    return Math.max(0, this.#limits().costCentsMax - this.#spentCents(goesOn));
  }

  /** For an agent that is asked by this one: its own limits, and no more than is left here. */
  within(limits: AgentLimits): AgentLimits {
    const { maxIterations } = this.#limits();
    return {
      ...limits,
      maxIterations: Math.min(limits.maxIterations, maxIterations - answersIn(this.#steps)),
      tokensMax: Math.min(limits.tokensMax, this.leftTokens()),
      costCentsMax: Math.min(limits.costCentsMax, this.leftCents()),
    };
  }

  #spentCents(goesOn: boolean): number {
    const isOpen = goesOn && this.#steps.at(-1)?.kind === "model-started";
    const steps = isOpen ? this.#steps.slice(0, -1) : this.#steps;
    return usageOf(steps).costCents + lostCentsIn(steps);
  }
}
