/** Tools of one server that are looked at; those after are left out. */
export const LISTED_MAX = 500;
/** Of its list. */
export const PAGES_MAX = 20;
/** Of one tool: its schema and its description, as the model sees them. */
export const SCHEMA_CHARS_MAX = 32_000;
export const DESCRIPTION_CHARS_MAX = 4_000;
/** Of what a server says of its use, where that is shown. */
export const INSTRUCTIONS_CHARS_MAX = 4_000;
/** As model providers take it. */
export const TOOL_NAME_CHARS_MAX = 64;
/** Of one message of a server, whatever the transport. */
export const MESSAGE_BYTES_MAX = 16 * 2 ** 20;
/** Messages that nobody asked for, in one window; a server that sends more is cut off. */
export const UNASKED_MAX = 2_000;
export const UNASKED_WINDOW_MS = 10_000;
/** Of what a process writes to stderr, kept for an operator. */
export const STDERR_CHARS_MAX = 2_000;
/** How long a server has to answer the probe for its protocol before it is taken for an older one. */
export const PROBE_MS = 5_000;
/** How long a server has to answer a call that was cancelled. */
export const CANCEL_MS = 2_000;
/** How long a process has to end by itself, once it is told to. */
export const CLOSE_MS = 1_000;
/** Between two starts of a server that does not stay up. */
export const RESTART_BASE_MS = 500;
export const RESTART_MAX_MS = 60_000;
/** A server that was up so long has had no part in the failures before. */
export const HEALTHY_MS = 60_000;
/** Of all that a command writes; the model sees less. */
export const OUTPUT_BYTES_MAX = 8 * 2 ** 20;
/** Of one result, and of one picture in it: what runs have seen is in their record. */
export const PICTURES_MAX = 4;
export const PICTURE_BYTES_MAX = 1024 * 1024;
/** Of one result, of those that it makes for people; what runs may send is less (domain/bounds.ts). */
export const FILES_MAX = 20;
/** Of all files that one call of a command leaves for people: they are in memory until they are kept. */
export const LEFT_BYTES_MAX = 32 * 2 ** 20;
