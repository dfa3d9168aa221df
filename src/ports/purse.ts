import type { Microcents } from "../domain/money.ts";

/** What may be spent in one day in one scope. */
export interface Cap {
  /** Whose: `global`, or its kind and its key, as `tenant:test:T1`. */
  readonly scope: string;
  /** Null: it is counted, and nothing more. */
  readonly limit: Microcents | null;
  /** From here on somebody is to be warned; null: nobody. */
  readonly warnAt: Microcents | null;
}

export interface HoldRequest {
  /** The same call made twice holds once. */
  readonly id: string;
  /** A calendar day, `2026-11-29`. */
  readonly day: string;
  readonly amount: Microcents;
  readonly caps: readonly Cap[];
}

export type Holding =
  /** `warned`: scopes that came to their `warnAt` with this, for the first time on this day. */
  | { readonly kind: "held"; readonly warned: readonly string[] }
  /** Nothing is held. `scope`: the first of the caps that has not so much left. */
  | { readonly kind: "over"; readonly scope: string };

/** What a call cost and used. */
export interface Spend {
  readonly amount: Microcents;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

/** Of one scope on one day. `calls` are those whose end is known and that used something. */
export interface Spent extends Spend {
  readonly scope: string;
  /** Of calls that are being made, and of those that broke off: nobody knows what these cost. */
  readonly held: Microcents;
  readonly calls: number;
}

/** The money of a day, one for all that share the store. */
export interface Purse {
  /**
   * Sets money aside in all of these scopes, or in none. Durable before it resolves. In each, what was spent and what is
   * held never pass the limit together, however many ask at once. What is held counts as spent until it is settled, and
   * stays so if it never is: a call that broke off may have cost all of it.
   */
  hold(request: HoldRequest): Promise<Holding>;
  /** Puts what a call cost, less or more, in place of what was held for it. Once: what comes again changes nothing. */
  settle(hold: Pick<HoldRequest, "id" | "day">, spend: Spend): Promise<void>;
  /** One for each scope, in this order; zeros where nothing was spent, or too long ago (SPENDING_KEPT_DAYS). */
  spent(day: string, scopes: readonly string[]): Promise<readonly Spent[]>;
}
