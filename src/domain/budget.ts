import { personOf } from "./conversation.ts";
import type { TriggerEvent } from "./event.ts";

/** Whose budget of a day. */
export const BUDGET_SCOPES = ["user", "conversation", "tenant", "agent", "global"] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

/** US cents a day; null: no limit. */
export type DayLimits = Readonly<Record<BudgetScope, number | null>>;

/** Names of scopes as the purse knows them, the narrowest first: of several that are over, that one is told. */
export function scopesOf(event: TriggerEvent, agent: string): Readonly<Record<BudgetScope, string>> {
  const tenant = `${event.platform}:${event.tenant}`;
  return {
    user: scopeName("user", `${tenant}:${personOf(event)}`),
    conversation: scopeName("conversation", event.conversation),
    tenant: scopeName("tenant", tenant),
    agent: scopeName("agent", agent),
    global: GLOBAL,
  };
}

export const GLOBAL = "global";

/** `model`: counted, and under no budget. */
export function scopeName(scope: Exclude<BudgetScope, "global"> | "model", key: string): string {
  return `${scope}:${key}`;
}
