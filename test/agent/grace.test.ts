import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/domain/errors.ts";
import { agentOf, benchFor, call, fakeModel, fakeTool, type Scripted, SimClock } from "./support.ts";

const LIMITS = { maxExecutionMs: 300_000, graceMs: 10_000 };
const OUT_OF_TIME = "I ran out of time (300 s) before finishing.";

/** Gives its answers after so long. */
function slowModel(clock: SimClock, answers: readonly (Scripted & { readonly afterMs: number })[]) {
  const model = fakeModel(answers);
  return {
    ...model,
    async *generate(...[prompt, signal]: Parameters<typeof model.generate>) {
      const { afterMs = 0 } = answers[model.prompts.length] ?? {};
      const answer = model.generate(prompt, signal);
      yield { kind: "text" as const, text: "So far. " };
      await clock.sleep(afterMs, signal);
      yield* answer;
    },
  };
}

function benchWith(answers: readonly (Scripted & { readonly afterMs: number })[], more = {}) {
  const clock = new SimClock();
  const tool = fakeTool("look", () => new Promise(() => {}));
  const model = slowModel(clock, answers);
  return { ...benchFor(agentOf(model, { tools: [tool], limits: LIMITS, ...more }), clock), model, tool };
}

describe("when the time is over", () => {
  it("an answer that is being given comes to its end within the grace", async () => {
    const bench = benchWith([{ afterMs: 309_999, text: "Done." }]);
    expect(await bench.run()).toMatchObject({ outcome: "answered", text: "So far. Done." });
  });

  it("it is cut at the end of the grace, and the run says what there is", async () => {
    const bench = benchWith([{ afterMs: 310_001, text: "Done." }]);
    expect(await bench.run()).toMatchObject({
      outcome: "out-of-time",
      text: `${OUT_OF_TIME} This is what I have so far:\n\nSo far.`,
    });
    expect(bench.clock.nowMs() - bench.startedAtMs).toBe(310_000);
  });

  it("no tool is begun that it asks for then", async () => {
    const bench = benchWith([{ afterMs: 305_000, calls: [call("c1", "look")] }]);
    expect(await bench.run()).toMatchObject({ outcome: "out-of-time" });
    expect(bench.tool.inputs).toEqual([]);
  });

  it("a tool has no grace: its result would come to nobody", async () => {
    const bench = benchWith([{ afterMs: 290_000, calls: [call("c1", "look")] }], {
      limits: { ...LIMITS, toolTimeoutMs: 60_000 },
    });
    expect(await bench.run()).toMatchObject({ outcome: "out-of-time" });
    expect(bench.tool.inputs).toHaveLength(1);
    expect(bench.clock.nowMs() - bench.startedAtMs).toBe(300_000);
  });

  it("no fallback is asked when the model fails then", async () => {
    const clock = new SimClock();
    const failing = slowModel(clock, [
      { afterMs: 301_000, error: new ModelError("MODEL_AUTH", "401", { retryable: false }) },
    ]);
    const next = fakeModel([{ text: "late" }], { name: "next" });
    const bench = benchFor(agentOf(failing, { fallbacks: [next], limits: LIMITS }), clock);
    expect(await bench.run()).toMatchObject({ outcome: "out-of-time" });
    expect(next.prompts).toEqual([]);
  });
});
