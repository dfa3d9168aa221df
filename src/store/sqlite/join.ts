import { GROWTH_MS, MERGED_CHARS_MAX, MERGED_EVENTS_MAX } from "../../domain/bounds.ts";
import { mayMerge } from "../../domain/busy.ts";
import type { TriggerEvent } from "../../domain/event.ts";
import { parsedEvent } from "../stored.ts";
import { kindOf, type Waiting } from "./lanes.ts";
import { isWithdrawn } from "./signals.ts";
import type { State } from "./state.ts";
import { heldJob } from "./work.ts";

/** See Queue.join in src/ports/queue.ts. Gives the texts of all that is joined. */
export function join(state: State, token: number, nowMs: number): readonly string[] {
  const job = heldJob(state, token);
  if (job === null) return [];
  const { sql, lanes } = state;
  const joined: string[] = [];
  let chars = 0;
  for (const next of lanes.behind(job.lane)) {
    const isNew = next.into !== job.seq;
    if (joined.length >= MERGED_EVENTS_MAX || (isNew && !areAlike(job, next))) break;
    const stored = sql.body.get(next.seq);
    if (stored === undefined) break;
    chars += stored.body.length;
    if (isNew) {
      if (chars > MERGED_CHARS_MAX || !isComplete(parsedEvent(stored.body), stored.accepted_ms, nowMs)) break;
      next.into = job.seq;
      sql.join.run(job.seq, next.seq);
    }
    joined.push(stored.body);
  }
  return joined;
}

/** Of one person for one agent: what one asks for is done in the name of who asks, and at their cost. */
function areAlike(job: Waiting, next: Waiting): boolean {
  return (
    kindOf(job) === "message" &&
    kindOf(next) === "message" &&
    !isWithdrawn(next) &&
    next.agent !== null &&
    next.agent === job.agent &&
    mayMerge(next.busy) &&
    next.conversation === job.conversation &&
    next.source.every((name, level) => name === job.source[level])
  );
}

/** Null: it is damaged, and ends by itself. */
function isComplete(event: TriggerEvent | null, acceptedMs: number, nowMs: number): boolean {
  if (event === null) return false;
  return !event.mayGrow || event.attachments.length > 0 || nowMs - acceptedMs >= GROWTH_MS;
}
