import type { TriggerEvent } from "../../domain/event.ts";
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
  if (!request.states.includes(row.state) || hasLostItsText(row)) return "wrong-state";
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

  const count = notes.filter(({ mode }) => mode === "anew").length;
  const source: Source = [event.platform, wellFormed(event.tenant), wellFormed(event.sender.id)];
  // Whoever waits for it waits from now on; when it was accepted stays with the event.
  state.sql.addWaiting.run(seq, lane, kind, conversation, nowMs, null, null, ...source, nowMs, count);
  state.lanes.add(
    newcomer({ seq, lane, kind, conversation, source, sinceMs: nowMs, refusal: null, replay: count }),
  );
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
