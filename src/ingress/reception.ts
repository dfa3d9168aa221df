import type { Refusal } from "../domain/refusal.ts";
import type { RequestOutcome } from "../domain/request.ts";
import type { Ack, Adapter, RawRequest, RequestHead, WebhookSpec } from "../ports/adapter.ts";
import type { TraceIds } from "../telemetry/trace.ts";

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
  /** For the log; absent: it is not traced. */
  readonly trace?: TraceIds;
  /** What became of the others, where the webhook was of more than one message. */
  readonly others?: readonly Item[];
}

/** Never a hung request: a store that takes longer than the platform waits is answered as one that is away. */
export const LATE: Reception = {
  outcome: "unavailable",
  ack: { status: 503 },
  reason: "STORE_SLOW",
  events: 0,
};

/** Where webhooks come from, and the front half of their path as the server sees it. */
export interface WebhookSource extends Pick<Adapter, "platform"> {
  readonly webhook: WebhookSpec;
  /** What the headers alone decide; null: the body has to be read. */
  readonly screen: (head: RequestHead) => Reception | null;
  readonly receive: (request: RawRequest) => Promise<Reception>;
  /** Of one for developers, who are told what became of a message; null: there was no reply in time. */
  readonly waitForReply?: WaitForReply;
}

export type WaitForReply = (eventId: string, signal: AbortSignal) => Promise<string | null>;
