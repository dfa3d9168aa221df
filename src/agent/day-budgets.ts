import { type BudgetScope, type DayLimits, GLOBAL, scopeName, scopesOf } from "../domain/budget.ts";
import type { Calendar } from "../domain/day.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { type MoneyHold, microcentsOf } from "../domain/money.ts";
import type { Usage } from "../domain/run.ts";
import type { Allowance, DayOver } from "../ports/agent.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { Cap, Purse } from "../ports/purse.ts";

export interface BudgetWarning {
  readonly scope: BudgetScope;
  /** Its whole name, as `parley usage` takes it. */
  readonly name: string;
  readonly day: string;
  readonly limitCents: number;
}

export interface DayBudgetsDeps {
  readonly purse: Purse;
  readonly limits: DayLimits;
  /** The share of a limit at which the operator is warned. */
  readonly warnAt: number;
  readonly calendar: Calendar;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Once a scope and day, wherever the call was made. Must not throw. */
  readonly warn: (warning: BudgetWarning) => void;
  /** What a call cost could not be written down: it counts with all that was held for it. Must not throw. */
  readonly unsettled: (hold: MoneyHold, error: unknown) => void;
}

/** The budgets of the day, for one run after the other. */
export function createDayBudgets(deps: DayBudgetsDeps): (event: TriggerEvent, agent: string) => Allowance {
  const { purse, limits, calendar, clock, newId } = deps;

  /** Everybody's spending is counted also where it has no limit, so that it can be looked up. */
  function capsOf(event: TriggerEvent, agent: string): readonly Cap[] {
    return Object.entries(scopesOf(event, agent)).flatMap(([kind, scope]): readonly Cap[] => {
      const cents = limits[kind as BudgetScope];
      if (cents !== null)
        return [{ scope, limit: microcentsOf(cents), warnAt: microcentsOf(cents * deps.warnAt) }];
      return scope === GLOBAL ? [{ scope, limit: null, warnAt: null }] : [];
    });
  }

  async function held(hold: MoneyHold, caps: readonly Cap[]): Promise<DayOver | null> {
    const { id, day, cents } = hold;
    const amount = microcentsOf(cents);
    const answer = await purse.hold({ id, day, amount, caps });
    if (answer.kind === "held") {
      for (const name of answer.warned) deps.warn({ ...limitOf(name), name, day });
      return null;
    }
    const { scope, limitCents } = limitOf(answer.scope);
    const nowMs = clock.nowMs();
    return {
      scope,
      limitCents,
      fitsInADay: amount <= microcentsOf(limitCents),
      beginsAgainInMs: calendar.msToNextDay(nowMs),
      timeZone: calendar.timeZone,
    };
  }

  /** What is held counts, as it does where a call is refused. */
  async function isPastWarning(caps: readonly Cap[]): Promise<boolean> {
    const warned = caps.filter(({ warnAt }) => warnAt !== null);
    const day = calendar.dayAt(clock.nowMs());
    const spent = await purse.spent(
      day,
      warned.map(({ scope }) => scope),
    );
    return spent.some(({ amount, held }, index) => amount + held >= (warned[index]?.warnAt ?? Infinity));
  }

  function limitOf(name: string): { scope: BudgetScope; limitCents: number } {
    const scope = name.split(":", 1)[0] as BudgetScope;
    return { scope, limitCents: limits[scope] ?? 0 };
  }

  return (event, agent) => ({
    hold(cents, model) {
      const hold = { id: newId("hold"), day: calendar.dayAt(clock.nowMs()), cents };
      // No budget is of a model: it is counted, so that it can be looked up.
      const ofModel =
        model === undefined ? [] : [{ scope: scopeName("model", model), limit: null, warnAt: null }];
      return { hold, over: held(hold, [...capsOf(event, agent), ...ofModel]) };
    },
    isPastWarning: () => isPastWarning(capsOf(event, agent)),
    settle(hold, usage) {
      // Not waited for: until it is written the call counts with its ceiling, which is never too little.
      purse.settle(hold, spendOf(usage)).catch((error: unknown) => deps.unsettled(hold, error));
    },
  });
}

function spendOf({ costCents, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Usage) {
  return {
    amount: microcentsOf(costCents),
    inputTokens,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
  };
}
