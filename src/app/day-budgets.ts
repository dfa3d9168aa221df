import { createDayBudgets } from "../agent/day-budgets.ts";
import type { GatewaySpec } from "../config/schema.ts";
import type { DayLimits } from "../domain/budget.ts";
import { Calendar } from "../domain/day.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface DayBudgetsOptions {
  readonly store: Pick<Store, "purse">;
  readonly spec: GatewaySpec;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const UNSETTLED = "What this call cost could not be written: it counts with all that was held for it.";

/** The operator's words to the budgets of a day, and what he hears of them. */
export function dayBudgetsOf({ store, spec, clock, newId, log, metrics }: DayBudgetsOptions) {
  const { time_zone, warn_at } = spec.budgets;
  return createDayBudgets({
    purse: store.purse,
    limits: dayLimitsOf(spec),
    warnAt: warn_at,
    calendar: new Calendar(time_zone),
    clock,
    newId,
    warn({ scope, name, day, limitCents }) {
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
