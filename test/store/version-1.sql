-- The schema of version 1, as its release made it.
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

PRAGMA user_version = 1;
PRAGMA application_id = 1349676153;
