import { hasGrown, type Route, routeOf } from "../domain/route.ts";
import { type Progress, unparked } from "../domain/run.ts";
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

/** A run that goes on, or one that has achieved nothing yet. Rejects with STORE_*. */
export async function begun(job: Job, deps: BeginningDeps): Promise<Progress> {
  if (job.progress !== null) return unparked(job.progress, deps.clock.nowMs());
  const { event, agent: accepted } = job;
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
