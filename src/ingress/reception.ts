import type { Platform } from "../domain/event.ts";
import type { Refusal } from "../domain/refusal.ts";
import type { Ack, RawRequest } from "../ports/adapter.ts";

/** What became of a webhook as a whole; the label of its metric and log line. */
export type ReceptionOutcome =
  | "accepted"
  | "duplicate"
  | "refused" // by policy: recorded, acknowledged
  | "ignored"
  | "handshake"
  | "forged"
  | "stale"
  | "handshake-refused"
  | "malformed"
  | "unsupported"
  | "unavailable"; // could not be stored; the platform will send it again

export interface Reception {
  readonly outcome: ReceptionOutcome;
  readonly ack: Ack;
  /** For the log and the error body; never text from the request. */
  readonly reason?: string;
  /** The first event of the webhook, for the log. */
  readonly eventId?: string;
  readonly conversation?: string;
  readonly refusal?: Refusal;
  readonly events: number;
}

/** The front half of the path, as the server sees it. */
export type Receive = (request: RawRequest, platform: Platform) => Promise<Reception>;
