import { REFUSED_OUTCOMES } from "../domain/request.ts";
import type { RequestLog, RequestNote } from "../ports/request-log.ts";
import { CHUNK, SCANNED_MAX } from "./bounds.ts";
import { cursorOf, placeOf } from "./cursor.ts";
import type { RefusalsQuery } from "./requests.ts";
import { period } from "./search.ts";

export interface RefusalPage {
  readonly notes: readonly RequestNote[];
  /** Where the next page begins; null when this was the last. */
  readonly next: string | null;
}

/** Newest first. Few or none where hardly anything fits: `next` then leads on from where the search ended. */
export async function refusalPage(
  requests: Pick<RequestLog, "list">,
  { platform, outcome, limit, cursor, ...moments }: RefusalsQuery,
  nowMs: number,
): Promise<RefusalPage> {
  const { sinceMs, untilMs } = period(moments, nowMs);
  const outcomes = outcome ?? REFUSED_OUTCOMES;
  const notes: RequestNote[] = [];
  let beforeId = cursor === undefined ? undefined : (placeOf("refusals", cursor) ?? undefined);
  for (let scanned = 0; scanned < SCANNED_MAX; scanned += CHUNK) {
    const chunk = await requests.list({
      outcomes,
      limit: CHUNK,
      ...(beforeId !== undefined && { beforeId }),
    });
    for (const note of chunk) {
      if (note.atMs < sinceMs) return { notes, next: null };
      if ((platform === undefined || note.platform === platform) && note.atMs < untilMs) {
        // One more than is shown, to know whether there is a next page.
        if (notes.length === limit)
          return { notes, next: beforeId === undefined ? null : cursorOf("refusals", beforeId) };
        notes.push(note);
      }
      beforeId = note.id;
    }
    if (chunk.length < CHUNK) return { notes, next: null };
  }
  return { notes, next: beforeId === undefined ? null : cursorOf("refusals", beforeId) };
}
