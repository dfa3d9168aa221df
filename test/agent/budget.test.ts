import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BreakerOpen } from "../../src/domain/breaker.ts";
import { ModelError } from "../../src/domain/errors.ts";
import { createAnthropicModel } from "../../src/models/anthropic.ts";
import { costCents } from "../../src/models/price.ts";
import { Secret } from "../../src/shared/secret.ts";
import {
  agentOf,
  benchFor,
  call,
  eventOf,
  fakeModel,
  fakeTool,
  type Scripted,
  SimClock,
  usage,
} from "./support.ts";

/** One model call: what is set aside, what it really costs, and how it ends. */
interface Call {
  readonly ceiling: number;
  readonly share: number;
  readonly end: "tools" | "pause" | "cut" | "busy" | "end";
}

describe("the money budget", () => {
  it("is never passed, whatever calls cost and however they end", async () => {
    const calls = fc.array(
      fc.record<Call>({
        ceiling: fc.integer({ min: 0, max: 40 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        end: fc.constantFrom("tools", "pause", "cut", "busy", "end"),
      }),
      { minLength: 1, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(calls, fc.integer({ min: 0, max: 100 }), async (script, cap) => {
        let spent = 0;
        let at = 0;
        const next = () => script[at % script.length] ?? { ceiling: 0, share: 0, end: "end" as const };
        const model = fakeModel(
          (): Scripted => {
            const { ceiling, share, end } = next();
            at++;
            if (end === "busy")
              return { error: new ModelError("MODEL_OVERLOADED", "529", { retryable: true }) };
            // What a cut answer costs is charged too, though nobody is told.
            spent += ceiling * share;
            if (end === "cut")
              return { error: new ModelError("MODEL_STREAM_CUT", "cut", { retryable: true }) };
            const more = { text: "x", usage: usage(1, 1, ceiling * share) };
            if (end === "tools") return { ...more, calls: [call(`${at}`, "look")] };
            return { ...more, stop: end };
          },
          { ceilingCents: () => next().ceiling },
        );
        const limits = { costCentsMax: cap, maxIterations: 20, tokensMax: 1e6 };
        await benchFor(agentOf(model, { tools: [fakeTool("look")], limits }))
          .run()
          .catch((error: unknown) =>
            expect(error instanceof ModelError || error instanceof BreakerOpen).toBe(true),
          );
        expect(spent).toBeLessThanOrEqual(cap + 1e-9);
      }),
      {
        numRuns: 300,
        // A call that broke off, and one right behind it that costs nothing.
        examples: [
          [
            [
              { ceiling: 0, share: 0, end: "tools" },
              { ceiling: 2, share: 0.10000000005000004, end: "cut" },
            ],
            2,
          ],
        ],
      },
    );
  });

  it("holds for the ceiling of a real model, in any script, at the worst rate of tokens", () => {
    const price = { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5, tiers: [] };
    const model = createAnthropicModel({
      apiKey: new Secret("x"),
      model: "claude-sonnet-5",
      maxTokens: 4096,
      timeoutMs: 1000,
      price,
      clock: new SimClock(),
    });
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 4096 }), (text, maxTokens) => {
        const prompt = { system: text, messages: [{ role: "user" as const, text }], tools: [], maxTokens };
        const inputTokens = 2 * Buffer.byteLength(text);
        const worst = {
          inputTokens,
          cacheReadTokens: 0,
          cacheWriteTokens: inputTokens,
          outputTokens: maxTokens,
        };
        expect(costCents(price, worst)).toBeLessThanOrEqual(model.costCeilingCents(prompt));
      }),
    );
  });

  it("refuses the very first call when that could pass it", async () => {
    const model = fakeModel([], { ceilingCents: () => 0.02 });
    const bench = benchFor(agentOf(model, { limits: { costCentsMax: 0.01 } }));
    expect(await bench.run({ event: eventOf("x") })).toMatchObject({
      outcome: "out-of-money",
      text: "I ran out of budget (0.01 cents) before finishing.",
      modelCalls: 0,
    });
  });
});
