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
