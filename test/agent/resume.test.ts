import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunAborted } from "../../src/domain/abort.ts";
import type { Step } from "../../src/domain/run.ts";
import type { Prompt } from "../../src/ports/model.ts";
import { agentOf, benchFor, call, fakeModel, fakeTool, type Scripted, usage } from "./support.ts";

/** Answers by what the prompt holds, as a real model would: the same after a restart as before. */
const ANSWERS: readonly Scripted[] = [
  { text: "First.", calls: [call("1", "read"), call("2", "write")], usage: usage(10, 1, 1) },
  { text: "Then", stop: "pause", usage: usage(20, 1, 1) },
  { text: " this.", calls: [call("3", "write")], usage: usage(30, 1, 1) },
  { text: "Done.", usage: usage(40, 1, 1) },
];

function answerTo({ messages }: Prompt): Scripted {
  const answer = ANSWERS[messages.filter(({ role }) => role === "assistant").length];
  if (answer === undefined) throw new Error("Expected at most four answers");
  return answer;
}

function fresh() {
  const model = fakeModel(answerTo);
  const read = fakeTool("read", () => "read", true);
  const write = fakeTool("write");
  return { model, read, write, bench: benchFor(agentOf(model, { tools: [read, write] })) };
}

async function allSteps(): Promise<readonly Step[]> {
  const { bench } = fresh();
  await bench.run();
  return bench.records.at(-1) ?? [];
}

const isModel = ({ kind }: Step) => kind === "model";

describe("a run resumed after a crash", () => {
  it("does at every step what is left to do, and nothing twice", async () => {
    const steps = await allSteps();
    expect(steps).toHaveLength(10);
    for (let done = 0; done <= steps.length; done++) {
      const before = steps.slice(0, done);
      const { bench, model, read, write } = fresh();
      const result = await bench.run({ steps: before });

      expect(result).toMatchObject({
        outcome: "answered",
        text: "Done.",
        modelCalls: 4,
        usage: usage(100, 4, 4),
      });
      expect(model.prompts.length + before.filter(isModel).length).toBe(4);
      // Begun counts as done, unless the tool may be repeated.
      const begun = before.filter(({ kind }) => kind === "tool-started").length;
      const isCut = before.at(-1)?.kind === "tool-started";
      const repeats = isCut && begun === 1 ? 1 : 0;
      expect(read.inputs.length + write.inputs.length + begun).toBe(3 + repeats);
    }
  });

  it("tells the model that it is unknown whether a tool ran", async () => {
    const steps = await allSteps();
    const at = steps.findLastIndex(({ kind }) => kind === "tool-started");
    const { bench, model, write } = fresh();
    await bench.run({ steps: steps.slice(0, at + 1) });
    expect(write.inputs).toEqual([]);
    expect(model.prompts[0]?.messages.at(-1)).toEqual({
      role: "tool",
      callId: "3",
      result: "interrupted, outcome unknown",
      isError: true,
    });
    expect(bench.toolCalls).toMatchObject([{ tool: "write", outcome: "unknown-outcome" }]);
  });

  it("repeats a tool that is safe to repeat, without recording a second start", async () => {
    const steps = await allSteps();
    const { bench, read } = fresh();
    await bench.run({ steps: steps.slice(0, 2) });
    expect(read.inputs).toHaveLength(1);
    expect(bench.records[0]?.map(({ kind }) => kind)).toEqual(["model", "tool-started", "tool"]);
  });

  it.each([
    ["refusal", "refused"],
    ["length", "out-of-tokens"],
    ["end", "answered"],
    [undefined, "answered"],
  ] as const)(
    "ends by a recorded answer that stopped for %s as %s, without a call",
    async (stop, outcome) => {
      const step: Step = {
        kind: "model",
        text: "Hm.",
        toolCalls: [],
        usage: usage(1, 1),
        ...(stop && { stop }),
      };
      const { bench, model } = fresh();
      expect(await bench.run({ steps: [step] })).toMatchObject({ outcome });
      expect(model.prompts).toHaveLength(0);
    },
  );

  it("holds what was used before against the limits", async () => {
    const step: Step = { kind: "model", text: "Hm.", toolCalls: [], usage: usage(9000, 900), stop: "pause" };
    const { bench } = fresh();
    expect(await bench.run({ steps: [step] })).toMatchObject({ outcome: "out-of-tokens", modelCalls: 1 });
  });

  it("pays for no recorded answer again, whenever and however often it crashes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ afterRecords: fc.nat(9), isStored: fc.boolean() }), { maxLength: 4 }),
        async (crashes) => {
          let stored: readonly Step[] = [];
          let lost = 0;
          const { bench, model, write } = fresh();
          for (const { afterRecords, isStored } of crashes) {
            let records = 0;
            const record = async (steps: readonly Step[]) => {
              if (records++ < afterRecords) {
                stored = steps;
                return;
              }
              if (isStored) stored = steps;
              else if (steps.at(-1)?.kind === "model") lost++;
              throw new RunAborted("lease-lost");
            };
            await bench.run({ steps: stored, record }).catch(() => {});
          }
          const result = await bench.run({ steps: stored });
          expect(result).toMatchObject({ text: "Done.", modelCalls: 4 });
          expect(model.prompts).toHaveLength(4 + lost);
          expect(write.inputs.length).toBeLessThanOrEqual(2);
        },
      ),
      { numRuns: 60 },
    );
  });
});
