import { tenantName } from "../domain/tenant.ts";
import type { EventRecord, EventState, Journal } from "../ports/journal.ts";
import { momentMs } from "../shared/time.ts";
import { CHUNK, SCANNED_MAX } from "./bounds.ts";
import type { EventsQuery, LetterFilter } from "./requests.ts";
import { agentOf, kindOf } from "./views.ts";

/** Which records are wanted, and from which one on no more can come. */
export interface Search {
  readonly state?: EventState;
  readonly isWanted: (record: EventRecord) => boolean;
  readonly isPast: (record: EventRecord) => boolean;
}

export function eventSearch(query: Omit<EventsQuery, "limit" | "before">, nowMs: number): Search {
  const { state, platform, conversation, tenant } = query;
  const { sinceMs, untilMs } = period(query, nowMs);
  return {
    ...(state !== undefined && { state }),
    isWanted: ({ event, acceptedAtMs }) =>
      isOne(platform, event.platform) &&
      isOne(conversation, event.conversation) &&
      isOne(tenant, tenantName(event)) &&
      acceptedAtMs >= sinceMs &&
      acceptedAtMs < untilMs,
    // Whatever has a lower place was accepted before this one changed last.
    isPast: ({ updatedAtMs }) => updatedAtMs < sinceMs,
  };
}

/** `since` and `until` are about when it died, which is not the order of the list: each letter is looked at. */
export function letterSearch(filter: LetterFilter, nowMs: number): Search {
  const { platform, conversation, agent, kind } = filter;
  const { sinceMs, untilMs } = period(filter, nowMs);
  const cause = filter.cause?.toLowerCase();
  return {
    state: "dead",
    isWanted: (record) =>
      isOne(platform, record.event.platform) &&
      isOne(conversation, record.event.conversation) &&
      isOne(agent, agentOf(record)) &&
      isOne(kind, kindOf(record)) &&
      (cause === undefined || (record.cause ?? "").toLowerCase().includes(cause)) &&
      record.updatedAtMs >= sinceMs &&
      record.updatedAtMs < untilMs,
    isPast: () => false,
  };
}

export interface Page {
  readonly records: readonly EventRecord[];
  /** Where the next page begins; null when this was the last. */
  readonly next: number | null;
}

/** Newest first. Few or none where hardly anything fits: `next` then leads on from where the search ended. */
export async function searchPage(
  journal: Pick<Journal, "list">,
  search: Search,
  { limit, before }: { limit: number; before: number | undefined },
): Promise<Page> {
  const records: EventRecord[] = [];
  let scanned = 0;
  let lastSeq: number | null = null;
  for await (const record of walk(journal, search, before)) {
    if (search.isWanted(record)) {
      // One more than is shown, to know whether there is a next page.
      if (records.length === limit) return { records, next: lastSeq };
      records.push(record);
    }
    lastSeq = record.seq;
    if (++scanned >= SCANNED_MAX) return { records, next: lastSeq };
  }
  return { records, next: null };
}

/** All that are in this state and not past, newest first. What is replayed meanwhile gets a higher place and is not met again. */
export async function* walk(
  journal: Pick<Journal, "list">,
  { state, isPast }: Pick<Search, "state" | "isPast">,
  before?: number,
): AsyncGenerator<EventRecord, void> {
  let beforeSeq = before;
  for (;;) {
    const chunk = await journal.list({
      limit: CHUNK,
      ...(state !== undefined && { state }),
      ...(beforeSeq !== undefined && { beforeSeq }),
    });
    for (const record of chunk) {
      if (isPast(record)) return;
      yield record;
    }
    const last = chunk.at(-1);
    if (last === undefined) return;
    beforeSeq = last.seq;
  }
}

export function period(
  { since, until }: { since?: string | undefined; until?: string | undefined },
  nowMs: number,
): { sinceMs: number; untilMs: number } {
  return {
    sinceMs: (since === undefined ? null : momentMs(since, nowMs)) ?? Number.NEGATIVE_INFINITY,
    untilMs: (until === undefined ? null : momentMs(until, nowMs)) ?? Number.POSITIVE_INFINITY,
  };
}

function isOne<T>(wanted: T | undefined, value: T | null): boolean {
  return wanted === undefined || wanted === value;
}
