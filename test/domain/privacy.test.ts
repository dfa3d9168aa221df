import { expect, it } from "vitest";
import { anyOf, personIn, REMOVED, withoutPerson } from "../../src/domain/privacy.ts";

const erasing = (...words: string[]) => ({
  ...{ platform: "slack", tenant: "T1", ids: new Set(["U1"]), words: anyOf(new Set(words)) },
});

it("a person is a platform, a workspace and an id, which may hold colons", () => {
  expect(personIn("slack:T1:U1")).toEqual({ platform: "slack", tenant: "T1", id: "U1" });
  expect(personIn("test:local:a:b\n")).toEqual({ platform: "test", tenant: "local", id: "a:b\n" });
  for (const text of ["", "slack", "slack:T1", "slack:T1:", "::U1"]) expect(personIn(text)).toBeNull();
});

it("words are replaced whole and where words stand, whatever a person calls themselves", () => {
  const progress = {
    runId: "answered",
    agent: "tool",
    steps: [
      {
        kind: "model",
        text: "tool and toolbox",
        toolCalls: [{ id: "tool", name: "tool", input: { kind: "tool", path: "tool" } }],
      },
      { kind: "tool-decided", by: { id: "U1", name: "tool" }, verdict: "answered" },
      { kind: "tool-decided", by: { id: "U2", name: "tool" } },
    ],
    answer: {
      outcome: "answered",
      text: "it is answered (.*) here",
      parts: ['{"kind":"answered","text":"\\"answered\\" {"}'],
    },
  };
  expect(withoutPerson(progress, erasing("tool", "answered", "(.*)", "model"))).toEqual({
    runId: "answered",
    agent: "tool",
    steps: [
      {
        kind: "model",
        text: `${REMOVED} and toolbox`,
        toolCalls: [{ id: "tool", name: "tool", input: { kind: "tool", path: REMOVED } }],
      },
      { kind: "tool-decided", by: { id: REMOVED, name: REMOVED }, verdict: "answered" },
      { kind: "tool-decided", by: { id: "U2", name: "tool" } },
    ],
    answer: {
      outcome: "answered",
      text: `it is ${REMOVED} ${REMOVED} here`,
      parts: [`{"kind":"answered","text":"\\"${REMOVED}\\" {"}`],
    },
  });
});
