import { existsSync, renameSync, rmSync } from "node:fs";
import { GatewayError } from "../../domain/errors.ts";
import { APPLICATION_ID, type Database } from "./database.ts";
import { makePrivate } from "./file.ts";

/**
 * Migration n takes the schema from version n to n + 1. Released ones never change; new ones are appended.
 *
 * - `events`: all that was ever accepted and not yet swept; `state` is null while an event waits.
 * - `waiting`: the small, busy part of an event, while it waits. A claim writes only here, not to the text.
 * - `keys`: idempotency keys. An id's key also finds its event, which saves `events` an index on the hot path. They
 *   go with their event, or later: see `orphaned_keys`. An index on their time would cost each accept a page more.
 * - `requests`: what became of the latest webhooks, as JSON. Its indexes end in `id`, the key of the table.
 * - `orphaned_keys`: keys, as JSON, that no event's row names: it went before their time, or a duplicate brought them.
 * - `holds`: the fencing token of the last election of each name. `notes`: what its holder has noted.
 * - `spending`: what each scope has spent and holds on a day, in millionths of a cent; `money_holds`: each model call's part
 *   of `held`, with the scopes as JSON, and whether it is settled.
 * - `vault`: small texts by name; secrets among them are encrypted.
 * - `audit`: what was done to the gateway, each row with the hash over the one before; `audit_ends`: the last row (`last`),
 *   and the last that was let go of (`first`).
 * - `people`: who is known by two names, each by the conversation of somebody known by that name alone.
 *
 * In `waiting`, `accepted_ms` is when an event was accepted or, of one that was replayed, when that was; `platform`,
 * `tenant` and `sender` share out the turns; `held` marks what is claimed, so that the next start knows what was in
 * hand when the process died; `forgiven` counts the failures before there was an answer, which `failures` does not;
 * `signals` holds what was said to it, each with its key, as JSON, and `given` how many of them came with its
 * last claim; `parked` marks what waits for more of them, or for its time; `kind`, `agent` and `busy` are those of the
 * offer; `into_seq`, in `events` too, is the event that this one is joined to. In `events`, `lane` is
 * set at the end where it is not the conversation, `kind` where it is not `message`, and `replays` holds notes as JSON;
 * all are needed only by what is replayed.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    accepted_ms INTEGER NOT NULL,
    state TEXT,
    attempt INTEGER,
    cause TEXT,
    updated_ms INTEGER,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_settled ON events (state, seq) WHERE state IS NOT NULL;

  CREATE TABLE waiting (
    seq INTEGER PRIMARY KEY,
    lane TEXT NOT NULL,
    conversation TEXT NOT NULL,
    accepted_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    claims INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    retrying INTEGER NOT NULL,
    cause TEXT,
    refusal TEXT
  ) STRICT;

  CREATE TABLE progress (seq INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;

  CREATE TABLE keys (
    key TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE orphaned_keys (
    expires_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    keys TEXT NOT NULL
  ) STRICT;
  CREATE INDEX orphaned_keys_expiry ON orphaned_keys (expires_ms);

  CREATE TABLE told (
    key TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX told_until ON told (until_ms);

  CREATE TABLE conversations (
    conversation TEXT PRIMARY KEY,
    known INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    forgotten_seq INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX conversations_seen ON conversations (seen_ms);

  CREATE TABLE turns (
    conversation TEXT NOT NULL,
    seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (conversation, seq, position)
  ) STRICT;
  CREATE INDEX turns_at ON turns (at_ms);

  CREATE TABLE outbox (
    part_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    reservations INTEGER NOT NULL,
    state TEXT NOT NULL,
    receipt TEXT,
    PRIMARY KEY (part_id, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX outbox_event ON outbox (seq);

  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE waiting ADD COLUMN platform TEXT NOT NULL DEFAULT '';
  ALTER TABLE waiting ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
  ALTER TABLE waiting ADD COLUMN sender TEXT NOT NULL DEFAULT '';
  ALTER TABLE waiting ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE waiting ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE waiting ADD COLUMN stop INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE waiting ADD COLUMN replay INTEGER NOT NULL DEFAULT 0;
  UPDATE waiting SET (platform, tenant, sender) = (
    SELECT coalesce(max(json_extract(body, '$.platform')), ''), coalesce(max(json_extract(body, '$.tenant')), ''),
      coalesce(max(json_extract(body, '$.sender.id')), '')
    FROM events WHERE events.seq = waiting.seq
  );

  ALTER TABLE events ADD COLUMN lane TEXT;
  ALTER TABLE events ADD COLUMN replays TEXT;
  `,
  `
  CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    request_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX requests_by_outcome ON requests (outcome);
  CREATE INDEX requests_by_request ON requests (request_id);
  `,
  `
  CREATE TABLE people (
    lasting TEXT PRIMARY KEY,
    passing TEXT,
    conversation TEXT NOT NULL,
    seen_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX people_passing ON people (passing) WHERE passing IS NOT NULL;
  CREATE INDEX people_seen ON people (seen_ms);
  `,
  `
  CREATE TABLE holds (name TEXT PRIMARY KEY, token INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  // What an answer had behind it was written in the answer, and taken off whenever its failures were counted.
  `
  ALTER TABLE waiting ADD COLUMN forgiven INTEGER NOT NULL DEFAULT 0;
  UPDATE waiting SET forgiven = max(0, min(failures, coalesce((
    SELECT CAST(CASE WHEN json_valid(body) THEN json_extract(body, '$.answer.failuresBefore') END AS INTEGER)
    FROM progress WHERE progress.seq = waiting.seq
  ), 0)));
  UPDATE waiting SET failures = failures - forgiven;
  `,
  `
  ALTER TABLE waiting ADD COLUMN signals TEXT;
  UPDATE waiting SET signals = json_array('stop', '{"kind":"stop","by":{"id":"","name":""}}') WHERE stop = 1;
  ALTER TABLE waiting DROP COLUMN stop;
  `,
  `
  ALTER TABLE waiting ADD COLUMN kind TEXT NOT NULL DEFAULT 'message';
  ALTER TABLE events ADD COLUMN kind TEXT;
  UPDATE waiting SET kind = 'command' WHERE lane GLOB '*!control' OR lane GLOB '*!control!notice';
  UPDATE events SET kind = 'command' WHERE lane GLOB '*!control';
  `,
  `
  CREATE TABLE spending (
    day TEXT NOT NULL,
    scope TEXT NOT NULL,
    spent INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL,
    warned INTEGER NOT NULL,
    calls INTEGER NOT NULL DEFAULT 0,
    input_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cache_read_tokens INTEGER NOT NULL DEFAULT 0,
    cache_write_tokens INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, scope)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE money_holds (
    day TEXT NOT NULL,
    id TEXT NOT NULL,
    amount INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    settled INTEGER NOT NULL,
    PRIMARY KEY (day, id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE waiting ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE waiting ADD COLUMN given INTEGER NOT NULL DEFAULT 0;
  `,
  `
  ALTER TABLE waiting ADD COLUMN agent TEXT;
  ALTER TABLE waiting ADD COLUMN busy TEXT NOT NULL DEFAULT 'queue';
  ALTER TABLE waiting ADD COLUMN into_seq INTEGER;
  ALTER TABLE events ADD COLUMN into_seq INTEGER;
  CREATE INDEX events_into ON events (into_seq) WHERE into_seq IS NOT NULL;
  `,
  `
  CREATE TABLE vault (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE audit (seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE audit_ends (name TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
];

/**
 * Brings the schema up to date, each step in its own transaction. An existing file is copied first.
 * Gives the copy's path, or null. Throws STORE_SCHEMA_NEWER or STORE_OPEN_FAILED.
 */
