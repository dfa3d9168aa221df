import { accept } from "./accept.ts";
import { drop, replay } from "./archive.ts";
import { addAudit, pruneAudit, readAudit } from "./audit.ts";
import { getNote, hold, putNote } from "./holds.ts";
import { join } from "./join.ts";
import { find, list, stats } from "./journal.ts";
import { forget, recall, withdraw } from "./memory.ts";
import { settlePerson } from "./people.ts";
import type { Kind, Operations, Request } from "./protocol.ts";
import { holdMoney, settleMoney, spentMoney } from "./purse.ts";
import { listConversations, replaceRecord, searchRecords } from "./records.ts";
import { findRequests, listRequests, noteRequests } from "./requests.ts";
import { laneHead, signal } from "./signals.ts";
import type { State } from "./state.ts";
import { sweep } from "./sweep.ts";
import { removeEvents, vacuum } from "./upkeep.ts";
import { getKept, listKept, putKept } from "./vault.ts";
import { checkpoint, claim, extend, record, reserve, settle } from "./work.ts";

/** An operation dirties about four pages of 4 KiB besides its text. */
const OPERATION_BYTES = 16 * 1024;
/** Neighbours share their pages, so that these many rows that go dirty as many as one operation. */
const SWEPT_ROWS = 8;
/** As much as 256 pages that are moved, and what points to them. */
const SHRUNK_OPERATIONS = 128;
/** The note of a request, in a table and two indexes. */
const NOTE_BYTES = 1024;

type Handler<K extends Kind> = (
  state: State,
  args: Operations[K]["args"],
  nowMs: number,
) => Operations[K]["result"];
const HANDLERS: { readonly [K in Kind]: Handler<K> } = {
  accept,
  claim,
  extend: (state, [token, leaseMs], nowMs) => extend(state, token, leaseMs, nowMs),
  checkpoint: (state, [token, progress], nowMs) => checkpoint(state, token, progress, nowMs),
  join,
  settle: (state, [token, settlement], nowMs) => settle(state, token, settlement, nowMs),
  reserve: (state, [token, partId, progress], nowMs) => reserve(state, token, partId, progress, nowMs),
  record: (state, [partId, fate, receipt]) => record(state, partId, fate, receipt),
  recall: (state, [conversation, turnsMax, sinceMs]) => recall(state, conversation, turnsMax, sinceMs),
  forget: (state, [conversation, untilEventId], nowMs) => forget(state, conversation, untilEventId, nowMs),
  withdraw: (state, [eventId, signal]) => withdraw(state, eventId, signal),
  person: settlePerson,
  holdMoney,
  settleMoney,
  spentMoney,
  find,
  list,
  stats,
  laneHead,
  laneState: ({ lanes }, lane) => lanes.stateOf(lane),
  signal: (state, [lane, key, text]) => signal(state, lane, key, text),
  replay: (state, [id, request], nowMs) => replay(state, id, request, nowMs),
  noteRequests,
  listRequests,
  findRequests,
  hold,
  getNote,
  putNote: (state, [name, value]) => putNote(state, name, value),
  getKept,
  putKept,
  listKept,
  readAudit,
  addAudit,
  pruneAudit,
  searchRecords,
  replaceRecord,
  listConversations,
  check({ sql, refusal }, _, nowMs) {
    sql.touchMeta.run(nowMs);
    return refusal.messageAt(nowMs);
  },
  drop: (state, [id, by], nowMs) => drop(state, id, by, nowMs),
  sweep: (state, { retention, cursor }, nowMs) => sweep(state, cursor, retention, nowMs),
  vacuum,
  removeEvents,
};

/** They leave nothing in the log. */
const READS: ReadonlySet<Kind> = new Set([
  "extend",
  "recall",
  "find",
  "list",
  "stats",
  "laneState",
  "laneHead",
  "getNote",
  "getKept",
  "listKept",
  "readAudit",
  "searchRecords",
  "listConversations",
  "check",
  "spentMoney",
]);

/**
 * A power cut may take these back: a claim that was counted, notes for operators, and reads. The death of the process
 * does not, and the next flush makes them as safe as the rest.
 */
export const UNFLUSHED: ReadonlySet<Kind> = new Set([...READS, "claim", "noteRequests"]);

/** Of somebody else than the check, and of a size that says something. */
export function isWrite([kind]: Request): boolean {
  return kind !== "check" && !UNFLUSHED.has(kind);
}

export function apply<K extends Kind>(state: State, request: Request<K>): Operations[K]["result"] {
  const [kind, nowMs, args] = request as readonly [K, number, Operations[K]["args"]];
  const result = HANDLERS[kind](state, args, nowMs);
  if (!READS.has(kind)) state.unsavedBytes += OPERATION_BYTES * rowsOf(kind, result) + textBytes(request);
  return result;
}

/** A batch of a sweep deletes hundreds of rows, and a claim in vain, as an idle process makes them, writes nothing. */
function rowsOf<K extends Kind>(kind: K, result: Operations[K]["result"]): number {
  if (kind === "claim") return (result as Operations["claim"]["result"]).length;
  if (kind === "pruneAudit") return Math.ceil((result as number) / SWEPT_ROWS);
  if (kind === "vacuum") return SHRUNK_OPERATIONS;
  if (kind === "removeEvents") return Math.ceil((result as number) / SWEPT_ROWS);
  if (kind !== "sweep") return 1;
  const { gone, next } = result as Operations["sweep"]["result"];
  // Shrinking the file deletes no rows, and moves 256 pages.
  return gone === 0 && next !== null ? SHRUNK_OPERATIONS : Math.ceil(gone / SWEPT_ROWS);
}

/** What an operation adds to the log besides a few pages. */
function textBytes(request: Request): number {
  if (request[0] === "accept") return request[2][10].length;
  if (request[0] === "noteRequests") return request[2].rows.length * NOTE_BYTES;
  if (request[0] === "reserve") return request[2][2]?.[0].length ?? 0;
  if (request[0] === "settle" && request[2][1].kind === "park") return request[2][1].progress[0].length;
  return request[0] === "checkpoint" ? request[2][1][0].length : 0;
}
