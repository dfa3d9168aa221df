/** The fixed limits of `/ws`. */

/** Of one process. The last of them are for operators: no tenant keeps one out. */
export const LIVE_CONNECTIONS_MAX = 2_000;
export const LIVE_CONNECTIONS_OF_TENANTS_MAX = 1_900;
export const LIVE_CONNECTIONS_PER_TOKEN_MAX = 500;
export const SUBSCRIPTIONS_MAX = 32;
/** Of the conversations that one connection names; each is kept for as long as it is subscribed to. */
export const SUBSCRIBED_CHARS_MAX = 8_000;
export const SUBSCRIPTION_ID_CHARS_MAX = 100;
/** Of what a client may say; the longest key of a conversation fits in. */
export const MESSAGE_BYTES_MAX = 16 * 1024;
/** What a client may say at once, and then each second. */
export const MESSAGES_RATE = [50, 10] as const;
/** A client is asked whether it is there this often; one that has not answered by the next time is gone. */
export const PING_MS = 15_000;
/** What was published since the last line of it is logged this often. */
export const REPORT_MS = 60_000;

/** What may wait for one reader: a second of ten thousand changes, were it alone. */
export const WAITING_BYTES_MAX = 2 * 1024 * 1024;
/** Once this waits for all readers together, no one may have more than the least. 96 MiB are never passed. */
export const WAITING_BYTES_OF_ALL = 32 * 1024 * 1024;
export const WAITING_BYTES_LEAST = 32 * 1024;
/** Of what waits, so much is with the system; the rest can still be dropped. */
export const SENT_BYTES_MAX = 64 * 1024;
/** What a frame takes beyond its bytes. */
export const FRAME_BYTES = 100;
