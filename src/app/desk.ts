import type { GatewaySpec } from "../config/schema.ts";
import { scopeName, scopesOf } from "../domain/budget.ts";
import { Calendar } from "../domain/day.ts";
import { centsOf } from "../domain/money.ts";
import type { Clock } from "../ports/clock.ts";
import type { Desk } from "../ports/desk.ts";
import type { Store } from "../ports/store.ts";
import { dayLimitsOf } from "./day-budgets.ts";

/** What all people share is the operator's to see. */
const WHOSE = ["user", "conversation"] as const;
type Whose = (typeof WHOSE)[number];

/** By the budgets as they are now. */
export function deskOf(
  { purse }: Pick<Store, "purse">,
  spec: () => GatewaySpec,
  clock: Pick<Clock, "nowMs">,
): Desk {
  /** Of the scopes of these names, what is counted by itself. */
  async function spentOn(asked: string | null, names: Partial<Record<Whose, string>>) {
    const { time_zone: timeZone } = spec().budgets;
    const limits = dayLimitsOf(spec());
    const day = asked ?? new Calendar(timeZone).dayAt(clock.nowMs());
    const counted = WHOSE.flatMap((whose) => {
      const [limitCents, name] = [limits[whose], names[whose]];
      return limitCents === null || name === undefined ? [] : [{ whose, limitCents, name }];
    });
    if (counted.length === 0) return { day, timeZone, of: [] };
    const spent = await purse.spent(
      day,
      counted.map(({ name }) => name),
    );
    const of = counted.map(({ whose, limitCents }, index) => ({
      ...{ whose, limitCents },
      costCents: centsOf(spent[index]?.amount ?? 0),
      heldCents: centsOf(spent[index]?.held ?? 0),
      modelCalls: spent[index]?.calls ?? 0,
    }));
    return { day, timeZone, of };
  }

  return {
    async usageToday({ platform, tenant, id }) {
      const { of } = await spentOn(null, { user: scopeName("user", `${platform}:${tenant}:${id}`) });
      return of[0] ?? null;
    },
    spentThere: async (event, day) => await spentOn(day, scopesOf(event, "")),
  };
}