export function migrate(
  db: Database,
  file: string,
  migrations: readonly string[] = MIGRATIONS,
): string | null {
  const version = readVersion(db);
  refuseNewer(version, file, migrations);
  const copy = version > 0 && version < migrations.length ? copyAside(db, file, version) : null;
  for (let next = version; next < migrations.length; next++) {
    db.exec(`
      BEGIN IMMEDIATE;
      ${migrations[next]};
      PRAGMA user_version = ${next + 1};
      PRAGMA application_id = ${APPLICATION_ID};
      COMMIT;
    `);
  }
  return copy;
}

export function refuseNewer(version: number, file: string, migrations = MIGRATIONS): void {
  if (version <= migrations.length) return;
  throw new GatewayError(
    "STORE_SCHEMA_NEWER",
    `Expected schema version ${migrations.length} or older in ${file}, got ${version}: ` +
      "a newer release has used this file. Run that release, or restore an older copy.",
  );
}

export function readVersion(db: Database): number {
  return Object.values(db.prepare<Record<string, number>>("PRAGMA user_version").get() ?? {})[0] ?? 0;
}

/** A whole copy under a name that tells its version. Written beside, then renamed: a half copy never has the name. */
function copyAside(db: Database, file: string, version: number): string {
  const copy = `${file}.v${version}`;
  if (existsSync(copy)) return copy; // An earlier try got this far, and the file has not changed since.
  const partial = `${copy}.partial`;
  rmSync(partial, { force: true });
  db.prepare("VACUUM INTO ?").run(partial);
  makePrivate(partial);
  renameSync(partial, copy);
  return copy;
}
