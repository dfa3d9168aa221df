import { DatabaseSync } from "node:sqlite";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Progress, Turn } from "../../../src/domain/run.ts";
import type { Ledger, Part, Row } from "../ledger.ts";

/** Of a file that nobody has open. */
export function readLedger(file: string): Ledger {
  const db = new DatabaseSync(file);
  try {
    const waiting = db.prepare("SELECT seq FROM waiting").all().length;
    return {
      rows: readRows(db),
      parts: readParts(db),
      turns: readTurns(db),
      money: readMoney(db),
      leftovers: waiting > 0 ? [`${waiting} events that wait`] : [],
    };
  } finally {
    db.close();
  }
}

function readRows(db: DatabaseSync): Row[] {
  const rows = db
    .prepare("SELECT e.*, p.body AS progress FROM events e LEFT JOIN progress p USING (seq) ORDER BY seq")
    .all() as unknown as {
    seq: number;
    id: string;
    accepted_ms: number;
    state: string | null;
    attempt: number;
    cause: string | null;
    body: string;
    progress: string | null;
    into_seq: number | null;
  }[];
  return rows.map(({ seq, id, accepted_ms, state, attempt, cause, body, progress, into_seq }) => ({
    seq,
    id,
    acceptedMs: accepted_ms,
    state,
    attempt,
    cause,
    event: JSON.parse(body) as TriggerEvent,
    progress: progress === null ? null : (JSON.parse(progress) as Progress),
    into: into_seq,
  }));
}

function readParts(db: DatabaseSync): Part[] {
  const parts = db.prepare("SELECT part_id, seq, state FROM outbox").all() as unknown as {
    part_id: string;
    seq: number;
    state: string;
  }[];
  return parts.map(({ part_id, seq, state }) => ({ partId: part_id, seq, state }));
}

function readMoney(db: DatabaseSync): number {
  const sum = db.prepare("SELECT total(spent + held) AS sum FROM spending WHERE scope = 'global'").get();
  return Number(sum?.sum);
}

function readTurns(db: DatabaseSync): { conversation: string; turn: Turn }[] {
  const turns = db
    .prepare("SELECT conversation, body FROM turns ORDER BY seq, position")
    .all() as unknown as { conversation: string; body: string }[];
  return turns.map(({ conversation, body }) => ({ conversation, turn: JSON.parse(body) as Turn }));
}
