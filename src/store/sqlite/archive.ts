import type { TriggerEvent } from "../../domain/event.ts";
import { turnOf } from "../../domain/priority.ts";
import type { ReplayAnswer, ReplayRequest } from "../../ports/archive.ts";
import type { ReplayNote } from "../../ports/journal.ts";
import { parsedEvent, storedOrNull } from "../stored.ts";
import { wellFormed } from "../well-formed.ts";
import { isFull } from "./accept.ts";
import { eventOf } from "./journal.ts";
import { newcomer, type Source } from "./lanes.ts";
import type { State } from "./state.ts";
import type { EventRow } from "./statements.ts";

/** The event gets a new seq, and with it the last place in its lane, in its conversation and in the list. */
export function replay(state: State, id: string, request: ReplayRequest, nowMs: number): ReplayAnswer {
  const row = eventOf(state, id);
  if (row === null) return "unknown";
  if (row.state === null) return "not-finished";
  if (request.seq !== undefined && request.seq !== row.seq) return "changed";
  const { state: ended } = row;
  if (ended === "merged" || !request.states.includes(ended) || hasLostItsText(row)) return "wrong-state";
  const event = parsedEvent(row.body);
  if (event === null) return "wrong-state";
  const conversation = wellFormed(event.conversation);
  const lane = row.lane ?? conversation;
  const kind = row.kind ?? "message";
  if (isFull(state, lane)) return "full";

  const seq = state.nextSeq++;
  const notes = [
    ...(storedOrNull<ReplayNote[]>(row.replays) ?? []),
    { atMs: nowMs, by: request.by, mode: request.mode, cause: row.cause } satisfies ReplayNote,
  ];
  move(state, row, event, { seq, notes, isAnew: request.mode === "anew" });
  const merged = state.sql.mergedInto.all(row.seq);

  const count = notes.filter(({ mode }) => mode === "anew").length;
  const source: Source = [event.platform, wellFormed(event.tenant), wellFormed(turnOf(event))];
  // Whoever waits for it waits from now on; when it was accepted stays with the event.
  const add = (place: { seq: number; into: number | null; replay: number }) => {
    // Who answers it is decided again: the reason to bring it back may be that it is somebody else now.
    const [agent, busy] = [null, "queue"] as const;
    const waits = [lane, kind, agent, busy, conversation, nowMs, null, null, ...source, nowMs] as const;
    state.sql.addWaiting.run(place.seq, ...waits, place.replay);
    const job = newcomer({
      ...{ seq: place.seq, lane, kind, agent, busy, conversation, source },
      ...{ sinceMs: nowMs, refusal: null, replay: place.replay },
    });
    job.into = place.into;
    if (place.into !== null) state.sql.join.run(place.into, place.seq);
    state.lanes.add(job);
  };
  add({ seq, into: null, replay: count });
  for (const one of merged) add({ seq: moveMerged(state, one), into: seq, replay: 0 });
  return "queued";
}

/** A dead letter that nobody wants back. */
export function drop(state: State, id: string, by: string, nowMs: number): boolean {
  const row = eventOf(state, id);
  if (row === null) return false;
  return Number(state.sql.drop.run(`dropped by ${by}`, nowMs, row.seq).changes) > 0;
}

/** What was refused without a notice was never claimed, and is kept without its text. */
function hasLostItsText({ state, attempt }: EventRow): boolean {
  return state === "dropped" && attempt === 0;
}

/** It comes back with the event that it was merged into. Gives its new seq. */
function moveMerged(
  state: State,
  { seq: oldSeq, id, aliases }: ReturnType<State["sql"]["mergedInto"]["all"]>[number],
): number {
  const seq = state.nextSeq++;
  state.sql.moveMerged.run(seq, oldSeq);
  for (const key of [id, ...(JSON.parse(aliases ?? "[]") as string[]).map(wellFormed)])
    state.sql.moveKey.run(seq, key, oldSeq);
  return seq;
}

/** Keys that duplicates brought stay behind: all that is asked of them is whether they live. */
function move(
  { sql }: State,
  { seq: oldSeq, id }: EventRow,
  event: TriggerEvent,
  { seq, notes, isAnew }: { seq: number; notes: readonly ReplayNote[]; isAnew: boolean },
): void {
  sql.moveEvent.run(seq, JSON.stringify(notes), oldSeq);
  for (const key of [id, ...event.aliases.map(wellFormed)]) sql.moveKey.run(seq, key, oldSeq);
  sql.moveOutbox.run(seq, oldSeq);
  if (isAnew) sql.deleteProgress.run(oldSeq);
  else sql.moveProgress.run(seq, oldSeq);
}
