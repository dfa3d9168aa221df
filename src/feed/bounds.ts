/** Whoever watches says so this often, and is believed for three times as long. */
export const WATCH_EVERY_MS = 10_000;
export const WATCHED_FOR_MS = 30_000;
/** Changes that may wait for the bus, a second of as many as are ever watched; what comes on top is counted and left out. */
export const LIVES_WAITING_MAX = 10_000;
/** Of those, so many are one message: what a reader has no room for comes behind what it has read meanwhile. */
export const LIVES_PER_MESSAGE_MAX = 500;
