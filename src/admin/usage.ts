import { z } from "zod";
import { type BudgetScope, type DayLimits, GLOBAL, scopeName } from "../domain/budget.ts";
import type { Calendar } from "../domain/day.ts";
import { centsOf } from "../domain/money.ts";
import type { Clock } from "../ports/clock.ts";
import type { Purse, Spent } from "../ports/purse.ts";

/** What model calls cost on a day, held against its budgets. */

const key = (what: string) => z.string().min(1).max(2_000).optional().describe(what);
export const usageQuery = z.strictObject({
  day: z.iso
    .date({ error: "expected a day such as 2026-11-29" })
    .optional()
    .describe("As 2026-11-29; today, in the time zone of the budgets, when absent."),
  user: key("One person: platform, workspace and id with colons between, as in a conversation's key."),
  conversation: key("One conversation."),
  tenant: key("One workspace: platform and id with a colon between."),
  agent: key("One agent."),
  model: key("One model: provider and name with a slash between, as anthropic/claude-sonnet-5."),
});
export type UsageQuery = z.output<typeof usageQuery>;

const figures = {
  cost_cents: z.number().describe("Of calls whose end is known."),
  held_cents: z
    .number()
    .describe("Of calls in progress and of those that broke off: the most that they can have cost."),
  limit_cents: z.number().nullable().describe("The budget; null: none."),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cache_read_tokens: z.int(),
  cache_write_tokens: z.int(),
  model_calls: z.int().describe("Those that cost something and whose end is known."),
};
export const usageSchema = z.object({
  day: z.string(),
  time_zone: z.string(),
  total: z.object(figures).describe("Of everyone together."),
  by: z
    .array(
      z.object({
        scope: z.enum(["user", "conversation", "tenant", "agent", "model"]),
        id: z.string(),
        ...figures,
      }),
    )
    .describe("Of those that were asked for. One without a budget is not counted by itself, but for models."),
});
export type Usage = z.output<typeof usageSchema>;

export interface UsageDeps {
  readonly purse: Pick<Purse, "spent">;
  /** As they are now. */
  readonly budgets: () => { readonly limits: DayLimits; readonly calendar: Calendar };
  readonly clock: Clock;
}

const NARROW = ["user", "conversation", "tenant", "agent", "model"] as const;

export async function usageOf(query: UsageQuery, deps: UsageDeps): Promise<Usage> {
  const { purse, clock } = deps;
  const { limits, calendar } = deps.budgets();
  const day = query.day ?? calendar.dayAt(clock.nowMs());
  const asked = NARROW.flatMap((scope) => {
    const id = query[scope];
    return id === undefined ? [] : [{ scope, id }];
  });
  const names = asked.map(({ scope, id }) => scopeName(scope, id));
  const [total, ...spent] = await purse.spent(day, [GLOBAL, ...names]);
  return {
    day,
    time_zone: calendar.timeZone,
    total: figuresOf("global", total, limits),
    by: asked.map(({ scope, id }, index) => ({ scope, id, ...figuresOf(scope, spent[index], limits) })),
  };
}

function figuresOf(scope: BudgetScope | "model", spent: Spent | undefined, limits: DayLimits) {
  return {
    cost_cents: centsOf(spent?.amount ?? 0),
    held_cents: centsOf(spent?.held ?? 0),
    limit_cents: scope === "model" ? null : limits[scope],
    input_tokens: spent?.inputTokens ?? 0,
    output_tokens: spent?.outputTokens ?? 0,
    cache_read_tokens: spent?.cacheReadTokens ?? 0,
    cache_write_tokens: spent?.cacheWriteTokens ?? 0,
    model_calls: spent?.calls ?? 0,
  };
}
