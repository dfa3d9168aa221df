import { describe, expect, it } from "vitest";
import type { Agent } from "../../src/agent/agent.ts";
import { ModelError } from "../../src/domain/errors.ts";
import type { Step } from "../../src/domain/run.ts";
import { agentOf, benchFor, call, fakeModel, fakeTool, type Scripted, usage } from "./support.ts";

const asking = (tool: string, task: string, id = "1"): Scripted => ({
  calls: [call(id, tool, { task })],
  usage: usage(10, 1, 1),
});
const says = (text: string, cents = 2): Scripted => ({ text, usage: usage(20, 1, cents) });
const ASKS = [{ name: "servers", agent: "ops", description: "Knows our servers." }];

/** The assistant, who asks ops, who has a tool of its own. */
function pair(first: readonly Scripted[], second: readonly Scripted[], more: Partial<Agent> = {}) {
  const models = { assistant: fakeModel(first), ops: fakeModel(second, { name: "ops-1" }) };
  const disk = fakeTool("disk", () => "full");
  const ops = agentOf(models.ops, {
    name: "ops",
    systemPrompt: "You know the servers.",
    tools: [disk],
    ...more,
  });
  return { models, disk, bench: benchFor(agentOf(models.assistant, { asks: ASKS }), undefined, [ops]) };
}

const LOOKS: Scripted = { calls: [call("1", "disk")], usage: usage(20, 1, 2) };
const results = (steps: readonly Step[] | undefined) =>
  (steps ?? []).flatMap((step) => (step.kind === "tool" ? [[step.result, step.isError]] : []));

describe("an agent that another one asks as a tool", () => {
  it("works with its own words and tools on the task alone, and its answer is the result", async () => {
    const { bench, models, disk } = pair(
      [asking("servers", "Why slow?"), says("The disk.")],
      [LOOKS, says("It is full.")],
    );
    const result = await bench.run({ history: [{ role: "user", name: "Ann", text: "before", atMs: 0 }] });
    expect(result).toMatchObject({ outcome: "answered", text: "The disk.", model: "fake-1" });
    expect(models.assistant.prompts[0]?.tools.map(({ name }) => name)).toEqual(["servers"]);
    expect(models.ops.prompts[0]).toMatchObject({
      system: "You know the servers.",
      messages: [{ role: "user", text: "Why slow?" }],
    });
    expect(disk.inputs).toHaveLength(1);
    expect(results(bench.records.at(-1))).toEqual([["It is full.", false]]);
  });

  it("is paid for by the run that asks", async () => {
    const { bench } = pair([asking("servers", "Why slow?"), says("The disk.")], [LOOKS, says("It is full.")]);
    expect(await bench.run()).toMatchObject({ modelCalls: 4, usage: usage(70, 4, 7) });
  });

  it("goes on after a crash at every record, and nothing is paid for or done twice", async () => {
    const script = () =>
      pair([asking("servers", "Why slow?"), says("The disk.")], [LOOKS, says("It is full.")]);
    const whole = script();
    await whole.bench.run();
    expect(whole.bench.records.length).toBeGreaterThan(5);
    for (const steps of whole.bench.records) {
      const inner = steps.flatMap((step) => (step.kind === "agent" ? step.steps : []));
      const models = (all: readonly Step[]) => all.filter(({ kind }) => kind === "model").length;
      const left = [asking("servers", "Why slow?"), says("The disk.")].slice(models(steps));
      const innerLeft = [LOOKS, says("It is full.")].slice(models(inner));
      const { bench, disk } = pair(left, innerLeft);
      expect(await bench.run({ steps })).toMatchObject({
        text: "The disk.",
        modelCalls: 4,
        usage: usage(70, 4, 7),
      });
      const wasBegun = inner.some(({ kind }) => kind === "tool-started");
      expect(disk.inputs).toHaveLength(wasBegun ? 0 : 1);
    }
  });

  it("has no more money, answers and tokens than are left", async () => {
    const dear = fakeModel([says("never")], { ceilingCents: () => 6 });
    const poor = agentOf(
      fakeModel([{ ...asking("servers", "Why?"), usage: usage(10, 1, 5) }, says("So be it.", 0)]),
      {
        asks: ASKS,
        limits: { costCentsMax: 10 },
      },
    );
    const bench = benchFor(poor, undefined, [
      agentOf(dear, { name: "ops", limits: { costCentsMax: 1_000 } }),
    ]);
    expect(await bench.run()).toMatchObject({ text: "So be it." });
    expect(dear.prompts).toEqual([]);
    expect(results(bench.records.at(-1))).toEqual([
      [expect.stringContaining("I ran out of budget (5 cents)"), true],
    ]);
  });

  it("has no more time than is left", async () => {
    const slow = fakeModel([{ hang: "heeding" }]);
    const first = agentOf(fakeModel([asking("servers", "Why?")]), {
      asks: ASKS,
      limits: { maxExecutionMs: 1_000 },
    });
    const bench = benchFor(first, undefined, [agentOf(slow, { name: "ops" })]);
    expect(await bench.run()).toMatchObject({ outcome: "out-of-time" });
  });

  it("asks nobody who waits for it, and not without end", async () => {
    const names = ["a0", "a1", "a2", "a3", "a4"];
    const agents = names.map((name, i) =>
      agentOf(fakeModel([asking("next", "go"), asking("back", "go", "2"), says(`${name} done`)]), {
        name,
        asks: [
          { name: "next", agent: names[i + 1] ?? "nobody" },
          { name: "back", agent: "a0" },
        ],
      }),
    );
    const [first, ...others] = agents;
    if (first === undefined) throw new Error("Expected an agent");
    const bench = benchFor(first, undefined, others);
    expect(await bench.run()).toMatchObject({ text: "a0 done" });
    const all = JSON.stringify(bench.records.at(-1));
    expect(all).toContain("No more than 3 agents ask one another.");
    expect(all).toContain("a0 waits for this answer itself, and cannot be asked.");
    expect(all).not.toContain("a4 done");
  });

  it("does nothing that needs an approval: there is nobody whom it could ask", async () => {
    const deploy = { ...fakeTool("deploy"), asks: "call" as const };
    const tried: Scripted = { calls: [call("1", "deploy")] };
    const { bench } = pair([asking("servers", "Deploy"), says("No.")], [tried, says("I may not.")], {
      tools: [deploy],
    });
    expect(await bench.run()).toMatchObject({ text: "No." });
    expect(deploy.inputs).toEqual([]);
    expect(JSON.stringify(bench.records.at(-1))).toContain("needs the approval of a person");
  });

  it("that cannot be reached has the whole run tried again, and one that is paused or gone is told", async () => {
    const down = { error: new ModelError("MODEL_OVERLOADED", "529", { retryable: true }) };
    const { bench } = pair([asking("servers", "Why?")], [down, down, down]);
    await expect(bench.run()).rejects.toThrow("529");
    const paused = pair([asking("servers", "Why?"), says("Later.")], []);
    expect(await paused.bench.run({ isPaused: (agent) => agent === "ops" })).toMatchObject({
      text: "Later.",
    });
    const gone = benchFor(agentOf(fakeModel([asking("servers", "Why?"), says("Alone.")]), { asks: ASKS }));
    expect(await gone.run()).toMatchObject({ text: "Alone." });
    expect(results(gone.records.at(-1))).toEqual([["ops is not set up.", true]]);
  });
});
