import type { Platform } from "../domain/event.ts";
import type { RequestOutcome } from "../domain/request.ts";

/** What became of a webhook, or of one message of it. Never what was said. */
export interface RequestNote {
  /** Sortable by time. */
  readonly id: string;
  readonly atMs: number;
  /** As `X-Request-Id` told the sender. */
  readonly requestId: string;
  readonly platform: Platform;
  readonly outcome: RequestOutcome;
  readonly reason: string | null;
  /** The other end of the connection: the sender, or a proxy. */
  readonly peer: string | null;
  readonly eventId: string | null;
  readonly conversation: string | null;
  /** How many of the same peer, outcome and reason just before it were left out, because they came too fast. */
  readonly alike: number;
}

/**
 * The latest requests, for operators: no promise hangs on them, and a power cut may take the last ones. At most
 * `refusedMax` that were not taken, and as many that were. Where there are more, the oldest of those outcomes go
 * that have the most, so that a flood of one kind leaves the others alone.
 */
export interface RequestLog {
  record(notes: readonly RequestNote[], bounds: RequestBounds): Promise<void>;
  /** Newest first; with `beforeId`, only older ones than that. */
  list(filter: RequestFilter): Promise<readonly RequestNote[]>;
  /** Newest first. */
  find(requestId: string): Promise<readonly RequestNote[]>;
}

export interface RequestBounds {
  readonly refusedMax: number;
  /** Older ones go. */
  readonly afterId: string;
}

export interface RequestFilter {
  readonly outcomes: readonly RequestOutcome[];
  readonly limit: number;
  readonly beforeId?: string;
}
