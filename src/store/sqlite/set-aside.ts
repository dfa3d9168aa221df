import { openDatabase } from "./database.ts";
import { migrate } from "./migrations.ts";

/** Of a dead letter: what an operator reads who decides about it. */
const CAUSE = "restored from a backup: whether it was answered after that is not known";

/**
 * Makes dead letters of what waited or ran when the copy was made: it may have been answered since, and must not be
 * answered again unasked. What a socket had heard up to then goes too, or its platform would send again what came after.
 * For a copy that nobody uses, brought to our schema. Gives how many were set aside.
 */
export function setAside(file: string, nowMs: number): number {
  const db = openDatabase(file, "power");
  try {
    migrate(db, file);
    db.exec("BEGIN IMMEDIATE");
    // What is joined to another goes with it, and comes back with it.
    db.prepare(
      `UPDATE events SET state = 'merged', updated_ms = ?, into_seq = w.into_seq
       FROM waiting w WHERE w.seq = events.seq AND w.into_seq IS NOT NULL`,
    ).run(nowMs);
    // A refusal that nobody has heard of is none that a person should hear of now.
    db.prepare(
      `UPDATE events SET state = 'dropped', attempt = w.attempt, cause = w.cause, updated_ms = ?
       FROM waiting w WHERE w.seq = events.seq AND w.into_seq IS NULL AND w.refusal IS NOT NULL`,
    ).run(nowMs);
    const { changes } = db
      .prepare(
        `UPDATE events SET state = 'dead', attempt = w.attempt, cause = ?, updated_ms = ?,
           lane = nullif(w.lane, w.conversation), kind = nullif(w.kind, 'message')
         FROM waiting w WHERE w.seq = events.seq AND w.into_seq IS NULL AND w.refusal IS NULL`,
      )
      .run(CAUSE, nowMs);
    db.exec("DELETE FROM waiting; DELETE FROM notes WHERE name GLOB '*.*:*/*'; COMMIT");
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return Number(changes);
  } finally {
    db.close();
  }
}
