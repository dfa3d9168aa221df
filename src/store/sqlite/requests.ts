import { isTaken, type RequestOutcome } from "../../domain/request.ts";
import { surplus } from "../shares.ts";
import type { Operations } from "./protocol.ts";
import type { State } from "./state.ts";

/** Later than every id. */
const NO_ID = "~";

export function noteRequests(
  state: State,
  { rows, refusedMax, afterId }: Operations["noteRequests"]["args"],
): null {
  const { sql } = state;
  // Counted once: they are up to twice `refusedMax`, and there is a note every half second.
  state.requestCounts ??= new Map(sql.countRequests.all().map(({ outcome, count }) => [outcome, count]));
  const counts = state.requestCounts;
  const add = (outcome: string, count: number) => counts.set(outcome, (counts.get(outcome) ?? 0) + count);
  for (const row of rows) add(row[2], Number(sql.noteRequest.run(...row).changes));
  for (const { outcome } of sql.deleteOldRequests.all(afterId)) add(outcome, -1);
  for (const taken of [false, true]) {
    const ofKind = [...counts].filter(([outcome]) => isTaken(outcome as RequestOutcome) === taken);
    const gone = surplus(new Map(ofKind), refusedMax);
    for (const [outcome, count] of gone)
      add(outcome, -Number(sql.deleteRequests.run(outcome, count).changes));
  }
  return null;
}

export function listRequests(
  { sql }: State,
  { outcomes, limit, beforeId }: Operations["listRequests"]["args"],
): readonly string[] {
  const rows = sql.requests.all(beforeId ?? NO_ID, JSON.stringify(outcomes), limit);
  return rows.map(({ body }) => body);
}

export function findRequests({ sql }: State, requestId: string): readonly string[] {
  return sql.requestsOf.all(requestId).map(({ body }) => body);
}
