import { describe, expect, it } from "vitest";
import { RunAborted } from "../../src/domain/abort.ts";
import { GatewayError, ModelError } from "../../src/domain/errors.ts";
import type { Step } from "../../src/domain/run.ts";
import { agentOf, benchFor, call, fakeModel, fakeTool, usage } from "./support.ts";

const overloaded = new ModelError("MODEL_OVERLOADED", "529", { retryable: true });
const rejected = new ModelError("MODEL_REQUEST_REJECTED", "400", { retryable: false });
const LOST = { name: "RunAborted", why: "lease-lost" };

/** Held so many times that it is asked for; then another holder has the event. */
function heldFor(times: number) {
  let asked = 0;
  return async () => {
    if (++asked > times) throw new RunAborted("lease-lost");
  };
}

describe("who waits for a run", () => {
  it("hears of each call: that it was made, whether the model is at work, and that it failed", async () => {
    const told: string[] = [];
    const waiting = {
      asked: () => told.push("asked"),
      heard: () => told.push("heard"),
      inTrouble: () => told.push("in trouble"),
    };
    const model = fakeModel([{ error: overloaded }, { calls: [call("1", "look")] }, { error: rejected }]);
    const fallback = fakeModel([{ text: "Hi." }], { name: "fake-2" });
    const agent = agentOf(model, { tools: [fakeTool("look")], fallbacks: [fallback] });
    await benchFor(agent).run({ waiting });
    const once = told.filter((what, at) => what !== told[at - 1]);
    expect(once).toEqual(["asked", "in trouble", "asked", "heard", "asked", "heard"]);
    expect(told.filter((what) => what === "asked")).toHaveLength(4);
  });
});

describe("a run whose event another holder may have by now", () => {
  it("does not ask the model at all", async () => {
    const model = fakeModel([{ text: "Hi." }]);
    await expect(benchFor(agentOf(model)).run({ ensure: heldFor(0) })).rejects.toMatchObject(LOST);
    expect(model.prompts).toHaveLength(0);
  });

  it("does not ask the model again after a pause, however often it has failed before", async () => {
    const model = fakeModel([{ error: overloaded }, { error: overloaded }, { text: "Paid twice." }]);
    const bench = benchFor(agentOf(model));
    await expect(bench.run({ ensure: heldFor(2) })).rejects.toMatchObject(LOST);
    expect(model.prompts).toHaveLength(2);
    expect(bench.records).toEqual([]);
  });

  it("does not ask the next model in line", async () => {
    const fallback = fakeModel([{ text: "Paid twice." }], { name: "fake-2" });
    const agent = agentOf(fakeModel([{ error: rejected }]), { fallbacks: [fallback] });
    await expect(benchFor(agent).run({ ensure: heldFor(1) })).rejects.toMatchObject(LOST);
    expect(fallback.prompts).toHaveLength(0);
  });

  it("does not ask the model for another step, nor a fallback after its retries", async () => {
    const tool = fakeTool("look");
    const fallback = fakeModel([{ text: "Paid twice." }], { name: "fake-2" });
    const model = fakeModel([{ calls: [call("1", "look")] }, { error: overloaded }, { error: overloaded }]);
    const bench = benchFor(agentOf(model, { tools: [tool], fallbacks: [fallback] }));
    // A model, a tool, and the two attempts that are allowed.
    await expect(bench.run({ ensure: heldFor(4) })).rejects.toMatchObject(LOST);
    expect(model.prompts.length + tool.inputs.length).toBe(4);
    expect(fallback.prompts).toHaveLength(0);
  });

  it("calls no tool, not even one that is safe to repeat after a restart", async () => {
    const steps: Step[] = [
      { kind: "model", text: "", toolCalls: [call("1", "look")], usage: usage(1, 1) },
      { kind: "tool-started", callId: "1" },
    ];
    for (const before of [steps, steps.slice(0, 1)]) {
      const tool = fakeTool("look", () => "seen", true);
      const bench = benchFor(agentOf(fakeModel([]), { tools: [tool] }));
      await expect(bench.run({ steps: before, ensure: heldFor(0) })).rejects.toMatchObject(LOST);
      expect(tool.inputs).toEqual([]);
    }
  });

  it("waits when the store cannot tell, and does not take that for a failure of the model", async () => {
    const away = new GatewayError("STORE_UNAVAILABLE", "away");
    const model = fakeModel([{ error: overloaded }, { text: "ok" }]);
    let asked = 0;
    const ensure = async () => {
      if (++asked === 2) throw away;
    };
    await expect(benchFor(agentOf(model)).run({ ensure })).rejects.toBe(away);
    expect(model.prompts).toHaveLength(1);
  });
});
