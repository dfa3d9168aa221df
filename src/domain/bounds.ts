/** Every fixed limit of the gateway, its unit in its name. What an operator may change is in the configuration. */

/** Of a webhook, where its platform needs no more. */
export const BODY_BYTES_MAX = 1024 * 1024;
/** Of any webhook. */
export const LARGEST_BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Of a body over its limit, this much is read and thrown away before the connection is closed. */
export const DISCARD_BYTES_MAX = 32 * 1024 * 1024;
/** A body up to here is read whoever sends it; connections bound how many there are. */
export const SMALL_BODY_BYTES = 16 * 1024;
/** What all larger bodies together may take before they are verified; beside it one, while it is verified. */
export const UNVERIFIED_BYTES_MAX = 16 * 1024 * 1024;
/** Of chunks of large bodies, this much may lie about before it is collected. */
export const USED_UP_BYTES_MAX = 8 * 1024 * 1024;
/** Each may hold a small body before anybody is known: 64 MiB together, where four times as many would be all of a small process. */
export const CONNECTIONS_MAX = 4_096;
export const TEXT_CHARS_MAX = 10_000;
/** What an event may carry of what its message refers to. */
export const CONTEXT_ITEMS_MAX = 30;
export const CONTEXT_CHARS_MAX = 20_000;
/** Of a message, and of all that it refers to together. */
export const FILES_MAX = 20;
/** Made by tools, that go out with one answer. */
export const FILES_SENT_MAX = 10;
/** An address of a file; one that is longer is none. */
export const SOURCE_CHARS_MAX = 2_048;
/** Of a text file, this much is shown to a model. */
export const FILE_TEXT_BYTES_MAX = 32 * 1024;
/** A PDF, before it is encoded: of one request providers take 32 MB and 100 pages, of all PDFs in it. */
export const PDF_BYTES_MAX = 8 * 1024 * 1024;
export const PDF_PAGES_MAX = 100;
/** For one file, and for all files of a message: longer than that no answer waits for them. */
export const FILE_TIMEOUT_MS = 30_000;
export const FILES_TIMEOUT_MS = 60_000;
/** Files of one message that are fetched at the same time. */
export const FILES_AT_ONCE = 3;
/** A name, a media type: labels for people. */
export const LABEL_CHARS_MAX = 200;
/** Of a button, in UTF-8: the least that a platform takes. */
export const BUTTON_ID_BYTES_MAX = 64;
/** Of one reply, as many are looked at; platforms show fewer. */
export const BUTTONS_MAX = 100;
/** Ids are given back to the platform: one that is longer is none. */
export const ID_CHARS_MAX = 1_000;
/** Messages in messages (a forward of a share) are followed so far. */
export const CONTEXT_DEPTH_MAX = 4;
/** Nesting that any real platform payload stays far below. */
export const JSON_DEPTH_MAX = 64;
/** Who was heard of last under a number alone, and longer ago than this, may be another person than its holder now. */
export const ADOPTED_AFTER_MS_MAX = 30 * 24 * 3_600_000;
/** How long the names of a person who is silent are remembered. */
export const PEOPLE_KEPT_MS = 400 * 24 * 3_600_000;
/** Why a request was refused, as it is kept. */
export const REASON_CHARS_MAX = 200;
export const REQUEST_ID_CHARS_MAX = 128;
/** What one process leaves to the next that does the same: where a session stands, how far something has got. */
export const NOTE_CHARS_MAX = 4_096;
/** What is kept in the vault under one name, as it is kept. */
export const VAULT_CHARS_MAX = 32_768;
/** Long-term notes of one agent about one person or channel, and characters of one of them. */
export const NOTES_PER_BOOK_MAX = 50;
export const NOTE_TEXT_CHARS_MAX = 500;
/** Tokens that are bound to a tenant, of all tenants together: one list shows them. */
export const TOKENS_MAX = 1_000;
/** Entries of the audit, however young. */
export const AUDIT_ROWS_MAX = 100_000;

export const HEADERS_TIMEOUT_MS = 10_000;
export const BODY_TIMEOUT_MS = 10_000;
/** Longer than the 60 s idle time of common proxies, so that the proxy closes first. */
export const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** An acknowledgement not ready by then is answered 503; the slowest platform gives up after 3 s. */
export const ACCEPT_TIMEOUT_MS = 2_500;

/** Of the one process that holds a platform's connections: one that died is believed to be there for so long. */
export const SOCKET_HOLD_MS = 5_000;
/** So long before that a holder that cannot renew it has begun to leave. */
export const SOCKET_MARGIN_MS = 1_000;
/** What whoever leaves its connections has for what was on its way. */
export const LEAVE_MS = 1_000;

export const DRAIN_MS = 30_000;
/** Deaths of a process that held this event and hardly another, after which the event is given up as poison. */
export const CRASHES_MAX = 3;
/** A process that dies with more events than this in hand makes none of them a suspect. */
export const SUSPECTS_MAX = 4;
/** Claims that the end of a process cut off, suspect or not. Far above what bad luck brings. */
export const CUT_OFFS_MAX = 20;
export const LEASE_MS = 30_000;
export const WAIT_SECONDS_MAX = 120;

/** For another delivery of the same message, sent at the same time; hardly noticed by who waits for an answer. */
export const GROWTH_MS = 300;

export const BACKOFF_CAP_MS = 5 * 60_000;

/** Of a model or a platform that keeps failing. */
export const BREAKER_FAILURES_IN_ROW_MAX = 10;
export const BREAKER_WINDOW_MS = 60_000;
/** Fewer calls in the window say nothing about a rate. */
export const BREAKER_WINDOW_CALLS_MIN = 20;
export const BREAKER_WINDOW_CALLS_MAX = 200;
export const BREAKER_FAILURE_RATE = 0.5;
export const BREAKER_OPEN_MS = 60_000;
/** One that refuses us is asked again this often: that costs nothing, and people wait for the new key. */
export const BREAKER_REFUSED_MS = 15_000;
/** A model that is called and silent for so long counts as one that cannot be reached, for who waits. It may still answer. */
export const MODEL_SILENT_MS = 10_000;
/** Calls of one account at a provider that wait in line, each with its worker; who comes next is asked to come again. */
export const CALL_LINE_MAX = 50;
/** A longer wait is left to the queue, which needs no worker for it. */
export const CALL_WAIT_MS_MAX = 60_000;
/** How soon to come again where nobody knows when there is room. */
export const CALL_AGAIN_MS = 5_000;
/** What a provider says is believed for so long: then one call is made, and its answer tells. */
export const RATE_RESET_MS_MAX = 5 * 60_000;

/** How soon to ask again while somebody else's call is the probe. */
export const BREAKER_PROBE_MS = 5_000;

/** Messages in a row that only repeat our own answers; one more is not answered. */
export const LOOP_ECHOES_MAX = 3;

/** What was spent on a day is known for so long. */
export const SPENDING_KEPT_DAYS = 35;
/** A model call that has not told its cost by then never will: what was held for it stays spent. */
export const HOLDS_KEPT_DAYS = 3;

/** Messages that one run answers beside its first, and how much text they may bring in all, as stored. */
export const MERGED_EVENTS_MAX = 32;
export const MERGED_CHARS_MAX = 64 * 1024;
/** For so long at most a person is told once that one run keeps the agent busy. */
export const BUSY_NOTICE_MS = 86_400_000;
