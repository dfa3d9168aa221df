import type { Tool } from "../ports/tool.ts";

/** Another agent that this one may ask, as a tool. */
export interface AskedAgent {
  /** Of the tool. */
  readonly name: string;
  readonly agent: string;
  readonly description?: string;
}

/** Shown to the model. It is the runtime that asks: the tool itself does nothing. */
export function agentTool({ name, agent, description }: AskedAgent): Tool {
  return {
    name,
    description: `${description ?? `Asks the agent ${agent}.`} It sees the task alone, not this conversation, and gives its answer back to you.`,
    effect: "read",
    repeatable: true,
    inputSchema: {
      type: "object",
      properties: {
        task: { type: "string", description: "What it is to do, with all that it has to know." },
      },
      required: ["task"],
    },
    call: async () => "asked",
  };
}

/** For an agent that is asked by another one. */
export const NOBODY_HERE =
  "This needs the approval of a person, and you are asked by another agent: only who talks with people can ask them.";
