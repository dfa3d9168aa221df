import type { Tool } from "../ports/tool.ts";

/** What `demo: ask …` calls: does nothing, and only after somebody has approved it. */
export const DEMO_ASK: Tool = {
  name: "ask",
  description: "Asks a person, and says who has approved.",
  effect: "write",
  repeatable: true,
  inputSchema: { type: "object", properties: { question: { type: "string" } }, required: ["question"] },
  asks: questionIn,
  call: async (_input, _signal, approvedBy) => `approved by ${approvedBy?.name ?? "nobody"}`,
};

function questionIn(input: unknown): string {
  const { question } = (input ?? {}) as { readonly question?: unknown };
  return typeof question === "string" && question.trim() !== "" ? question : "May I?";
}
