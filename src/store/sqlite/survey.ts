import type { Retention } from "../../ports/retention.ts";
import type { Overdue, Soundness } from "../../ports/upkeep.ts";
import type { Database } from "./database.ts";
import { describe } from "./fault.ts";
import { SEEN_ACCURACY_MS } from "./statements.ts";

const FINDINGS_MAX = 20;

/** What there must not be, as a count. */
const RULES: readonly (readonly [what: string, sql: string])[] = [
  [
    "waiting events without a text",
    "waiting w WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = w.seq)",
  ],
  [
    "events that neither wait nor are over",
    "events e WHERE state IS NULL AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.seq = e.seq)",
  ],
  ["events whose text cannot be read", "events WHERE NOT json_valid(body)"],
  ["turns whose text cannot be read", "turns WHERE NOT json_valid(body)"],
  [
    "records of work without an event",
    "progress p WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = p.seq)",
  ],
  [
    "parts of replies without an event",
    "outbox o WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = o.seq)",
  ],
];

/** Every page, every index, and what the tables owe each other. Of a file that can be opened. */
export function soundnessOf(db: Database): Soundness {
  const findings: string[] = [];
  try {
    const rows = db.prepare<{ integrity_check: string }>(`PRAGMA integrity_check(${FINDINGS_MAX})`).all();
    for (const { integrity_check: line } of rows) if (line !== "ok") findings.push(line.replace(/\s+/g, " "));
    for (const [what, from] of RULES) {
      const count = countOf(db, from);
      if (count > 0) findings.push(`${count} ${what}`);
    }
    return { findings, events: countOf(db, "events") };
  } catch (error) {
    return { findings: [...findings, describe(error)], events: 0 };
  }
}

export function overdueIn(db: Database, { finishedMs, deadMs, turnsMs }: Retention, nowMs: number): Overdue {
  const settled = (state: string, untilMs: number) =>
    `events e WHERE state = '${state}' AND updated_ms <= ${whole(untilMs)}`;
  let events = 0;
  for (const state of ["done", "dropped"]) {
    const from = settled(state, nowMs - finishedMs);
    events += countOf(db, from) + countOf(db, `events m WHERE m.into_seq IN (SELECT e.seq FROM ${from})`);
  }
  return {
    events,
    letters: countOf(db, settled("dead", nowMs - deadMs)),
    turns: countOf(db, `turns WHERE at_ms < ${whole(nowMs - turnsMs)}`),
    conversations: countOf(db, `conversations WHERE seen_ms < ${whole(nowMs - turnsMs - SEEN_ACCURACY_MS)}`),
  };
}

/** What is never deleted is past its time infinitely long ago. */
function whole(ms: number): number {
  return Number.isFinite(ms) ? Math.trunc(ms) : Number.MIN_SAFE_INTEGER;
}

function countOf(db: Database, from: string): number {
  return db.prepare<{ n: number }>(`SELECT count(*) AS n FROM ${from}`).get()?.n ?? 0;
}
