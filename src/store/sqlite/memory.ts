import { memoriesOf } from "../../domain/memory-scope.ts";
import { parsedEvent } from "../stored.ts";
import { wellFormed } from "../well-formed.ts";
import { eventOf } from "./journal.ts";
import type { WithdrawnRow } from "./protocol.ts";
import { addWithdrawal } from "./signals.ts";
import type { State } from "./state.ts";

export function recall(
  { sql }: State,
  conversation: string,
  turnsMax: number,
  sinceMs: number,
): readonly string[] {
  return sql.recall
    .all(conversation, sinceMs, turnsMax)
    .map((turn) => turn.body)
    .reverse();
}

export function forget(
  { sql, nextSeq }: State,
  conversation: string,
  untilEventId: string | null,
  nowMs: number,
): null {
  const until = untilEventId === null ? undefined : sql.anyKey.get(untilEventId)?.seq;
  const untilSeq = until ?? nextSeq - 1;
  sql.deleteTurns.run(conversation, untilSeq);
  sql.forget.run(conversation, nowMs, untilSeq);
  return null;
}

export function withdraw(state: State, eventId: string, signal: string): WithdrawnRow {
  const row = eventOf(state, eventId);
  if (row === null) return ["unknown", null];
  const job = state.lanes.jobs.get(row.seq);
  if (job !== undefined) return ["live", addWithdrawal(state, job, signal)];
  // Turns are those of the event that it was answered with.
  const head = row.merged_into === null ? row : eventOf(state, row.merged_into);
  const event = parsedEvent(row.body);
  if (event === null || head === null) return ["over", null];
  for (const key of memoriesOf(event)) state.sql.deleteTurnsOf.run(wellFormed(key), head.seq);
  return ["over", null];
}
