import type { TriggerEvent } from "../domain/event.ts";
import type { Step, ToolCall } from "../domain/run.ts";
import type { Hold, ParkedRun, Run, RunResult } from "../ports/agent.ts";
import type { Clock } from "../ports/clock.ts";
import { getString, isObject } from "../shared/json.ts";
import type { Agent } from "./agent.ts";
import type { AskedAgent } from "./asked-agent.ts";
import { AGENT_DEPTH_MAX } from "./bounds.ts";
import { Ledger } from "./ledger.ts";
import { bounded, type ToolResult } from "./tool-call.ts";

/** The run of whoever asks. */
interface Asking {
  readonly run: Run;
  readonly asker: Agent;
  readonly hold: Hold;
  /** Those of the agent that is asked are put among them. */
  readonly steps: Step[];
  /** Whoever waits for the answer, oneself last. */
  readonly above: readonly string[];
  readonly agents: ReadonlyMap<string, Agent>;
  readonly clock: Pick<Clock, "nowMs">;
  readonly record: () => Promise<void>;
  /** Takes a run of its own to its end. */
  readonly begin: (run: Run, agent: Agent, hold: Hold) => Promise<RunResult | ParkedRun>;
}

/** Its steps are kept with those of whoever asks, so a crash loses none of them; its money and its time are of that run. */
export async function askAgent(call: ToolCall, asked: AskedAgent, asking: Asking): Promise<ToolResult> {
  const { run, asker, hold, steps, above, agents } = asking;
  const agent = agents.get(asked.agent);
  const task = taskIn(call);
  const why = whyNotAsked(asked, task, {
    above,
    isThere: (name) => agents.has(name),
    isPaused: (name) => hold.isPaused?.(name) ?? false,
  });
  if (agent === undefined || why !== null) return { result: why ?? "", isError: true };
  const at = innerAt(steps, call, agent.name);
  const before = new Ledger(() => asker.limits, steps.toSpliced(at, 1));
  const { handOver: _, ...alone } = agent;
  const allowance = hold.allowanceOf?.(agent.name) ?? hold.allowance;
  const result = await asking.begin(
    {
      ...{ id: run.id, agent: agent.name, history: [], steps: innerSteps(steps, at).steps },
      event: taskEvent(run.event, task, call),
      startedAtMs: asking.clock.nowMs(),
    },
    { ...alone, limits: before.within(agent.limits) },
    innerHold({ ...hold, ...(allowance && { allowance }) }, async (inner) => {
      steps[at] = { ...innerSteps(steps, at), steps: inner };
      await asking.record();
    }),
  );
  if (result.outcome === "parked") throw new Error("Expected an agent that asks nobody, got one that waits");
  return { result: bounded(result.text), isError: result.outcome !== "answered" };
}

type InnerStep = Extract<Step, { kind: "agent" }>;

/** Empty: there is none. */
function taskIn({ input }: ToolCall): string {
  return isObject(input) ? (getString(input, "task") ?? "").trim() : "";
}

/** For the model: why this agent is not asked; null: it may be. `above`: whoever waits for the answer, oneself last. */
function whyNotAsked(
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
function taskEvent(event: TriggerEvent, task: string, { id }: ToolCall): TriggerEvent {
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
function innerHold(hold: Hold, record: Hold["record"]): Hold {
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
