import { type BreakerReport, Breakers } from "../domain/breaker.ts";
import { agentAfter } from "../domain/handover.ts";
import type { AgentRuntime } from "../ports/agent.ts";
import { agentOfRun, type RunModels } from "./agent.ts";
import { noSuchAgent } from "./ending.ts";
import { type TurnDeps, TurnRun } from "./turn-run.ts";

/** `agents` is read at the start of each run, so it may change between runs. */
export interface AgentRuntimeDeps extends Omit<TurnDeps, "breakers"> {
  /** Of routes and commands, as runs name them; absent: there are none. */
  readonly models?: ReadonlyMap<string, RunModels>;
  /** Where they are to outlive this runtime. */
  readonly breakers?: Breakers;
}

/** The step loop. `breakers` tells of each model's breaker, by `provider/model`. */
export function createAgentRuntime(deps: AgentRuntimeDeps): AgentRuntime & {
  readonly breakers: () => readonly BreakerReport[];
} {
  const breakers = deps.breakers ?? new Breakers(deps.clock);
  return {
    breakers: () => breakers.reports(),
    async run(run, hold, signal) {
      const agent = agentOfRun(run, deps.agents, deps.models);
      if (agent === undefined) return noSuchAgent(run.steps, agentAfter(run.steps, run.agent));
      const turn = new TurnRun(run, agent, hold, { ...deps, breakers });
      const result = await turn.toItsEnd(signal);
      return result.outcome === "parked" ? result : { ...result, model: turn.agent.model.name };
    },
  };
}
