import type { ErrorCode } from "../domain/errors.ts";

/** Of a webhook that could not be stored, or of an event that fails. */
type Code = ErrorCode | "QUEUE_FULL" | "STORE_SLOW";

export const ERROR_WORDS: Readonly<Record<Code, string>> = {
  CONFIG_INVALID: "The configuration is wrong; parley config validate says where.",
  STORE_OPEN_FAILED: "The store could not be opened; see docs/errors.md.",
  STORE_LOCKED: "Another process has the database open.",
  STORE_SCHEMA_NEWER: "A newer version has used this database; run that version.",
  STORE_WRITE_FAILED: "The store could not write: most likely the disk is full. /ready says what is wrong.",
  STORE_MOVED:
    "The file of the database was deleted, moved or replaced while it is in use. Put it back, or restart once nothing waits.",
  STORE_DAMAGED:
    "The file of the database is damaged. Stop the gateway, copy the data folder, and restore or recover the file.",
  EVENT_DAMAGED:
    "What the store kept of this event cannot be read: the disk, or Redis, gave back something else than was written.",
  STORE_CLOSED: "The gateway was shutting down.",
  STORE_UNAVAILABLE: "Redis could not be used; /ready and the log say why.",
  STORE_UNSAFE: "This Redis may lose what it is given; see docs/replicas.md.",
  STORE_SLOW: "The store did not answer in time: look at the disk, or at Redis.",
  QUEUE_FULL:
    "Too much was waiting, in the conversation or in all; parley events list shows what holds it up.",
  MEDIA_OPEN_FAILED: "The folder for files of messages cannot be made or written.",
  LISTEN_FAILED: "The port could not be listened on.",
  MODEL_AUTH: "The model's provider refuses the key: set a valid one.",
  MODEL_NOT_FOUND:
    "The model's provider has no such model for this key: look at the name in the agent's file.",
  MODEL_BILLING: "The account at the model's provider cannot pay: look at the provider's console.",
  MODEL_OVERLOADED: "The model's provider was overloaded; a fallback model helps.",
  MODEL_RATE_LIMITED:
    "The model's provider limits how often it is called: raise the limit, or lower queue.concurrency.",
  MODEL_REQUEST_REJECTED: "The model's provider rejected the request: often the model's name is wrong.",
  MODEL_UNREACHABLE: "The model's provider could not be reached: look at the network and the base URL.",
  MODEL_STREAM_CUT: "The model's answer broke off.",
  BREAKER_OPEN:
    "The model or the platform kept failing and is left alone for up to a minute; /ready names it.",
  DELIVERY_RETRY: "The platform did not take the answer for now.",
  DELIVERY_REJECTED:
    "The platform refuses the answer for good: a missing permission, a channel that is gone, a closed window.",
  PLATFORM_REFUSED:
    "The platform does not take the credentials: answers are kept, and said once it takes them; look at its token.",
  SECRET_UNREADABLE:
    "None of the keys opens what is kept encrypted: PARLEY_ENCRYPTION_KEY lacks the key it was sealed with.",
  DELIVERY_UNKNOWN: "Whether the platform took the answer is not known.",
};

/** What a cause means that begins with a code of ours, or holds one; empty where it does not. */
export function errorWords(cause: string): string {
  const code = /\b[A-Z]+(?:_[A-Z]+)+\b/.exec(cause)?.[0] ?? "";
  return Object.hasOwn(ERROR_WORDS, code) ? ERROR_WORDS[code as Code] : "";
}
