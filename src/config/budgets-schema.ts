import { z } from "zod";

/** A budget of nothing is a mistake, or a gateway that is switched off: neither is guessed. */
const A_BUDGET = "expected a number of cents above 0, or `off`";

const dayBudget = (cents: number | "off", whose: string) =>
  z
    .strictObject({
      cost_cents: z
        .union([z.literal("off"), z.number().gt(0, { error: A_BUDGET }).max(1_000_000_000)], {
          error: A_BUDGET,
        })
        .default(cents)
        .describe("US cents, or `off`."),
    })
    .prefault({})
    .describe(`What the model calls ${whose} may cost in a day.`);

export const budgetsSchema = z
  .strictObject({
    time_zone: z
      .string()
      .max(100)
      .refine(isTimeZone, { error: "expected the name of a time zone such as UTC or Europe/Berlin" })
      .default("UTC")
      .describe("Whose midnight begins a day."),
    warn_at: z
      .number()
      .gt(0)
      .max(1)
      .default(0.8)
      .describe("The share of a budget at which the operator is warned, once a day."),
    user: dayBudget("off", "for one person"),
    conversation: dayBudget("off", "in one conversation"),
    tenant: dayBudget("off", "in one workspace, server or business account"),
    agent: dayBudget("off", "of one agent"),
    global: dayBudget(10_000, "for everyone together"),
  })
  .prefault({})
  .describe("Never passed, by all replicas together: a call that might is not made, and the person is told.");

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
