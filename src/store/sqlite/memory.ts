import { memoriesOf } from "../../domain/memory-scope.ts";
import { withoutMessage } from "../../domain/privacy.ts";
import type { Turn } from "../../domain/run.ts";
import { parsedEvent, readable } from "../stored.ts";
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
  for (const key of memoriesOf(event)) takeBack(state, wellFormed(key), head.seq, eventId);
  return ["over", null];
}

function takeBack({ sql }: State, memory: string, seq: number, eventId: string): void {
  const rows = sql.turnsOf.all(memory, seq);
  const turns = readable<Turn>(rows.map(({ body }) => body));
  // One that cannot be read says nothing of whose it is.
  if (turns.length < rows.length) return void sql.deleteTurnsOf.run(memory, seq);
  for (const [index, turn] of withoutMessage(turns, eventId).entries()) {
    const id = rows[index]?.rowid ?? 0;
    if (turn === null) sql.deleteTurn.run(id);
    else if (turn !== turns[index]) sql.setTurn.run(JSON.stringify(turn), id);
  }
}
