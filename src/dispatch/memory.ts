import type { Turn } from "../domain/run.ts";
import type { Clock } from "../ports/clock.ts";
import type { Memory, Recall } from "../ports/memory.ts";
import type { Job } from "../ports/queue.ts";

/** How much of a conversation an agent gets to see. */
export interface AgentMemory {
  readonly turnsMax: number;
  readonly ttlMs: number;
}

/** A claim takes from everybody's time: longer memories than this are asked for by who runs the event. */
const CLAIMED_TURNS_MAX = 100;

/** What claims bring along, so that nearly every agent finds its memory in it and asks for nothing. */
export function recallFor(agents: ReadonlyMap<string, AgentMemory>): AgentMemory {
  const memories = [...agents.values()];
  return {
    turnsMax: Math.min(CLAIMED_TURNS_MAX, Math.max(0, ...memories.map(({ turnsMax }) => turnsMax))),
    ttlMs: Math.max(0, ...memories.map(({ ttlMs }) => ttlMs)),
  };
}

/** As of now. */
export function recallOf({ turnsMax, ttlMs }: AgentMemory, nowMs: number): Recall {
  return { turnsMax, sinceMs: nowMs - ttlMs };
}

/** What this agent is shown of the conversation: from the claim, where that brought all of it. Rejects with STORE_*. */
export async function historyOf(
  { event, recalled }: Pick<Job, "event" | "recalled">,
  agent: AgentMemory,
  { memory, clock }: { readonly memory: Memory; readonly clock: Clock },
): Promise<readonly Turn[]> {
  const wanted = recallOf(agent, clock.nowMs());
  const { turnsMax, sinceMs } = wanted;
  // A claim that brought fewer turns than it may has brought all there are.
  const isWhole = (brought: NonNullable<Job["recalled"]>) =>
    sinceMs >= brought.sinceMs && (turnsMax <= brought.turnsMax || brought.turns.length < brought.turnsMax);
  if (recalled === undefined || !isWhole(recalled)) return await memory.recall(event.conversation, wanted);
  const turns = recalled.turns.filter(({ atMs }) => atMs >= sinceMs);
  return turns.slice(Math.max(0, turns.length - turnsMax));
}
