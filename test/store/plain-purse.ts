import type { Cap, Holding, Spend, Spent } from "../../src/ports/purse.ts";

export const HELD: Holding = { kind: "held", warned: [] };

export const cap = (scope: string, limit: number | null, warnAt: number | null = null): Cap => ({
  scope,
  limit,
  warnAt,
});
export const cost = (amount: number, more: Partial<Spend> = {}): Spend => ({
  amount,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  ...more,
});
export const spentOf = (scope: string, amount: number, held: number, calls: number): Spent => ({
  ...cost(amount),
  scope,
  held,
  calls,
});

/** What a purse does, in the plainest way. */
export class PlainPurse {
  readonly #holds = new Map<string, { amount: number | null; scopes: string[]; cost: number }>();

  hold(day: string, id: string, amount: number, caps: readonly Cap[]): Holding {
    if (this.#holds.has(`${day} ${id}`)) return HELD;
    for (const { scope, limit } of caps) {
      const { amount: spent, held } = this.spent(day, scope);
      if (limit !== null && spent + held + amount > limit) return { kind: "over", scope };
    }
    this.#holds.set(`${day} ${id}`, { amount, scopes: caps.map(({ scope }) => scope), cost: 0 });
    return HELD;
  }

  settle(day: string, id: string, amount: number): void {
    const found = this.#holds.get(`${day} ${id}`);
    if (found === undefined || found.amount === null) return;
    found.amount = null;
    found.cost = amount;
  }

  spent(day: string, scope: string): Spent {
    const mine = [...this.#holds]
      .filter(([key, { scopes }]) => key.startsWith(day) && scopes.includes(scope))
      .map(([, one]) => one);
    const sum = (of: (one: (typeof mine)[number]) => number) => mine.reduce((all, one) => all + of(one), 0);
    return spentOf(
      scope,
      sum(({ cost }) => cost),
      sum(({ amount }) => amount ?? 0),
      mine.filter(({ amount, cost }) => amount === null && cost > 0).length,
    );
  }
}
