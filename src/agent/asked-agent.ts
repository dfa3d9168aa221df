import type { TriggerEvent } from "../domain/event.ts";
import type { Step, ToolCall } from "../domain/run.ts";
import type { Hold } from "../ports/agent.ts";
import type { Tool } from "../ports/tool.ts";
import { getString, isObject } from "../shared/json.ts";
import { AGENT_DEPTH_MAX } from "./bounds.ts";

/** Another agent that this one may ask, as a tool. */
export interface AskedAgent {
  /** Of the tool. */
  readonly name: string;
  readonly agent: string;
  readonly description?: string;
}

type InnerStep = Extract<Step, { kind: "agent" }>;

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

/** Empty: there is none. */
export function taskIn({ input }: ToolCall): string {
  return isObject(input) ? (getString(input, "task") ?? "").trim() : "";
}

/** For the model: why this agent is not asked; null: it may be. `above`: whoever waits for the answer, oneself last. */
export function whyNotAsked(
  { agent }: AskedAgent,
  task: string,
  run: {
    readonly above: readonly string[];
    readonly isThere: (agent: string) => boolean;
    readonly isPaused: (agent: string) => boolean;
  },
): string | null {
  if (task === "") return "Expected a task, got none";
  if (run.above.includes(agent)) return `${agent} waits for this answer itself, and cannot be asked.`;
  if (run.above.length > AGENT_DEPTH_MAX) return `No more than ${AGENT_DEPTH_MAX} agents ask one another.`;
  if (!run.isThere(agent)) return `${agent} is not set up.`;
  return run.isPaused(agent) ? `${agent} is paused at the moment.` : null;
}

/** Where among the steps that agent's are; they are begun where there are none yet. */
export function innerAt(steps: Step[], { id: callId }: ToolCall, agent: string): number {
  const asked = steps.findLastIndex(({ kind }) => kind === "model");
  const at = steps.findIndex((step, i) => i > asked && step.kind === "agent" && step.callId === callId);
  return at >= 0 ? at : steps.push({ kind: "agent", callId, agent, steps: [] }) - 1;
}

export function innerSteps(steps: readonly Step[], at: number): InnerStep {
  const step = steps[at];
  if (step?.kind !== "agent") throw new Error(`Expected the steps of an agent at ${at}, got ${step?.kind}`);
  return step;
}

/** The task as that agent is shown it: of the same person, and nothing else that they said. */
export function taskEvent(event: TriggerEvent, task: string, { id }: ToolCall): TriggerEvent {
  const { context: _, mentions: __, pressed: ___, agent: ____, ...rest } = event;
  return {
    ...rest,
    id: `${event.id}/${id}`,
    trigger: "direct",
    isDirect: true,
    command: null,
    text: task,
    attachments: [],
  };
}

/** What the one who is asked may do with the hold of whoever asks: it hears nobody, and what it takes is of the same purse. */
export function innerHold(hold: Hold, record: Hold["record"]): Hold {
  const { ensure, say, amend, waiting, allowance, allowanceOf, isPaused, keepFile } = hold;
  return {
    ...{ ensure, say, amend, record, heard: () => [] },
    ...(waiting && { waiting }),
    ...(allowance && { allowance }),
    ...(allowanceOf && { allowanceOf }),
    ...(isPaused && { isPaused }),
    ...(keepFile && { keepFile }),
  };
}
