import { beforeEach, describe, expect, it } from "vitest";
import type { Agent } from "../../src/agent/agent.ts";
import { NO_USAGE, type Turn } from "../../src/domain/run.ts";
import type { KeptAnswer, RunAnswers } from "../../src/ports/answers.ts";
import { agentOf, benchFor, call, eventOf, fakeModel, fakeTool, type Scripted } from "./support.ts";

const CACHE = { ttlMs: 3_600_000, of: "a configuration" };

/** Of one conversation, for ever. */
class Kept implements RunAnswers {
  readonly all = new Map<string, KeptAnswer & { readonly ttlMs: number }>();
  isAway = false;

  async find(digest: string) {
    if (this.isAway) throw new Error("away");
    return this.all.get(digest) ?? null;
  }

  async keep(digest: string, answer: KeptAnswer, ttlMs: number) {
    if (this.isAway) throw new Error("away");
    this.all.set(digest, { ...answer, ttlMs });
  }
}

let answers: Kept;
beforeEach(() => {
  answers = new Kept();
});

const counting = () => fakeModel((_, n) => ({ text: `answer ${n}` }));
const benchOf = (model = counting(), more: Partial<Omit<Agent, "limits">> = {}) => ({
  model,
  ...benchFor(agentOf(model, { cache: CACHE, ...more })),
});

describe("an answer", () => {
  it("is given again to the same, and costs nothing, though no model is called", async () => {
    const bench = benchOf();
    const { model, records, cached, modelCalls } = bench;
    const first = await bench.run({ answers });
    expect(first).toMatchObject({ text: "answer 0", modelCalls: 1 });
    expect([...answers.all.values()]).toEqual([{ text: "answer 0", model: "fake/fake-1", ttlMs: 3_600_000 }]);
    const second = await bench.run({ answers });
    expect(second).toMatchObject({ outcome: "answered", text: "answer 0", usage: NO_USAGE, modelCalls: 0 });
    expect(records.at(-1)).toEqual([
      {
        ...{ kind: "model", text: "answer 0", toolCalls: [], usage: NO_USAGE, stop: "end" },
        ...{ model: "fake/fake-1", fromCache: true },
      },
    ]);
    expect(model.prompts).toHaveLength(1);
    expect(modelCalls).toHaveLength(1);
    expect(cached).toEqual(["miss", "hit"]);
  });

  it("is of all that the model is shown, and of the agent as it is configured", async () => {
    const bench = benchOf();
    const { cached } = bench;
    const turn: Turn = { role: "user", text: "before", atMs: 1, name: "Ann" };
    await bench.run({ answers });
    await bench.run({ answers, event: eventOf("something else") });
    await bench.run({ answers, history: [turn] });
    await bench.run({ answers, event: eventOf("hello", { isDirect: false }) });
    for (const more of [
      { systemPrompt: "Be long." },
      { tools: [fakeTool("look")] },
      { cache: { ...CACHE, of: "another one" } },
      { fallbacks: [fakeModel([], { name: "fake-2" })] },
    ] satisfies Partial<Agent>[]) {
      const other = benchOf(counting(), more);
      await other.run({ answers });
      cached.push(...other.cached);
    }
    expect(cached).toEqual(Array(8).fill("miss"));
    expect(answers.all.size).toBe(8);
  });

  it("is of the bytes of its files: two pictures of one size are not the same", async () => {
    const bench = benchOf();
    const event = eventOf("What is it?", {
      attachments: [{ id: "F1", kind: "image", name: "it.png", mime: "image/png", sizeBytes: 3 }],
    });
    const ask = (base64: string) => {
      const picture = {
        kind: "image",
        mime: "image/png",
        bytes: 3,
        tokensMax: 1,
        base64: () => base64,
      } as const;
      return bench.run({ answers, event, files: new Map([["F1", picture]]) });
    };
    for (const base64 of ["AAAA", "BBBB", "AAAA"]) await ask(base64);
    expect(bench.cached).toEqual(["miss", "miss", "hit"]);
  });

  it.each<[string, readonly Scripted[]]>([
    ["used a tool", [{ calls: [call("c1", "look")] }, { text: "seen" }]],
    ["met a limit", [{ text: "cut", stop: "length" }]],
    ["was declined", [{ text: "no", stop: "refusal" }]],
  ])("that %s is not kept", async (_, script) => {
    const bench = benchOf(fakeModel(script), { tools: [fakeTool("look")] });
    await bench.run({ answers });
    expect(answers.all.size).toBe(0);
    // And is not looked for behind the tool.
    expect(bench.cached).toEqual(["miss"]);
  });

  it("is asked for each time without `cache`, by a remote agent, and where nothing may be kept", async () => {
    for (const bench of [benchFor(agentOf(counting())), benchOf({ ...counting(), goesOn: true as const })]) {
      await bench.run({ answers });
      expect(bench.cached).toEqual([]);
    }
    const bench = benchOf();
    const { model } = bench;
    await bench.run();
    await bench.run();
    expect(model.prompts).toHaveLength(2);
    expect(answers.all.size).toBe(0);
  });

  it("is given all the same while the store of them is away", async () => {
    answers.isAway = true;
    const bench = benchOf();
    const { model, cached } = bench;
    expect(await bench.run({ answers })).toMatchObject({ text: "answer 0" });
    expect(await bench.run({ answers })).toMatchObject({ text: "answer 1" });
    expect(model.prompts).toHaveLength(2);
    expect(cached).toEqual(["miss", "miss"]);
  });
});
