import type { GatewaySpec } from "../config/schema.ts";
import { scopeName, scopesOf } from "../domain/budget.ts";
import { Calendar } from "../domain/day.ts";
import { centsOf } from "../domain/money.ts";
import type { Clock } from "../ports/clock.ts";
import type { Desk } from "../ports/desk.ts";
import type { Store } from "../ports/store.ts";
import { dayLimitsOf } from "./day-budgets.ts";

/** By the budgets as they are now. */
export function deskOf(
  { purse }: Pick<Store, "purse">,
  spec: () => GatewaySpec,
  clock: Pick<Clock, "nowMs">,
): Desk {
  return {
    async usageToday({ platform, tenant, id }) {
      const { budgets } = spec();
      const limitCents = dayLimitsOf(spec()).user;
      if (limitCents === null) return null;
      const day = new Calendar(budgets.time_zone).dayAt(clock.nowMs());
      const [spent] = await purse.spent(day, [scopeName("user", `${platform}:${tenant}:${id}`)]);
      return { costCents: centsOf(spent?.amount ?? 0), limitCents, modelCalls: spent?.calls ?? 0 };
    },
    async spentThere(event, asked) {
      const { time_zone: timeZone } = spec().budgets;
      const limits = dayLimitsOf(spec());
      const day = asked ?? new Calendar(timeZone).dayAt(clock.nowMs());
      const names = scopesOf(event, "");
      const counted = WHOSE.flatMap((whose) => {
        const limitCents = limits[whose];
        return limitCents === null ? [] : [{ whose, limitCents }];
      });
      const spent = await purse.spent(
        day,
        counted.map(({ whose }) => names[whose]),
      );
      const of = counted.map((one, index) => ({
        ...one,
        costCents: centsOf(spent[index]?.amount ?? 0),
        heldCents: centsOf(spent[index]?.held ?? 0),
        modelCalls: spent[index]?.calls ?? 0,
      }));
      return { day, timeZone, of };
    },
  };
}

/** What all people share is the operator's to see. */
const WHOSE = ["user", "conversation"] as const;
