/** Whoever watches says so this often, and is believed for three times as long. */
export const WATCH_EVERY_MS = 10_000;
export const WATCHED_FOR_MS = 30_000;
/** Changes that may wait for the bus; what comes on top is counted and left out. */
export const LIVES_WAITING_MAX = 1_000;
