import type { MoneyHold } from "../domain/money.ts";
import { NO_USAGE, type Step } from "../domain/run.ts";
import type { Allowance, DayOver } from "../ports/agent.ts";
import { lastPaidIn, type ModelStep } from "./progress.ts";

type StartedStep = Extract<Step, { kind: "model-started" }>;

/** A call that may be made now. */
export interface Payment {
  readonly kind: "held";
  /** It has ended, and told what it used. Gives its answer as it is to be recorded. */
  spent(answer: ModelStep): ModelStep;
  /** It has certainly cost nothing. Resolves when that is recorded. */
  refund(): Promise<void>;
}

/**
 * The money of one run's model calls. Before each that costs, it is held on the budgets of the day and recorded with the
 * run: whoever goes on after a crash must know that it may have been spent. Both are asked for in one tick and share a
 * commit. A call of which nothing more is heard stays in the steps, and counts as spent.
 */
export class Payments {
  readonly #steps: Step[];
  readonly #record: () => Promise<void>;
  readonly #allowance: Allowance;
  /** Held on the budgets of the day for the next call. */
  #ahead: { readonly hold: MoneyHold; readonly model: string } | null = null;

  /** `steps` grows as the run goes on; `record` stores them as they are. */
  constructor(steps: Step[], record: () => Promise<void>, allowance: Allowance = NO_BUDGETS) {
    this.#steps = steps;
    this.#record = record;
    this.#allowance = allowance;
  }

  /**
   * Says once more what the last answer of the record cost: whoever had the run before may have died between writing down the one
   * and the other. Settled twice is settled once.
   */
  again(): void {
    const paid = lastPaidIn(this.#steps);
    if (paid !== null) this.#allowance.settle(paid.hold, paid.usage);
  }

  /** Whether a budget of the day has come to where the operator is warned. */
  isPastWarning(): Promise<boolean> {
    return this.#allowance.isPastWarning?.() ?? Promise.resolve(false);
  }

  /**
   * Holds on the budgets of the day what the call after the next one may cost: who pays for the next one wants that too. Gives
   * what is to be called once the next one has ended; null: there is no room for it.
   */
  async reserve(cents: number, model: string): Promise<(() => void) | null> {
    if (cents <= 0) return () => {};
    const { hold, over } = this.#allowance.hold(cents, model);
    if ((await over) !== null) return null;
    return () => {
      this.#ahead = { hold, model };
    };
  }

  /** What was reserved is free again, where no call came for it. */
  release(): void {
    this.#reserved(Infinity);
  }

  /** For a call that may cost so much; null: nothing is, or too little, which is free again. */
  #reserved(cents: number, model?: string): ReturnType<Allowance["hold"]> | null {
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead === null) return null;
    if (cents <= ahead.hold.cents && model === ahead.model)
      return { hold: ahead.hold, over: Promise.resolve(null) };
    this.#allowance.settle(ahead.hold, NO_USAGE);
    return null;
  }

  /** `goesOn`: with a call that broke off last, which is paid for already. */
  async begin(
    cents: number,
    { goesOn = false, model }: { readonly goesOn?: boolean; readonly model?: string } = {},
  ): Promise<Payment | { readonly kind: "over"; readonly over: DayOver }> {
    const open = this.#steps.at(-1);
    if (goesOn && open?.kind === "model-started") return this.#heldBy(open);
    if (cents <= 0) return FREE;
    const { hold, over } = this.#reserved(cents, model) ?? this.#allowance.hold(cents, model);
    const started: StartedStep = { kind: "model-started", hold };
    this.#steps.push(started);
    const [dayOver] = await Promise.all([over, this.#record()]);
    if (dayOver !== null) {
      this.#takeBack(started);
      return { kind: "over", over: dayOver };
    }
    return this.#heldBy(started);
  }

  #heldBy(started: StartedStep): Payment {
    const { hold } = started;
    return {
      kind: "held",
      spent: (answer) => {
        this.#allowance.settle(hold, answer.usage);
        return { ...answer, wasHeld: true };
      },
      refund: async () => {
        this.#takeBack(started);
        this.#allowance.settle(hold, NO_USAGE);
        await this.#record();
      },
    };
  }

  #takeBack(step: Step): void {
    this.#steps.splice(this.#steps.lastIndexOf(step), 1);
  }
}

const FREE: Payment = { kind: "held", spent: (answer) => answer, refund: async () => {} };

const NO_BUDGETS: Allowance = {
  hold: (cents) => ({ hold: { ...NO_DAY, cents }, over: Promise.resolve(null) }),
  settle: () => {},
};
const NO_DAY: Omit<MoneyHold, "cents"> = { id: "", day: "" };
