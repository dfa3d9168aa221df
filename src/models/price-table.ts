import { calcPrice, findProvider, type ModelPrice } from "@pydantic/genai-prices";
import type { Price, PriceOverride, Rates } from "./price.ts";

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
  const found = rowOf(provider, model);
  return found && fromTable(found.model_price);
}

export function isPriced(provider: string, model: string): boolean {
  return priceOf(provider, model) !== undefined;
}

/** Names of models that the table has a price of. */
export function pricedModels(provider: string): readonly string[] {
  const models = findProvider({ providerId: TABLE_NAMES[provider] ?? provider })?.models ?? [];
  return models.map(({ id }) => id);
}

/** How many tokens a prompt and its answer may have together; undefined when the table does not say so of this very model. */
export function contextTokensOf(provider: string, model: string): number | undefined {
  // Of Bedrock's the table has prices alone, and they are the same models.
  if (provider === "bedrock") return contextTokensOf("anthropic", exactly(model).replace(/^anthropic\./, ""));
  return rowOf(provider, model)?.model.context_window ?? undefined;
}

/** Of providers that the table has under another name. */
const TABLE_NAMES: Readonly<Record<string, string>> = { bedrock: "aws" };

function rowOf(provider: string, model: string) {
  const found = calcPrice({ input_tokens: 1 }, model, { providerId: TABLE_NAMES[provider] ?? provider });
  return found !== null && exactly(found.model.id) === exactly(model) ? found : undefined;
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

/** On Bedrock: `us.anthropic.claude-…-v1:0` too, of which the table has a row for all regions together. */
function exactly(model: string): string {
  const [, bare] = /^(?:[a-z-]+\.)?(anthropic\..+?)(?:-v\d+(?::\d+)?)?$/.exec(model.toLowerCase()) ?? [];
  return undated(bare ?? model);
}

/** `claude-opus-4-1-20250805`, `gpt-5-2025-08-07`, `…-latest`, `claude-sonnet-4-0` and the bare name are one model. */
function undated(model: string): string {
  return model.toLowerCase().replace(/-(\d{8}|\d{4}-\d{2}-\d{2}|latest|0)$/, "");
}
