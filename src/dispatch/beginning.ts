import { hasGrown, type Route, routeOf } from "../domain/route.ts";
import type { Progress } from "../domain/run.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { Job } from "../ports/queue.ts";
import type { Selection } from "./selection.ts";

export interface BeginningDeps {
  readonly routes: readonly Route[];
  readonly agents: ReadonlyMap<string, unknown>;
  readonly selection: Pick<Selection, "agentFor">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly newId: NewId;
}

/** No agent has this name. */
const NOBODY = "";

/** A run that has achieved nothing yet. Rejects with STORE_*. */
export async function begin({ event, agent: accepted }: Job, deps: BeginningDeps): Promise<Progress> {
  const { routes, agents, selection, clock, newId } = deps;
  // Decided as it was accepted. Where that agent is gone since, nobody was found, or files came after it, by the routes of now.
  const isThere = accepted !== null && agents.has(accepted) && !hasGrown(event);
  const routed = isThere ? accepted : routeOf(event, routes, agents);
  const { agent } = await selection.agentFor(event, routed);
  return {
    runId: newId("run"),
    agent: agent ?? NOBODY,
    startedAtMs: clock.nowMs(),
    steps: [],
    answer: null,
  };
}
