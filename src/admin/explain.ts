import { z } from "zod";
import type { Platform } from "../domain/event.ts";
import { REFUSED_OUTCOMES, REQUEST_OUTCOMES } from "../domain/request.ts";
import type { EventRecord, Journal } from "../ports/journal.ts";
import type { Lanes } from "../ports/lanes.ts";
import type { PlatformWords } from "../ports/platform.ts";
import type { RequestLog, RequestNote } from "../ports/request-log.ts";
import { CHUNK, SCANNED_MAX } from "./bounds.ts";
import { isNoteId } from "./cursor.ts";
import { eventWords } from "./event-words.ts";
import { requestWords } from "./request-words.ts";
import { eventSchema } from "./schemas.ts";
import { eventView } from "./views.ts";

export const explanationSchema = z.object({
  id: z.string(),
  kind: z.enum(["request", "event"]),
  outcome: z.string().describe("Of a request, its outcome; of an event, its state."),
  reason: z.string().nullable().describe("Null where there is nothing to add."),
  words: z.string().describe("What happened, and what to do."),
  event: eventSchema.optional().describe("The event that it was about, as far as it is stored."),
});
export type Explanation = z.output<typeof explanationSchema>;

export interface ExplainDeps {
  readonly journal: Pick<Journal, "find">;
  readonly requests: Pick<RequestLog, "list" | "find">;
  readonly lanes: Pick<Lanes, "stateOf">;
  readonly wordsOf: (platform: Platform) => PlatformWords;
}

export const NOTHING_KNOWN =
  "Nothing is known of this id: no event has it, and no request that is still kept (retention.refusals). The log has every request by its request_id";

/** What became of a request or an event; null when nothing is known of this id. */
export async function explain(id: string, deps: ExplainDeps): Promise<Explanation | null> {
  const record = await deps.journal.find(id);
  if (record !== null) return await ofEvent(record, deps);
  const notes = isNoteId(id) ? await noteOf(id, deps) : await notesOf(id, deps);
  const [first, ...others] = notes.toSorted((a, b) => RANKED.indexOf(a.outcome) - RANKED.indexOf(b.outcome));
  return first === undefined ? null : await ofRequest(id, first, others, deps);
}

/** Of a batch, what was decided about it as a whole; see gateway.ts. Whatever else there is comes before these. */
const RANKED: readonly string[] = ["unavailable", "accepted", "refused", "duplicate", "ignored"];

async function noteOf(id: string, { requests }: ExplainDeps): Promise<readonly RequestNote[]> {
  // The first that is not later than this one.
  const [note] = await requests.list({ outcomes: REQUEST_OUTCOMES, limit: 1, beforeId: `${id}~` });
  return note?.id === id ? [note] : [];
}

/** Of a request, or of an event that was never stored. */
async function notesOf(id: string, { requests }: ExplainDeps): Promise<readonly RequestNote[]> {
  const notes = await requests.find(id);
  if (notes.length > 0 || !id.includes(":")) return notes;
  let beforeId: string | undefined;
  for (let scanned = 0; scanned < SCANNED_MAX; scanned += CHUNK) {
    const chunk = await requests.list({
      outcomes: REFUSED_OUTCOMES,
      limit: CHUNK,
      ...(beforeId !== undefined && { beforeId }),
    });
    const note = chunk.find(({ eventId }) => eventId === id);
    if (note !== undefined) return [note];
    if (chunk.length < CHUNK) break;
    beforeId = chunk.at(-1)?.id;
  }
  return [];
}

async function ofEvent(record: EventRecord, { lanes }: ExplainDeps): Promise<Explanation> {
  const lane = record.state === "queued" ? await lanes.stateOf(record.event.conversation) : "idle";
  return {
    id: record.id,
    kind: "event",
    outcome: record.state,
    reason: record.cause,
    words: eventWords(record, lane),
    event: eventView(record),
  };
}

async function ofRequest(
  id: string,
  first: RequestNote,
  others: readonly RequestNote[],
  deps: ExplainDeps,
): Promise<Explanation> {
  const record = first.eventId === null ? null : await deps.journal.find(first.eventId);
  const about = record === null ? null : await ofEvent(record, deps);
  const wordsOf = (note: RequestNote) => requestWords(note, deps.wordsOf(note.platform));
  return {
    id,
    kind: "request",
    outcome: first.outcome,
    reason: first.reason,
    words: [
      wordsOf(first),
      ...(about === null ? [] : [`Its event is ${about.id}. ${about.words}`]),
      ...others.map((other) => `Beside it: ${other.eventId ?? "another part"}: ${wordsOf(other)}`),
    ].join(" "),
    ...(about?.event !== undefined && { event: about.event }),
  };
}
