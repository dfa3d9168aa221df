import type { BusyMode } from "../../domain/busy.ts";
import { prepareAuditStatements } from "./audit-statements.ts";
import type { Database } from "./database.ts";
import type { OfferedKind } from "./lanes.ts";
import { preparePurseStatements } from "./purse-statements.ts";
import { prepareVaultStatements } from "./vault-statements.ts";

export interface WaitingRow {
  readonly seq: number;
  readonly lane: string;
  readonly kind: OfferedKind;
  readonly agent: string | null;
  readonly busy: BusyMode;
  readonly into_seq: number | null;
  readonly conversation: string;
  readonly accepted_ms: number;
  readonly updated_ms: number;
  readonly attempt: number;
  readonly failures: number;
  readonly forgiven: number;
  readonly claims: number;
  readonly due_ms: number;
  readonly retrying: number;
  readonly refusal: string | null;
  readonly platform: string;
  readonly tenant: string;
  readonly sender: string;
  readonly crashes: number;
  readonly signals: string | null;
  readonly parked: number;
  readonly given: number;
  readonly replay: number;
}
export interface EventRow {
  readonly seq: number;
  readonly id: string;
  readonly accepted_ms: number;
  readonly body: string;
  readonly progress: string | null;
  /** Null while the event waits; `attempt`, `cause` and `updated_ms` then come from `waiting`. */
  readonly state: "done" | "dropped" | "dead" | "merged" | null;
  readonly attempt: number;
  readonly cause: string | null;
  readonly updated_ms: number;
  /** Null: that of its conversation. Known once it is settled. */
  readonly lane: string | null;
  /** Null: a message. Known once it is settled. */
  readonly kind: OfferedKind | null;
  /** Id of the event that it is joined to, or was. */
  readonly merged_into: string | null;
  /** As JSON; null for none. */
  readonly replays: string | null;
}

export interface SettledRow {
  readonly seq: number;
  readonly id: string;
  readonly accepted_ms: number;
  readonly updated_ms: number;
  /** As JSON. */
  readonly aliases: string | null;
}

/** How far `seen_ms` of a conversation may lag behind. */
export const SEEN_ACCURACY_MS = 3_600_000;

const EVENT = `
  SELECT e.seq, e.id, e.accepted_ms, e.body, e.state, e.lane, e.kind, e.replays, p.body AS progress,
    coalesce(w.attempt, e.attempt) AS attempt,
    coalesce(w.cause, e.cause) AS cause,
    (SELECT id FROM events WHERE seq = coalesce(w.into_seq, e.into_seq)) AS merged_into,
    coalesce(w.updated_ms, e.updated_ms) AS updated_ms
  FROM events e LEFT JOIN waiting w USING (seq) LEFT JOIN progress p USING (seq)`;

export type Statements = ReturnType<typeof prepareStatements>;

