import { describe, expect, it } from "vitest";
import { promptFor } from "../../src/agent/prompt.ts";
import { withinRecord } from "../../src/agent/tool-pictures.ts";
import { NO_USAGE, type Step, type ToolPicture } from "../../src/domain/run.ts";
import { agentOf, call, eventOf, fakeModel } from "./support.ts";

const picture = (bytes = 3): ToolPicture => ({
  mime: "image/png",
  base64: Buffer.alloc(bytes).toString("base64"),
});
const shot = (callId: string, ...pictures: ToolPicture[]): Step[] => [
  { kind: "model", text: "", toolCalls: [call(callId, "look", {})], usage: NO_USAGE },
  { kind: "tool", callId, result: "[image]", isError: false, ...(pictures.length > 0 && { pictures }) },
];

describe("pictures that tools give", () => {
  const shown = (steps: Step[], tokensMax: number) => {
    const run = { id: "r", agent: "a", event: eventOf("look"), history: [], steps: [], startedAtMs: 0 };
    const { messages } = promptFor(run, agentOf(fakeModel([]), { limits: { tokensMax } }), steps);
    return messages.flatMap((message) =>
      message.role === "tool" ? [[message.result, message.pictures?.map(({ base64 }) => base64())]] : [],
    );
  };

  it("are shown with their result, and nothing that prints a prompt comes upon their bytes", () => {
    const steps = shot("1", picture());
    expect(shown(steps, 100_000)).toEqual([["[image]", ["AAAA"]]]);
    const run = { id: "r", agent: "a", event: eventOf("look"), history: [], steps: [], startedAtMs: 0 };
    expect(JSON.stringify(promptFor(run, agentOf(fakeModel([])), steps))).not.toContain("AAAA");
  });

  it("are left out where the budget has no room for them, the oldest first, and the model is told", () => {
    const steps = [...shot("1", picture()), ...shot("2"), ...shot("3", picture())];
    expect(shown(steps, 10_000)).toEqual([
      ["[image]\n⟦images left out: they take more than the budget of a run has room for⟧", undefined],
      ["[image]", undefined],
      ["[image]", ["AAAA"]],
    ]);
  });

  it("are recorded as far as the record of a run has room for them", () => {
    const steps = shot("1", picture(1_500_000));
    const given = {
      result: "[image]\n[image]",
      isError: false,
      pictures: [picture(700_000), picture(500_000)],
    };
    const { result, pictures } = withinRecord(given, steps);
    expect(pictures?.map(({ base64 }) => Buffer.from(base64, "base64").length)).toEqual([500_000]);
    expect(result).toBe("[image]\n[image]\n⟦1 of them left out: this run has seen too many images⟧");
    expect(withinRecord({ result: "x", isError: false }, steps)).toEqual({ result: "x", isError: false });
    const inner: Step[] = [{ kind: "agent", callId: "1", agent: "b", steps: shot("1", picture(2_000_000)) }];
    expect(withinRecord(given, inner).pictures).toBeUndefined();
  });
});
