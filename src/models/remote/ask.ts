import type { Tool } from "../../ports/tool.ts";
import { isObject } from "../../shared/json.ts";

/** What a remote agent's `ask` becomes: a question with answers of its own, on which the run waits. */
export const REMOTE_ASK: Tool = {
  name: "ask",
  description: "Asks a person, who answers with one of the choices.",
  effect: "write",
  repeatable: true,
  inputSchema: {
    type: "object",
    properties: { question: { type: "string" }, choices: { type: "array", items: { type: "string" } } },
    required: ["question", "choices"],
  },
  asks: (input) => (isObject(input) && typeof input.question === "string" ? input.question : "May I?"),
  offers: choicesIn,
  call: () => Promise.reject(new Error("Expected the answer to be all of it")),
};

const YES_OR_NO = ["Approve", "Deny"];

function choicesIn(input: unknown): readonly string[] {
  const given = isObject(input) && Array.isArray(input.choices) ? input.choices : [];
  const choices = given.filter((one) => typeof one === "string");
  return choices.length === 0 ? YES_OR_NO : choices;
}
