-- What a gateway with schema version 4 left, made by that version (b175749).
BEGIN;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    accepted_ms INTEGER NOT NULL,
    state TEXT,
    attempt INTEGER,
    cause TEXT,
    updated_ms INTEGER,
    body TEXT NOT NULL
  , lane TEXT, replays TEXT) STRICT;
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
  , platform TEXT NOT NULL DEFAULT '', tenant TEXT NOT NULL DEFAULT '', sender TEXT NOT NULL DEFAULT '', held INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0, stop INTEGER NOT NULL DEFAULT 0, replay INTEGER NOT NULL DEFAULT 0) STRICT;
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
CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    request_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_outcome ON requests (outcome);
CREATE INDEX requests_by_request ON requests (request_id);
CREATE TABLE people (
    lasting TEXT PRIMARY KEY,
    passing TEXT,
    conversation TEXT NOT NULL,
    seen_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX people_passing ON people (passing) WHERE passing IS NOT NULL;
CREATE INDEX people_seen ON people (seen_ms);
INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body, lane, replays) VALUES (1, 'done', 1700000000000, 'done', 1, NULL, 1700000000000, '{"id":"done","aliases":["alias"],"platform":"slack","tenant":"T1","place":"C1","thread":null,"conversation":"c1","isDirect":false,"sender":{"id":"U1","name":"ann","isBot":false},"trigger":"mention","command":null,"text":"hello","attachments":[],"replyTo":"{}","occurredAtMs":1700000000000}', NULL, NULL);
INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body, lane, replays) VALUES (2, 'dead', 1700000000000, 'dead', 1, 'gave up', 1700000000000, '{"id":"dead","aliases":[],"platform":"slack","tenant":"T1","place":"C1","thread":null,"conversation":"c2","isDirect":false,"sender":{"id":"U1","name":"ann","isBot":false},"trigger":"mention","command":null,"text":"hello","attachments":[],"replyTo":"{}","occurredAtMs":1700000000000}', NULL, NULL);
INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body, lane, replays) VALUES (3, 'dead stop', 1700000000000, 'dead', 1, 'gave up', 1700000000000, '{"id":"dead stop","aliases":[],"platform":"slack","tenant":"T1","place":"C1","thread":null,"conversation":"c3","isDirect":false,"sender":{"id":"U1","name":"ann","isBot":false},"trigger":"mention","command":null,"text":"hello","attachments":[],"replyTo":"{}","occurredAtMs":1700000000000}', 'c3!control', NULL);
INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body, lane, replays) VALUES (4, 'retrying', 1700000000000, NULL, NULL, NULL, NULL, '{"id":"retrying","aliases":[],"platform":"slack","tenant":"T1","place":"C1","thread":null,"conversation":"c4","isDirect":false,"sender":{"id":"U1","name":"ann","isBot":false},"trigger":"mention","command":null,"text":"hello","attachments":[],"replyTo":"{}","occurredAtMs":1700000000000}', NULL, NULL);
INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body, lane, replays) VALUES (5, 'message', 1700000000000, NULL, NULL, NULL, NULL, '{"id":"message","aliases":[],"platform":"slack","tenant":"T1","place":"C1","thread":null,"conversation":"c5","isDirect":false,"sender":{"id":"U1","name":"ann","isBot":false},"trigger":"mention","command":null,"text":"hello","attachments":[],"replyTo":"{}","occurredAtMs":1700000000000}', NULL, NULL);
INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body, lane, replays) VALUES (6, 'behind', 1700000000000, NULL, NULL, NULL, NULL, '{"id":"behind","aliases":[],"platform":"slack","tenant":"T1","place":"C1","thread":null,"conversation":"c5","isDirect":false,"sender":{"id":"U1","name":"ann","isBot":false},"trigger":"mention","command":null,"text":"hello","attachments":[],"replyTo":"{}","occurredAtMs":1700000000000}', NULL, NULL);
INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body, lane, replays) VALUES (7, 'stop', 1700000000000, NULL, NULL, NULL, NULL, '{"id":"stop","aliases":[],"platform":"slack","tenant":"T1","place":"C1","thread":null,"conversation":"c5","isDirect":false,"sender":{"id":"U1","name":"ann","isBot":false},"trigger":"mention","command":null,"text":"hello","attachments":[],"replyTo":"{}","occurredAtMs":1700000000000}', NULL, NULL);
INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body, lane, replays) VALUES (8, 'refused', 1700000000000, NULL, NULL, NULL, NULL, '{"id":"refused","aliases":[],"platform":"slack","tenant":"T1","place":"C1","thread":null,"conversation":"c6","isDirect":false,"sender":{"id":"U2","name":"bob","isBot":false},"trigger":"mention","command":null,"text":"hello","attachments":[],"replyTo":"{}","occurredAtMs":1700000000000}', NULL, NULL);
INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body, lane, replays) VALUES (9, 'refused stop', 1700000000000, NULL, NULL, NULL, NULL, '{"id":"refused stop","aliases":[],"platform":"slack","tenant":"T1","place":"C1","thread":null,"conversation":"c7","isDirect":false,"sender":{"id":"U3","name":"cid","isBot":false},"trigger":"mention","command":null,"text":"hello","attachments":[],"replyTo":"{}","occurredAtMs":1700000000000}', NULL, NULL);
INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body, lane, replays) VALUES (10, 'unheard', 1700000000000, 'dropped', 0, 'not_allowed', 1700000000000, '{"id":"unheard","aliases":[],"platform":"slack","tenant":"T1","place":"C1","thread":null,"conversation":"c6","isDirect":false,"sender":{"id":"U2","name":"bob","isBot":false},"trigger":"mention","command":null,"text":"","attachments":[],"replyTo":"{}","occurredAtMs":1700000000000}', NULL, NULL);
INSERT INTO waiting (seq, lane, conversation, accepted_ms, updated_ms, attempt, failures, claims, due_ms, retrying, cause, refusal, platform, tenant, sender, held, crashes, stop, replay) VALUES (4, 'c4', 'c4', 1700000000000, 1700000000000, 1, 1, 1, 1700000005000, 1, 'overloaded', NULL, 'slack', 'T1', 'U1', 0, 0, 0, 0);
INSERT INTO waiting (seq, lane, conversation, accepted_ms, updated_ms, attempt, failures, claims, due_ms, retrying, cause, refusal, platform, tenant, sender, held, crashes, stop, replay) VALUES (5, 'c5', 'c5', 1700000000000, 1700000000000, 0, 0, 0, 0, 0, NULL, NULL, 'slack', 'T1', 'U1', 0, 0, 0, 0);
INSERT INTO waiting (seq, lane, conversation, accepted_ms, updated_ms, attempt, failures, claims, due_ms, retrying, cause, refusal, platform, tenant, sender, held, crashes, stop, replay) VALUES (6, 'c5', 'c5', 1700000000000, 1700000000000, 0, 0, 0, 0, 0, NULL, NULL, 'slack', 'T1', 'U1', 0, 0, 0, 0);
INSERT INTO waiting (seq, lane, conversation, accepted_ms, updated_ms, attempt, failures, claims, due_ms, retrying, cause, refusal, platform, tenant, sender, held, crashes, stop, replay) VALUES (7, 'c5!control', 'c5', 1700000000000, 1700000000000, 0, 0, 0, 0, 0, NULL, NULL, 'slack', 'T1', 'U1', 0, 0, 0, 0);
INSERT INTO waiting (seq, lane, conversation, accepted_ms, updated_ms, attempt, failures, claims, due_ms, retrying, cause, refusal, platform, tenant, sender, held, crashes, stop, replay) VALUES (8, 'c6!notice', 'c6', 1700000000000, 1700000000000, 0, 0, 0, 0, 0, 'not_allowed', '{"cause":"not_allowed","detail":"user","noticeWindowMs":60000}', 'slack', 'T1', 'U2', 0, 0, 0, 0);
INSERT INTO waiting (seq, lane, conversation, accepted_ms, updated_ms, attempt, failures, claims, due_ms, retrying, cause, refusal, platform, tenant, sender, held, crashes, stop, replay) VALUES (9, 'c7!control!notice', 'c7', 1700000000000, 1700000000000, 0, 0, 0, 0, 0, 'not_allowed', '{"cause":"not_allowed","detail":"user","noticeWindowMs":60000}', 'slack', 'T1', 'U3', 0, 0, 0, 0);
INSERT INTO progress (seq, body) VALUES (1, '{"runId":"run_1","agent":"assistant","startedAtMs":1700000000000,"workedMs":5,"steps":[],"answer":{"outcome":"answered","text":"no","parts":[{"kind":"text","text":"no"}],"usage":{"inputTokens":0,"outputTokens":0,"cacheReadTokens":0,"cacheWriteTokens":0,"costCents":0},"failuresBefore":0,"cause":"x"}}');
INSERT INTO progress (seq, body) VALUES (2, '{"runId":"run_1","agent":"assistant","startedAtMs":1700000000000,"workedMs":5,"steps":[],"answer":{"outcome":"failed","text":"no","parts":[{"kind":"text","text":"no"}],"usage":{"inputTokens":0,"outputTokens":0,"cacheReadTokens":0,"cacheWriteTokens":0,"costCents":0},"failuresBefore":0,"cause":"x"}}');
INSERT INTO progress (seq, body) VALUES (3, '{"runId":"run_1","agent":"assistant","startedAtMs":1700000000000,"workedMs":5,"steps":[],"answer":{"outcome":"failed","text":"no","parts":[{"kind":"text","text":"no"}],"usage":{"inputTokens":0,"outputTokens":0,"cacheReadTokens":0,"cacheWriteTokens":0,"costCents":0},"failuresBefore":0,"cause":"x"}}');
INSERT INTO keys (key, seq, expires_ms) VALUES ('alias', 1, 1700003600000);
INSERT INTO keys (key, seq, expires_ms) VALUES ('behind', 6, 1700003600000);
INSERT INTO keys (key, seq, expires_ms) VALUES ('dead', 2, 1700003600000);
INSERT INTO keys (key, seq, expires_ms) VALUES ('dead stop', 3, 1700003600000);
INSERT INTO keys (key, seq, expires_ms) VALUES ('done', 1, 1700003600000);
INSERT INTO keys (key, seq, expires_ms) VALUES ('message', 5, 1700003600000);
INSERT INTO keys (key, seq, expires_ms) VALUES ('refused', 8, 1700003600000);
INSERT INTO keys (key, seq, expires_ms) VALUES ('refused stop', 9, 1700003600000);
INSERT INTO keys (key, seq, expires_ms) VALUES ('retrying', 4, 1700003600000);
INSERT INTO keys (key, seq, expires_ms) VALUES ('stop', 7, 1700003600000);
INSERT INTO keys (key, seq, expires_ms) VALUES ('unheard', 10, 1700003600000);
INSERT INTO told (key, at_ms, until_ms) VALUES ('["not_allowed","slack:T1:U2"]', 1700000000000, 1700000060000);
INSERT INTO told (key, at_ms, until_ms) VALUES ('["not_allowed","slack:T1:U3"]', 1700000000000, 1700000060000);
INSERT INTO conversations (conversation, known, seen_ms, forgotten_seq) VALUES ('c1', 1, 1700000000000, 0);
INSERT INTO conversations (conversation, known, seen_ms, forgotten_seq) VALUES ('c2', 1, 1700000000000, 0);
INSERT INTO conversations (conversation, known, seen_ms, forgotten_seq) VALUES ('c3', 1, 1700000000000, 0);
INSERT INTO conversations (conversation, known, seen_ms, forgotten_seq) VALUES ('c4', 1, 1700000000000, 0);
INSERT INTO turns (conversation, seq, position, at_ms, body) VALUES ('c1', 1, 0, 1700000000000, '{"role":"user","name":"ann","text":"hello","atMs":1700000000000}');
INSERT INTO outbox (part_id, seq, reservations, state, receipt) VALUES ('done/0', 1, 1, 'sent', '{"messageId":"m0","via":"test"}');
COMMIT;
PRAGMA user_version = 4;
PRAGMA application_id = 1349676153;
