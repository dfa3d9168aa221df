import { calcPrice, type ModelPrice } from "@pydantic/genai-prices";
import type { Usage } from "../domain/run.ts";

/** US dollars per million tokens. */
interface Rates {
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

const FREE: Price = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, tiers: [] };
/** What writing to a cache costs, relative to plain input, where nobody says: the dearest known for five minutes. */
const CACHE_WRITE_FACTOR = 1.25;

/**
 * What a model costs; undefined when that is not known, which is a configuration error and never zero.
 *
 * The table finds models by likeness, which gives a new model the price of its elder (`claude-sonnet-5-5` that of
 * `claude-sonnet-5`). So what it finds counts only when it is the model asked for, up to a date: `…-20250929`.
 */
export function priceOf(provider: string, model: string, override?: PriceOverride): Price | undefined {
  if (override !== undefined) return fromOverride(override);
  if (provider === "demo") return FREE;
  const found = calcPrice({ input_tokens: 1 }, model, { providerId: provider });
  if (found === null || undated(found.model.id) !== undated(model)) return undefined;
  return fromTable(found.model_price);
}

/** The cost of a call in US cents. `usage.inputTokens` includes the cached ones. */
export function costCents(price: Price, usage: Omit<Usage, "costCents">): number {
  const rates = ratesAt(price, usage.inputTokens);
  const plainTokens = Math.max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens);
  const microDollars =
    plainTokens * rates.input +
    usage.cacheReadTokens * rates.cacheRead +
    usage.cacheWriteTokens * rates.cacheWrite +
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

function fromOverride(rates: PriceOverride): Price {
  return {
    input: rates.input,
    output: rates.output,
    cacheRead: rates.cacheRead ?? rates.input,
    cacheWrite: rates.cacheWrite ?? rates.input * CACHE_WRITE_FACTOR,
    tiers: [],
  };
}

function fromTable(row: ModelPrice): Price | undefined {
  const base = ratesFrom(row, null);
  if (base === undefined) return undefined;
  const starts = new Set(
    ["input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok"].flatMap((key) => {
      const cell = row[key];
      return typeof cell === "object" ? cell.tiers.map((tier) => tier.start) : [];
    }),
  );
  const tiers = [...starts]
    .sort((a, b) => a - b)
    .flatMap((start) => {
      const rates = ratesFrom(row, start);
      return rates === undefined ? [] : [{ ...rates, aboveInputTokens: start }];
    });
  return { ...base, tiers };
}

/** The rates above `start` input tokens; `start` null: those of a small call. */
function ratesFrom(row: ModelPrice, start: number | null): Rates | undefined {
  const at = (key: string): number | undefined => {
    const cell = row[key];
    if (typeof cell !== "object") return cell;
    if (start === null) return cell.base;
    return cell.tiers.findLast((tier) => tier.start <= start)?.price ?? cell.base;
  };
  const input = at("input_mtok");
  const output = at("output_mtok");
  if (input === undefined || output === undefined) return undefined;
  return {
    input,
    output,
    cacheRead: at("cache_read_mtok") ?? input,
    cacheWrite: at("cache_write_mtok") ?? input,
  };
}

/** `claude-opus-4-1-20250805`, `gpt-5-2025-08-07`, `…-latest` and the bare name are one model. */
function undated(model: string): string {
  return model.toLowerCase().replace(/-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$/, "");
}
