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

export function forget({ sql, nextSeq }: State, conversation: string, nowMs: number): null {
  sql.deleteTurns.run(conversation);
  sql.forget.run(conversation, nowMs, nextSeq - 1);
  return null;
}
