import type { LastRefusal } from "../last-refusal.ts";
import type { Buckets } from "./buckets.ts";
import type { Database } from "./database.ts";
import { Lanes, type Waiting } from "./lanes.ts";
import type { Leases } from "./leases.ts";
import type { StoreLimits } from "./protocol.ts";
import { prepareStatements, type Statements } from "./statements.ts";
import type { SteadyTime } from "./time.ts";

/** What is not in the file, and stays when it is opened again. */
export interface Volatile {
  readonly leases: Leases;
  readonly buckets: Buckets;
  readonly time: SteadyTime;
  readonly limits: StoreLimits;
  readonly file: string;
  readonly refusal: LastRefusal;
}

/** What the operations work on: the open file, and what memory knows of it. */
export interface State extends Volatile {
  readonly db: Database;
  readonly sql: Statements;
  readonly lanes: Lanes;
  nextSeq: number;
  /** Notes of requests by their outcome; null until they are counted. */
  requestCounts: Map<string, number> | null;
  /** Estimate of what was written to the log since it was last copied into the file. */
  unsavedBytes: number;
  /** Whether commits wait for the disk at the moment; so a file is opened. */
  flushes: boolean;
}

/** Reads what waits from the file. */
export function loadState(db: Database, kept: Volatile, nowMs: number): State {
  const sql = prepareStatements(db);
  const newest = sql.newestSeq.get()?.seq ?? 0;
  const floor = sql.seqFloor.get()?.value ?? 1;
  const lanes = loadLanes(sql, kept, nowMs);
  const nextSeq = Math.max(newest + 1, floor);
  return { ...kept, db, sql, lanes, nextSeq, requestCounts: null, unsavedBytes: 0, flushes: true };
}

function loadLanes(sql: Statements, { leases, time }: Volatile, nowMs: number): Lanes {
  const lanes = new Lanes();
  const steadyMs = time.at(nowMs);
  const delayMsOf = new Map<Waiting, number>();
  for (const row of sql.allWaiting.all()) {
    const job: Waiting = {
      seq: row.seq,
      lane: row.lane === row.conversation ? row.conversation : row.lane,
      kind: row.kind,
      agent: row.agent,
      busy: row.busy,
      conversation: row.conversation,
      source: [row.platform, row.tenant, row.sender],
      sinceMs: row.accepted_ms,
      refusal: row.refusal,
      replay: row.replay,
      attempt: row.attempt,
      failures: row.failures,
      forgiven: row.forgiven,
      claims: row.claims,
      retrying: row.retrying === 1,
      crashes: row.crashes,
      signals: row.signals,
      given: row.given,
      parked: row.parked === 1,
      into: row.into_seq,
    };
    // The delay as it was set: if the clock has been set back since, the event does not wait longer for it.
    delayMsOf.set(job, Math.min(row.due_ms - nowMs, row.due_ms - row.updated_ms));
    lanes.add(job);
  }
  const heads: Waiting[] = [];
  for (let head = lanes.take(); head !== undefined; head = lanes.take()) heads.push(head);
  for (const head of heads) {
    if (leases.has(head.seq)) continue;
    const delayMs = delayMsOf.get(head) ?? 0;
    if (delayMs > 0) lanes.hold(head, steadyMs + delayMs);
    else lanes.free(head);
  }
  return lanes;
}
