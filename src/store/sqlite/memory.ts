import { memoriesOf } from "../../domain/memory-scope.ts";
import { withoutMessage } from "../../domain/privacy.ts";
import type { Turn } from "../../domain/run.ts";
import { isCovered, isUnchanged } from "../../domain/summary.ts";
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
  return sql.recall.all(conversation, sinceMs, turnsMax).map(withPlace).reverse();
}

/** With the turn's `stored`, in front of what was kept. */
function withPlace({ seq, body }: { seq: number; body: string }): string {
  return body.startsWith('{"') ? `{"stored":[${seq},${body.length}],${body.slice(1)}` : body;
}

/** Whether nothing has changed of what this summary is of since it was made. */
export function isStillOf({ sql }: State, memory: string, summary: Turn): boolean {
  const all = readable<Turn>(sql.allTurns.all(memory).map(withPlace));
  return summary.covers !== undefined && isUnchanged(summary.covers, all);
}

function dropSummaries({ sql }: State, memory: string, isGone: (summary: Turn) => boolean): void {
  for (const { rowid, body } of sql.summaries.all(memory)) {
    const [summary] = readable<Turn>([body]);
    if (summary === undefined || isGone(summary)) sql.deleteTurn.run(rowid);
  }
}

export function forget(state: State, conversation: string, untilEventId: string | null, nowMs: number): null {
  const { sql, nextSeq } = state;
  const until = untilEventId === null ? undefined : sql.anyKey.get(untilEventId)?.seq;
  const untilSeq = until ?? nextSeq - 1;
  sql.deleteTurns.run(conversation, untilSeq);
  dropSummaries(state, conversation, ({ covers }) => (covers?.from ?? 0) <= untilSeq);
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
  for (const key of memoriesOf(event)) {
    const memory = wellFormed(key);
    takeBack(state, memory, head.seq, eventId);
    dropSummaries(state, memory, (summary) => isCovered(head.seq, summary));
  }
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
