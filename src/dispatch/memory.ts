import type { TriggerEvent } from "../domain/event.ts";
import { memoryOf, type Remembering } from "../domain/memory-scope.ts";
import type { Turn } from "../domain/run.ts";
import type { Clock } from "../ports/clock.ts";
import type { Memory, Recall } from "../ports/memory.ts";
import type { Job } from "../ports/queue.ts";

/** How much of what was said an agent gets to see, and of where. */
export interface AgentMemory {
  readonly turnsMax: number;
  readonly ttlMs: number;
  /** Absent: each conversation by itself. */
  readonly by?: Remembering;
}

/** A claim takes from everybody's time: longer memories than this are asked for by who runs the event. */
const CLAIMED_TURNS_MAX = 100;

/** What claims bring along, so that nearly every agent finds its memory in it and asks for nothing. */
export function recallFor(agents: ReadonlyMap<string, AgentMemory>): AgentMemory {
  // A claim knows the conversation alone.
  const memories = [...agents.values()].filter(({ by }) => by === undefined);
  return {
    turnsMax: Math.min(CLAIMED_TURNS_MAX, Math.max(0, ...memories.map(({ turnsMax }) => turnsMax))),
    ttlMs: Math.max(0, ...memories.map(({ ttlMs }) => ttlMs)),
  };
}

/** As of now. */
export function recallOf({ turnsMax, ttlMs }: AgentMemory, nowMs: number): Recall {
  return { turnsMax, sinceMs: nowMs - ttlMs };
}

/** What this agent is shown of before: from the claim, where that brought all of it. Rejects with STORE_*. */
export async function historyOf(
  { event, recalled }: Pick<Job, "event" | "recalled">,
  agent: AgentMemory,
  { memory, clock }: { readonly memory: Memory; readonly clock: Clock },
): Promise<readonly Turn[]> {
  const wanted = recallOf(agent, clock.nowMs());
  if (agent.by !== undefined) {
    const turns = await memory.recall(memoryOf(event, agent.by), wanted);
    return turns.filter((turn) => isShownIn(turn, event));
  }
  const { turnsMax, sinceMs } = wanted;
  // A claim that brought fewer turns than it may has brought all there are.
  const isWhole = (brought: NonNullable<Job["recalled"]>) =>
    sinceMs >= brought.sinceMs && (turnsMax <= brought.turnsMax || brought.turns.length < brought.turnsMax);
  if (recalled === undefined || !isWhole(recalled)) return await memory.recall(event.conversation, wanted);
  const turns = recalled.turns.filter(({ atMs }) => atMs >= sinceMs);
  return turns.slice(Math.max(0, turns.length - turnsMax));
}

/** What the words of a person referred to are words of others, for those alone who were there. */
function isShownIn(turn: Turn, { conversation }: Pick<TriggerEvent, "conversation">): boolean {
  return isOf(turn, conversation) || turn.role !== "user" || turn.name !== null;
}

/** Whether it was said in this conversation, and not only in one that shares its memory. */
export function isOf(turn: Turn, conversation: string): boolean {
  return (turn.conversation ?? conversation) === conversation;
}
