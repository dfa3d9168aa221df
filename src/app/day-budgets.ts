import { type BudgetWarning, createDayBudgets } from "../agent/day-budgets.ts";
import type { GatewaySpec } from "../config/schema.ts";
import type { DayLimits } from "../domain/budget.ts";
import { Calendar } from "../domain/day.ts";
import { budgetWarning } from "../domain/happened.ts";
import { centsOf } from "../domain/money.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { Hooks } from "../ports/hooks.ts";
import type { Store } from "../ports/store.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface DayBudgetsOptions {
  readonly store: Pick<Store, "purse">;
  readonly spec: GatewaySpec;
  /** Absent: nobody is told. */
  readonly hooks?: Pick<Hooks, "emit">;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const UNSETTLED = "What this call cost could not be written: it counts with all that was held for it.";

/** The operator's words to the budgets of a day, and what he hears of them. */
export function dayBudgetsOf({ store, spec, hooks, clock, newId, log, metrics }: DayBudgetsOptions) {
  const { time_zone, warn_at } = spec.budgets;

  /** What is held counts: it is what the budget is measured by. */
  async function tell({ scope, name, day, limitCents }: BudgetWarning): Promise<void> {
    const [spent] = await store.purse.spent(day, [name]).catch(() => []);
    const spentCents = spent === undefined ? limitCents * warn_at : centsOf(spent.amount + spent.held);
    const id = scope === "global" ? name : name.slice(scope.length + 1);
    hooks?.emit(budgetWarning({ scope, id, day, spentCents, limitCents }, clock.nowMs()));
  }

  return createDayBudgets({
    purse: store.purse,
    limits: dayLimitsOf(spec),
    warnAt: warn_at,
    calendar: new Calendar(time_zone),
    clock,
    newId,
    warn(warning) {
      const { scope, name, day, limitCents } = warning;
      void tell(warning);
      metrics.budgetWarnings.inc({ scope });
      log.warn({ scope, id: name, day, limit_cents: limitCents, warn_at }, "budget.warning");
    },
    unsettled(hold, error) {
      log.warn({ hold_id: hold.id, held_cents: hold.cents, err: error, note: UNSETTLED }, "budget.unsettled");
    },
  });
}

export function dayLimitsOf({ budgets }: GatewaySpec): DayLimits {
  const of = (scope: keyof DayLimits) => {
    const cents = budgets[scope].cost_cents;
    return cents === "off" ? null : cents;
  };
  return {
    user: of("user"),
    conversation: of("conversation"),
    tenant: of("tenant"),
    agent: of("agent"),
    global: of("global"),
  };
}