/** Every statement, compiled once. Times and seqs are bound in the order in which they are named. */
export function prepareStatements(db: Database) {
  return {
    begin: db.prepare("BEGIN IMMEDIATE"),
    commit: db.prepare("COMMIT"),

    // Opening
    newestSeq: db.prepare<{ seq: number | null }>("SELECT max(seq) AS seq FROM events"),
    seqFloor: db.prepare<{ value: number }>("SELECT value FROM meta WHERE name = 'seq_floor'"),
    setSeqFloor: db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('seq_floor', ?)"),
    touchMeta: db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('checked_ms', ?)"),
    allWaiting: db.prepare<WaitingRow>(
      `SELECT seq, lane, kind, agent, busy, into_seq, conversation, accepted_ms, updated_ms, attempt, failures, forgiven,
         claims, due_ms, retrying, refusal, platform, tenant, sender, crashes, signals, given, parked, replay
       FROM waiting ORDER BY seq`,
    ),

    // Accepting
    liveKey: db.prepare<{ seq: number }>("SELECT seq FROM keys WHERE key = ? AND expires_ms > ?"),
    addKey: db.prepare(
      `INSERT INTO keys (key, seq, expires_ms) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET seq = excluded.seq, expires_ms = excluded.expires_ms`,
    ),
    addOrphan: db.prepare("INSERT INTO orphaned_keys (expires_ms, seq, keys) VALUES (?, ?, ?)"),
    addEvent: db.prepare("INSERT INTO events (seq, id, accepted_ms, body) VALUES (?, ?, ?, ?)"),
    setBody: db.prepare("UPDATE events SET body = ? WHERE seq = ?"),
    addDropped: db.prepare(
      `INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body)
       VALUES (?1, ?2, ?3, 'dropped', 0, ?4, ?3, ?5)`,
    ),
    addWaiting: db.prepare(
      `INSERT INTO waiting
         (seq, lane, kind, agent, busy, conversation, accepted_ms, cause, refusal, platform, tenant, sender, updated_ms, replay,
          attempt, failures, claims, due_ms, retrying)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0)`,
    ),
    isKnown: db.prepare<{ known: 1 }>("SELECT known FROM conversations WHERE conversation = ? AND known = 1"),
    toldAt: db.prepare<{ at_ms: number }>("SELECT at_ms FROM told WHERE key = ?"),
    tell: db.prepare("INSERT OR REPLACE INTO told (key, at_ms, until_ms) VALUES (?, ?, ?)"),

    // Working
    claim: db.prepare(
      "UPDATE waiting SET attempt = ?, claims = ?, updated_ms = ?, given = ?, due_ms = 0, parked = 0, held = 1 WHERE seq = ?",
    ),
    /** A claim that was lost. */
    letGo: db.prepare("UPDATE waiting SET crashes = ?, held = 0 WHERE seq = ?"),
    signal: db.prepare("UPDATE waiting SET signals = ? WHERE seq = ?"),
    hurry: db.prepare("UPDATE waiting SET due_ms = 0, parked = 0 WHERE seq = ?"),
    park: db.prepare(
      "UPDATE waiting SET attempt = ?, due_ms = ?, updated_ms = ?, signals = ?, parked = ?, cause = NULL, held = 0 WHERE seq = ?",
    ),
    body: db.prepare<{ accepted_ms: number; body: string; progress: string | null }>(
      "SELECT e.accepted_ms, e.body, p.body AS progress FROM events e LEFT JOIN progress p USING (seq) WHERE e.seq = ?",
    ),
    /** Seen to the hour (SEEN_ACCURACY_MS) is enough, and spares a conversation in full swing the writes. */
    see: db.prepare(
      `INSERT INTO conversations (conversation, known, seen_ms, forgotten_seq) VALUES (?1, 1, ?2, 0)
       ON CONFLICT (conversation) DO UPDATE SET known = 1, seen_ms = ?2
       WHERE known = 0 OR abs(?2 - seen_ms) > ${SEEN_ACCURACY_MS}`,
    ),
    setProgress: db.prepare("INSERT OR REPLACE INTO progress (seq, body) VALUES (?, ?)"),
    forgive: db.prepare("UPDATE waiting SET failures = 0, forgiven = ? WHERE seq = ?"),
    touch: db.prepare("UPDATE waiting SET updated_ms = ? WHERE seq = ?"),
    putBack: db.prepare(
      `UPDATE waiting SET attempt = ?, failures = ?, retrying = ?, due_ms = ?, cause = ?, updated_ms = ?, held = 0
       WHERE seq = ?`,
    ),
    endWaiting: db.prepare("DELETE FROM waiting WHERE seq = ?"),
    settle: db.prepare(
      "UPDATE events SET state = ?, attempt = ?, cause = ?, updated_ms = ?, lane = ?, kind = ? WHERE seq = ?",
    ),

    join: db.prepare("UPDATE waiting SET into_seq = ? WHERE seq = ?"),
    merge: db.prepare(
      "UPDATE events SET state = 'merged', attempt = 0, updated_ms = ?, into_seq = ? WHERE seq = ?",
    ),
    mergedInto: db.prepare<SettledRow>(
      `SELECT seq, id, accepted_ms, updated_ms, CASE
         WHEN NOT json_valid(body) THEN NULL
         ELSE coalesce(json_extract(body, '$.aliases'), '[]') END AS aliases FROM events
       WHERE into_seq = ? ORDER BY seq`,
    ),

    // What was said
    reservation: db.prepare<{ state: "reserved" | "sent" | "not-sent"; receipt: string | null }>(
      "SELECT state, receipt FROM outbox WHERE part_id = ? AND seq = ?",
    ),
    reservations: db.prepare<{ count: number }>(
      "SELECT coalesce(sum(reservations), 0) AS count FROM outbox WHERE seq = ?",
    ),
    reserve: db.prepare(
      `INSERT INTO outbox (part_id, seq, reservations, state) VALUES (?, ?, 1, 'reserved')
       ON CONFLICT (part_id, seq) DO UPDATE SET reservations = reservations + 1, state = 'reserved'`,
    ),
    /**
     * The newest: an id that came again after its keys had expired has older parts of the same name. A receipt is kept
     * whoever brings it; anything else is true of what is reserved alone. Reserved with a receipt: shown.
     */
    record: db.prepare(
      `UPDATE outbox SET state = ?2, receipt = ?3
       WHERE part_id = ?1 AND seq = (SELECT max(seq) FROM outbox WHERE part_id = ?1)
         AND (state = 'reserved' OR ?2 = 'sent')`,
    ),

    // Memory
    recall: db.prepare<{ seq: number; body: string }>(
      `SELECT seq, body FROM turns WHERE conversation = ? AND at_ms >= ?
       ORDER BY seq DESC, position DESC LIMIT ?`,
    ),
    allTurns: db.prepare<{ seq: number; body: string }>("SELECT seq, body FROM turns WHERE conversation = ?"),
    // Quotes in a text are escaped: this is the field.
    summaries: db.prepare<{ rowid: number; body: string }>(
      `SELECT rowid, body FROM turns WHERE conversation = ? AND instr(body, '"role":"summary"') > 0`,
    ),
    remember: db.prepare(
      "INSERT INTO turns (conversation, seq, position, at_ms, body) VALUES (?, ?, ?, ?, ?)",
    ),
    forgottenSeq: db.prepare<{ forgotten_seq: number }>(
      "SELECT forgotten_seq FROM conversations WHERE conversation = ?",
    ),
    forget: db.prepare(
      `INSERT INTO conversations (conversation, known, seen_ms, forgotten_seq) VALUES (?1, 0, ?2, ?3)
       ON CONFLICT (conversation) DO UPDATE SET forgotten_seq = max(forgotten_seq, ?3), seen_ms = max(seen_ms, ?2)`,
    ),
    turnsOf: db.prepare<{ rowid: number; body: string }>(
      "SELECT rowid, body FROM turns WHERE conversation = ? AND seq = ? ORDER BY position",
    ),
    deleteTurn: db.prepare("DELETE FROM turns WHERE rowid = ?"),
    setTurn: db.prepare("UPDATE turns SET body = ? WHERE rowid = ?"),
    deleteTurnsOf: db.prepare("DELETE FROM turns WHERE conversation = ? AND seq = ?"),
    deleteTurns: db.prepare("DELETE FROM turns WHERE conversation = ? AND seq <= ?"),

    // People
    person: db.prepare<{ passing: string | null; conversation: string }>(
      "SELECT passing, conversation FROM people WHERE lasting = ?",
    ),
    ownerOf: db.prepare<{ lasting: string }>("SELECT lasting FROM people WHERE passing = ?"),
    anyPerson: db.prepare<{ lasting: string }>("SELECT lasting FROM people LIMIT 1"),
    addPerson: db.prepare("INSERT INTO people (lasting, passing, conversation, seen_ms) VALUES (?, ?, ?, ?)"),
    setPassing: db.prepare("UPDATE people SET passing = ?, seen_ms = ? WHERE lasting = ?"),
    losePassing: db.prepare("UPDATE people SET passing = NULL WHERE passing = ?"),
    seePerson: db.prepare(
      `UPDATE people SET seen_ms = ?2
       WHERE lasting IN (?1, ?3) AND abs(?2 - seen_ms) > ${SEEN_ACCURACY_MS}`,
    ),
    conversationSeen: db.prepare<{ seen_ms: number }>(
      "SELECT seen_ms FROM conversations WHERE conversation = ? AND known = 1",
    ),
    deletePeople: db.prepare(
      "DELETE FROM people WHERE lasting IN (SELECT lasting FROM people WHERE seen_ms < ? ORDER BY seen_ms LIMIT ?)",
    ),

    // Journal
    anyKey: db.prepare<{ seq: number }>("SELECT seq FROM keys WHERE key = ?"),
    event: db.prepare<EventRow>(`${EVENT} WHERE e.seq = ?`),
    newest: db.prepare<EventRow>(`${EVENT} WHERE e.seq < ? ORDER BY e.seq DESC LIMIT ?`),
    newestSettled: db.prepare<EventRow>(
      `${EVENT} WHERE e.state = ? AND e.seq < ? ORDER BY e.seq DESC LIMIT ?`,
    ),
    countSettled: db.prepare<{ count: number }>("SELECT count(*) AS count FROM events WHERE state = ?"),

    // Bringing back
    moveEvent: db.prepare(
      `UPDATE events SET seq = ?, replays = ?, state = NULL, attempt = NULL, cause = NULL, updated_ms = NULL, lane = NULL,
         kind = NULL, into_seq = NULL
       WHERE seq = ?`,
    ),
    moveMerged: db.prepare(
      `UPDATE events SET seq = ?, state = NULL, attempt = NULL, cause = NULL, updated_ms = NULL, into_seq = NULL
       WHERE seq = ?`,
    ),
    moveKey: db.prepare("UPDATE keys SET seq = ? WHERE key = ? AND seq = ?"),
    moveProgress: db.prepare("UPDATE progress SET seq = ? WHERE seq = ?"),
    moveOutbox: db.prepare("UPDATE outbox SET seq = ? WHERE seq = ?"),
    drop: db.prepare(
      "UPDATE events SET state = 'dropped', cause = ?, updated_ms = ? WHERE seq = ? AND state = 'dead'",
    ),

    // Sweeping
    expiredOrphans: db.prepare<{ rowid: number; seq: number; keys: string }>(
      "SELECT rowid, seq, keys FROM orphaned_keys WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?",
    ),
    deleteOrphans: db.prepare("DELETE FROM orphaned_keys WHERE rowid = ?"),
    /** Not when a newer event, or a later duplicate, has made the key live again. */
    deleteKey: db.prepare("DELETE FROM keys WHERE key = ? AND seq = ? AND expires_ms <= ?"),
    keyExpiry: db.prepare<{ expires_ms: number }>("SELECT expires_ms FROM keys WHERE key = ? AND seq = ?"),
    deleteTold: db.prepare(
      "DELETE FROM told WHERE key IN (SELECT key FROM told WHERE until_ms <= ? ORDER BY until_ms LIMIT ?)",
    ),
    settledAfter: db.prepare<SettledRow>(
      `SELECT seq, id, accepted_ms, updated_ms, CASE
         WHEN NOT json_valid(body) THEN NULL
         ELSE coalesce(json_extract(body, '$.aliases'), '[]') END AS aliases FROM events
       WHERE state = ? AND seq > ? ORDER BY seq LIMIT ?`,
    ),
    settled: db.prepare<SettledRow>(
      `SELECT seq, id, accepted_ms, updated_ms, CASE
         WHEN NOT json_valid(body) THEN NULL
         ELSE coalesce(json_extract(body, '$.aliases'), '[]') END AS aliases FROM events
       WHERE seq = ? AND state IS NOT NULL`,
    ),
    /** With its own end, not that of another. */
    isOver: db.prepare<{ one: 1 }>("SELECT 1 AS one FROM events WHERE seq = ? AND state <> 'merged'"),
    // Of the whole table, for there is no index on this: only where an event cannot say its own.
    keysOf: db.prepare<{ key: string }>("SELECT key FROM keys WHERE seq = ?"),
    deleteEvent: db.prepare("DELETE FROM events WHERE seq = ?"),
    deleteProgress: db.prepare("DELETE FROM progress WHERE seq = ?"),
    deleteOutbox: db.prepare("DELETE FROM outbox WHERE seq = ?"),
    deleteOldTurns: db.prepare(
      "DELETE FROM turns WHERE rowid IN (SELECT rowid FROM turns WHERE at_ms < ? ORDER BY at_ms LIMIT ?)",
    ),
    idleConversations: db.prepare<{ conversation: string }>(
      "SELECT conversation FROM conversations WHERE seen_ms < ? ORDER BY seen_ms LIMIT ?",
    ),
    touchConversation: db.prepare("UPDATE conversations SET seen_ms = ? WHERE conversation = ?"),
    deleteConversation: db.prepare("DELETE FROM conversations WHERE conversation = ?"),

    // Holding
    elect: db.prepare<{ token: number }>(
      `INSERT INTO holds (name, token) VALUES (?, 1)
       ON CONFLICT (name) DO UPDATE SET token = token + 1 RETURNING token`,
    ),
    note: db.prepare<{ value: string }>("SELECT value FROM notes WHERE name = ?"),
    putNote: db.prepare("INSERT OR REPLACE INTO notes (name, value) VALUES (?, ?)"),
    ...preparePurseStatements(db),
    ...prepareVaultStatements(db),
    ...prepareAuditStatements(db),

    // Requests
    noteRequest: db.prepare(
      // One that is told again, because nobody heard that it was written, is there.
      "INSERT OR IGNORE INTO requests (id, request_id, outcome, body) VALUES (?, ?, ?, ?)",
    ),
    deleteOldRequests: db.prepare<{ outcome: string }>("DELETE FROM requests WHERE id < ? RETURNING outcome"),
    countRequests: db.prepare<{ outcome: string; count: number }>(
      "SELECT outcome, count(*) AS count FROM requests GROUP BY outcome",
    ),
    deleteRequests: db.prepare(
      "DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE outcome = ? ORDER BY id LIMIT ?)",
    ),
    requests: db.prepare<{ body: string }>(
      `SELECT body FROM requests WHERE id < ? AND outcome IN (SELECT value FROM json_each(?))
       ORDER BY id DESC LIMIT ?`,
    ),
    requestsOf: db.prepare<{ body: string }>(
      "SELECT body FROM requests WHERE request_id = ? ORDER BY id DESC LIMIT 100",
    ),
    freePages: db.prepare<{ freelist_count: number }>("PRAGMA freelist_count"),
    shrink: db.prepare("PRAGMA incremental_vacuum(256)"),
    allPages: db.prepare<{ page_count: number }>("PRAGMA page_count"),
    pageBytes: db.prepare<{ page_size: number }>("PRAGMA page_size"),
  };
}
