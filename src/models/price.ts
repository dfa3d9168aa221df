import type { Usage } from "../domain/run.ts";

/** US dollars per million tokens. */
export interface Rates {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

export interface Price extends Rates {
  /** Rates of the whole call once its input is larger; smallest `aboveInputTokens` first. */
  readonly tiers: readonly (Rates & { readonly aboveInputTokens: number })[];
}

/** A price from the configuration, in US dollars per million tokens. */
export interface PriceOverride {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
}

/** What is kept for an hour costs this much of plain input; the table has the price of five minutes alone. */
const HOUR_WRITE_FACTOR = 2;

/**
 * The cost of a call in US cents. `usage.inputTokens` includes the cached ones; `hourTokens` of those that were written to a cache
 * are kept for an hour.
 */
export function costCents(price: Price, usage: Omit<Usage, "costCents">, hourTokens = 0): number {
  const rates = ratesAt(price, usage.inputTokens);
  const plainTokens = Math.max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens);
  const microDollars =
    plainTokens * rates.input +
    usage.cacheReadTokens * rates.cacheRead +
    (usage.cacheWriteTokens - hourTokens) * rates.cacheWrite +
    hourTokens * Math.max(rates.cacheWrite, rates.input * HOUR_WRITE_FACTOR) +
    usage.outputTokens * rates.output;
  return microDollars / 10_000;
}

/** The most that a call with at most so many tokens can cost, in US cents, whatever the cache does. */
export function ceilingCents(price: Price, most: { inputTokens: number; outputTokens: number }): number {
  const reached = [price, ...price.tiers.filter((tier) => most.inputTokens > tier.aboveInputTokens)];
  const costs = reached.map(
    (rates) =>
      most.inputTokens * Math.max(rates.input, rates.cacheRead, rates.cacheWrite) +
      most.outputTokens * rates.output,
  );
  return Math.max(...costs) / 10_000;
}

function ratesAt(price: Price, inputTokens: number): Rates {
  return price.tiers.findLast((tier) => inputTokens > tier.aboveInputTokens) ?? price;
}
