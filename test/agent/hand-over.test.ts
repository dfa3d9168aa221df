import { describe, expect, it } from "vitest";
import type { Agent } from "../../src/agent/agent.ts";
import type { Step } from "../../src/domain/run.ts";
import { agentOf, benchFor, call, fakeModel, fakeTool, type Scripted, usage } from "./support.ts";

const to = (agent: unknown, note?: string) =>
  call("1", "hand_over", { agent, ...(note !== undefined && { note }) });
const handing = (agent: unknown, note?: string): Scripted => ({
  text: "One moment.",
  calls: [to(agent, note)],
  usage: usage(10, 1, 1),
});
const DONE: Scripted = { text: "Done.", usage: usage(20, 1, 2) };

/** The assistant, who may hand over to ops, who may hand back and to billing. */
function team(first: readonly Scripted[], second: readonly Scripted[], more: Partial<Agent> = {}) {
  const models = {
    assistant: fakeModel(first),
    ops: fakeModel(second, { name: "ops-1" }),
    billing: fakeModel([DONE]),
  };
  const assistant = agentOf(models.assistant, {
    handOver: [{ agent: "ops", when: "servers" }, { agent: "gone" }],
    ...more,
  });
  const ops = agentOf(models.ops, {
    name: "ops",
    systemPrompt: "You know the servers.",
    tools: [fakeTool("disk", () => "full")],
    handOver: [{ agent: "assistant" }, { agent: "billing" }],
    limits: { costCentsMax: 1_000, tokensMax: 100_000, maxIterations: 3 },
  });
  const billing = agentOf(models.billing, { name: "billing" });
  return { models, bench: benchFor(assistant, undefined, [ops, billing]) };
}

const results = (steps: readonly Step[] | undefined) =>
  (steps ?? []).flatMap((step) => (step.kind === "tool" ? [step.result] : []));

describe("a conversation that is handed over", () => {
  it("is answered by the other agent, with its own words, tools and model, and the note", async () => {
    const { bench, models } = team([handing("ops", "The disk is full.")], [DONE]);
    const result = await bench.run({ history: [{ role: "user", name: "Ann", text: "before", atMs: 0 }] });
    expect(result).toMatchObject({ outcome: "answered", text: "Done.", model: "ops-1", modelCalls: 2 });
    expect(models.assistant.prompts[0]?.tools[0]?.description).toContain("ops: servers\ngone");
    const [prompt] = models.ops.prompts;
    expect(prompt?.system).toContain("You know the servers.");
    expect(prompt?.tools.map(({ name }) => name)).toEqual(["disk", "hand_over"]);
    expect(prompt?.messages.map((message) => ("text" in message ? message.text : ""))).toEqual([
      "before",
      "hello",
      "⟦assistant has handed this conversation over to you: answer in its place⟧\nThe disk is full.",
    ]);
  });

  it("goes on with the other agent after a crash at any step, and nothing is paid for twice", async () => {
    const first = team([handing("ops")], [DONE]);
    await first.bench.run();
    const steps = first.bench.records.at(-1) ?? [];
    expect(steps.map(({ kind }) => kind)).toEqual(["model", "tool", "model"]);
    for (const [done, calls] of [
      [1, { assistant: 0, ops: 1 }],
      [2, { assistant: 0, ops: 1 }],
      [3, { assistant: 0, ops: 0 }],
    ] as const) {
      const { bench, models } = team([handing("ops")], [DONE]);
      const result = await bench.run({ steps: steps.slice(0, done) });
      expect(result).toMatchObject({ text: "Done.", model: "ops-1", usage: usage(30, 2, 3) });
      expect({ assistant: models.assistant.prompts.length, ops: models.ops.prompts.length }).toEqual(calls);
    }
  });

  it("has one purse: what the first one spent, the other one cannot", async () => {
    const dear = fakeModel([DONE], { ceilingCents: () => 6 });
    const poor = agentOf(fakeModel([{ ...handing("ops"), usage: usage(10, 1, 5) }]), {
      handOver: [{ agent: "ops" }],
      limits: { costCentsMax: 10 },
    });
    const rich = agentOf(dear, { name: "ops", limits: { costCentsMax: 1_000 } });
    const result = await benchFor(poor, undefined, [rich]).run();
    expect(result).toMatchObject({ outcome: "out-of-money" });
    expect(dear.prompts).toEqual([]);
  });

  it("does not go round, nor to whom it may not, nor to whom there is not", async () => {
    const { bench, models } = team(
      [handing("billing"), handing("gone"), handing({}), handing("ops")],
      [handing("assistant"), DONE],
    );
    expect(await bench.run()).toMatchObject({ outcome: "answered", text: "Done." });
    expect(results(bench.records.at(-1))).toEqual([
      "Expected one of these agents: ops, gone. Got: billing",
      "gone is not set up: answer it yourself.",
      "Expected one of these agents: ops, gone. Got: ",
      "handed over to ops",
      "assistant has had this message already: answer it yourself.",
    ]);
    expect(models.ops.prompts).toHaveLength(2);
  });

  it("is handed over so many times and no more", async () => {
    const names = ["a0", "a1", "a2", "a3", "a4", "a5"];
    const agents = names.map((name, i) =>
      agentOf(fakeModel([handing(names[i + 1] ?? ""), DONE]), {
        name,
        handOver: names.map((agent) => ({ agent })),
      }),
    );
    const [first, ...others] = agents;
    if (first === undefined) throw new Error("Expected an agent");
    const bench = benchFor(first, undefined, others);
    expect(await bench.run()).toMatchObject({ outcome: "answered", text: "Done." });
    expect(results(bench.records.at(-1)).at(-1)).toBe(
      "This message was handed over 4 times already: answer it yourself.",
    );
  });

  it("leaves what else was asked for at once to nobody", async () => {
    const tool = fakeTool("write");
    const both: Scripted = { calls: [to("ops"), call("2", "write")] };
    const { bench } = team([both], [DONE], { tools: [tool] });
    expect(await bench.run()).toMatchObject({ text: "Done." });
    expect(tool.inputs).toEqual([]);
  });

  it("is not handed to an agent that is paused", async () => {
    const { bench } = team([handing("ops"), DONE], []);
    expect(await bench.run({ isPaused: (agent) => agent === "ops" })).toMatchObject({ text: "Done." });
    expect(results(bench.records.at(-1))).toEqual(["ops is paused at the moment: answer it yourself."]);
  });
});
