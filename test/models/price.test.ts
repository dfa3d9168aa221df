import { calcPrice } from "@pydantic/genai-prices";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ceilingCents, costCents, type Price } from "../../src/models/price.ts";
import { contextTokensOf, priceOf } from "../../src/models/price-table.ts";

const usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

function known(provider: string, model: string): Price {
  const price = priceOf(provider, model);
  if (price === undefined) throw new Error(`Expected a price for ${model}`);
  return price;
}

describe("priceOf", () => {
  it("knows the model that the shipped agent uses", () => {
    expect(priceOf("anthropic", "claude-sonnet-5")).toEqual({
      input: 2,
      output: 10,
      cacheRead: 0.2,
      cacheWrite: 2.5,
      tiers: [],
    });
  });

  it("gives a dated name the price of its model", () => {
    expect(priceOf("anthropic", "claude-opus-4-1-20250805")).toEqual(known("anthropic", "claude-opus-4-1"));
    expect(priceOf("openai", "gpt-5-2025-08-07")).toEqual(known("openai", "gpt-5"));
  });

  it("knows a first version by its date, which the table has as -0", () => {
    expect(priceOf("anthropic", "claude-sonnet-4-20250514")).toEqual(known("anthropic", "claude-sonnet-4-0"));
  });

  it.each([
    ["anthropic", "claude-sonnet-5-5"],
    ["anthropic", "claude-haiku-5-5"],
    ["anthropic", "claude-opus-4-1-fast"],
    ["anthropic", "no-such-model"],
    ["no-such-provider", "claude-sonnet-5"],
    ["openai", "gpt-5-codex"],
  ])("does not guess the price of %s %s", (provider, model) => {
    expect(priceOf(provider, model)).toBeUndefined();
  });

  it("knows models of Bedrock by region, and that one region is dearer than all", () => {
    const everywhere = known("bedrock", "global.anthropic.claude-sonnet-5-v1:0");
    expect(everywhere).toEqual(known("anthropic", "claude-sonnet-5"));
    const here = known("bedrock", "eu.anthropic.claude-sonnet-5-v1:0");
    expect(here.input).toBeGreaterThan(everywhere.input);
    expect(known("bedrock", "anthropic.claude-sonnet-5")).toEqual(here);
    expect(priceOf("bedrock", "anthropic.claude-sonnet-5-5-v1:0")).toBeUndefined();
    expect(priceOf("bedrock", "claude-sonnet-5")).toBeUndefined();
    const window = contextTokensOf("anthropic", "claude-sonnet-4-5");
    expect(window).toBeGreaterThan(100_000);
    expect(contextTokensOf("bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0")).toBe(window);
  });

  it("takes an override for any model, with cautious rates for what it leaves open", () => {
    expect(priceOf("anthropic", "claude-sonnet-5-5", { input: 4, output: 20 })).toEqual({
      input: 4,
      output: 20,
      cacheRead: 4,
      cacheWrite: 5,
      tiers: [],
    });
    expect(priceOf("openai", "x", { input: 1, output: 2, cacheRead: 0.5, cacheWrite: 0 })).toMatchObject({
      cacheRead: 0.5,
      cacheWrite: 0,
    });
  });

  it("knows that the demo model is free", () => {
    expect(costCents(known("demo", "demo"), { ...usage, inputTokens: 1e9, outputTokens: 1e9 })).toBe(0);
  });
});

describe("costCents", () => {
  it("charges cached input at its own rates", () => {
    const cost = costCents(known("anthropic", "claude-sonnet-5"), {
      inputTokens: 1_000_000,
      cacheReadTokens: 400_000,
      cacheWriteTokens: 100_000,
      outputTokens: 100_000,
    });
    expect(cost).toBeCloseTo(100 + 8 + 25 + 100, 9);
  });

  it("agrees with the price table, above and below a tier", () => {
    const call = fc
      .record({
        plain: fc.integer({ min: 0, max: 400_000 }),
        read: fc.integer({ min: 0, max: 400_000 }),
        write: fc.integer({ min: 0, max: 400_000 }),
        out: fc.integer({ min: 0, max: 100_000 }),
      })
      .map(({ plain, read, write, out }) => ({
        inputTokens: plain + read + write,
        cacheReadTokens: read,
        cacheWriteTokens: write,
        outputTokens: out,
      }));
    for (const model of ["claude-sonnet-4-5", "claude-opus-4-1", "claude-sonnet-5"]) {
      fc.assert(
        fc.property(call, (used) => {
          const table = calcPrice(
            {
              input_tokens: used.inputTokens,
              cache_read_tokens: used.cacheReadTokens,
              cache_write_tokens: used.cacheWriteTokens,
              output_tokens: used.outputTokens,
            },
            model,
            { providerId: "anthropic" },
          );
          expect(costCents(known("anthropic", model), used)).toBeCloseTo((table?.total_price ?? -1) * 100, 6);
        }),
        { numRuns: 100 },
      );
    }
  });

  it("never comes above the ceiling of a call, whatever the cache did", () => {
    const most = fc.record({
      inputTokens: fc.integer({ min: 0, max: 500_000 }),
      outputTokens: fc.integer({ min: 0, max: 50_000 }),
    });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(most, share, share, share, share, (limits, ofInput, ofRead, ofWrite, ofOutput) => {
        const inputTokens = Math.floor(limits.inputTokens * ofInput);
        const cacheReadTokens = Math.floor(inputTokens * ofRead);
        const cacheWriteTokens = Math.floor((inputTokens - cacheReadTokens) * ofWrite);
        const outputTokens = Math.floor(limits.outputTokens * ofOutput);
        const price = known("anthropic", "claude-sonnet-4-5");
        const cost = costCents(price, { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens });
        expect(cost).toBeLessThanOrEqual(ceilingCents(price, limits) + 1e-9);
      }),
    );
  });
});
