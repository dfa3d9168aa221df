/** The fixed limits of the admin API. */

/** Longest JSON body; a list of a thousand ids fits in. */
export const BODY_BYTES_MAX = 512 * 1024;
/** Of one that is too long so much is read and thrown away, so that its connection can go on. */
export const UNREAD_BYTES_MAX = 16 * 1024 * 1024;
export const PAGE_DEFAULT = 50;
export const PAGE_MAX = 500;
/** Events looked at for one page; a filter that few of them fit ends early, with a cursor to go on from. */
export const SCANNED_MAX = 10_000;
/** Events asked of the store at once. */
export const CHUNK = 200;
/** Dead letters of one bulk request. */
export const BULK_MAX = 100_000;
export const BULK_IDS_MAX = 1_000;
export const EXCERPT_CHARS_MAX = 200;
/** Of why something is not approved. */
export const REASON_CHARS_MAX = 1_000;
export const OPERATOR_CHARS_MAX = 100;
/** Of an Idempotency-Key. */
export const KEY_CHARS_MAX = 200;

/** Of a token that is bound to a tenant. */
export const TOKEN_NAME_CHARS_MAX = 100;
export const TOKEN_DAYS_MAX = 3_650;
/** Tokens that nobody knows yet, of all senders: each is a question to the store, so many at once and then each second. */
export const LOOK_UPS_RATE = [200, 50] as const;
/** Requests to the API with one token of a tenant, each of which may read 10,000 events. */
export const TENANT_RATE = [100, 10] as const;
/** Of the live streams; the others are for operators. */
export const STREAMS_OF_TENANTS_MAX = 80;
/** Of one of them, whatever tokens it has: no tenant keeps another out. */
export const STREAMS_PER_TENANT_MAX = 20;
/** A token that was revoked, or whose time is over, ends what it has opened after this, where the word of it is lost. */
export const TOKEN_CHECK_MS = 10_000;

/** Seconds until a caller should try again what the store could not do. */
export const RETRY_AFTER_SECONDS = 5;

/** Live streams of one process. */
export const STREAMS_MAX = 100;
export const HEARTBEAT_MS = 15_000;
/** What may wait for a reader before it is cut off as too slow. */
export const STREAM_CHARS_MAX = 256 * 1024;
