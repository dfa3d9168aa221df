import type { Platform } from "../domain/event.ts";
import type { Refusal } from "../domain/refusal.ts";
import type { RequestOutcome } from "../domain/request.ts";
import type { Ack, RawRequest, RequestHead } from "../ports/adapter.ts";

/** What became of a webhook that was read to its end. */
export type ReceptionOutcome = Exclude<RequestOutcome, "too-large" | "cut">;

/** What became of one message of a webhook. */
export interface Item {
  readonly outcome: ReceptionOutcome;
  readonly reason?: string;
  readonly eventId?: string;
  readonly conversation?: string;
}

export interface Reception {
  readonly outcome: ReceptionOutcome;
  readonly ack: Ack;
  /** For the log and the error body; never text from the request. */
  readonly reason?: string;
  /** The event that decided the outcome. */
  readonly eventId?: string;
  readonly conversation?: string;
  readonly refusal?: Refusal;
  readonly events: number;
  /** What became of the others, where the webhook was of more than one message. */
  readonly others?: readonly Item[];
}

/** What the headers alone decide; null: the body has to be read. */
export type Screen = (head: RequestHead, platform: Platform) => Reception | null;

/** The front half of the path, as the server sees it. */
export type Receive = (request: RawRequest, platform: Platform) => Promise<Reception>;
