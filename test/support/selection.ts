import { Selection, type SelectionDeps } from "../../src/dispatch/selection.ts";
import type { AgentChoice } from "../../src/domain/asking.ts";

/** Nobody is asked for by name, unless the test is about that. Choices are kept in memory. */
export function selectionOf(changes: Partial<SelectionDeps> = {}): Selection {
  const kept = new Map<string, AgentChoice>();
  const choices: SelectionDeps["choices"] = {
    find: async (conversation) => kept.get(conversation) ?? null,
    async choose(conversation, choice) {
      if (choice === null) kept.delete(conversation);
      else kept.set(conversation, choice);
    },
  };
  return new Selection({
    routes: [{ match: {}, agent: "assistant" }],
    agents: new Map(),
    choices,
    ...changes,
  });
}
