import { isTaken, type RequestOutcome } from "../../domain/request.ts";
import { surplus } from "../shares.ts";
import type { Operations } from "./protocol.ts";
import type { State } from "./state.ts";

/** Later than every id. */
const NO_ID = "~";

export function noteRequests(
  { sql }: State,
  { rows, refusedMax, afterId }: Operations["noteRequests"]["args"],
): null {
  for (const row of rows) sql.noteRequest.run(...row);
  sql.deleteOldRequests.run(afterId);
  const counts = sql.countRequests.all();
  for (const taken of [false, true]) {
    const ofKind = counts.filter(({ outcome }) => isTaken(outcome as RequestOutcome) === taken);
    const gone = surplus(new Map(ofKind.map(({ outcome, count }) => [outcome, count])), refusedMax);
    for (const [outcome, count] of gone) sql.deleteRequests.run(outcome, count);
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
