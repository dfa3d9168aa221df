import type { EventState, StoreStats } from "../../ports/journal.ts";
import { sizeBytes } from "./file.ts";
import type { Waiting } from "./lanes.ts";
import type { JournalRow, Operations } from "./protocol.ts";
import type { State } from "./state.ts";
import type { EventRow } from "./statements.ts";

export function find(state: State, id: string): JournalRow | null {
  const row = eventOf(state, id);
  return row && toJournalRow(state, row);
}

/** The newest event of this id. */
export function eventOf({ sql }: State, id: string): EventRow | null {
  const key = sql.anyKey.get(id);
  const row = key && sql.event.get(key.seq);
  // The key may be an alias, or that of a duplicate that was never an event.
  return row?.id === id ? row : null;
}

/** Newest first. */
export function list(state: State, filter: Operations["list"]["args"]): readonly JournalRow[] {
  return eventRows(state, filter).map((row) => toJournalRow(state, row));
}

function eventRows(state: State, filter: Operations["list"]["args"]): readonly EventRow[] {
  const { sql } = state;
  switch (filter.state) {
    case null:
      return sql.newest.all(filter.beforeSeq, filter.limit);
    case "done":
    case "dropped":
    case "dead":
    case "merged":
      return sql.newestSettled.all(filter.state, filter.beforeSeq, filter.limit);
    default:
      return liveSeqs(state, filter.state)
        .filter((seq) => seq < filter.beforeSeq)
        .sort((a, b) => b - a)
        .slice(0, filter.limit)
        .flatMap((seq) => sql.event.get(seq) ?? []);
  }
}

function liveSeqs(state: State, wanted: EventState): number[] {
  if (wanted === "running") return [...state.leases.seqs()];
  return [...state.lanes.jobs.keys()].filter((seq) => liveState(state, seq) === wanted);
}

/** Whether it runs is known in memory only: after a crash nothing does. */
function liveState({ lanes, leases }: State, seq: number): "queued" | "running" | "retrying" | "parked" {
  if (leases.has(seq)) return "running";
  const job = lanes.jobs.get(seq);
  if (job?.parked) return "parked";
  return job?.retrying ? "retrying" : "queued";
}

function toJournalRow(state: State, row: EventRow): JournalRow {
  return {
    seq: row.seq,
    id: row.id,
    state: row.state ?? liveState(state, row.seq),
    body: row.body,
    attempt: row.attempt,
    cause: row.cause,
    mergedInto: row.merged_into,
    progress: row.progress,
    acceptedMs: row.accepted_ms,
    updatedMs: row.updated_ms,
    replays: row.replays,
  };
}

export function stats({ sql, lanes, leases, file }: State): StoreStats {
  let retrying = 0;
  let parked = 0;
  let oldest: Waiting | undefined;
  for (const job of lanes.jobs.values()) {
    if (job.retrying) retrying++;
    if (job.parked) parked++;
    if (oldest === undefined && lanes.stateOf(job.lane) !== "parked") oldest = job;
  }
  return {
    queued: lanes.jobs.size - leases.size - retrying - parked,
    running: leases.size,
    retrying,
    parked,
    dead: sql.countSettled.get("dead")?.count ?? 0,
    oldestAcceptedAtMs: oldest?.sinceMs ?? null,
    fileBytes: sizeBytes(file),
  };
}
