import type { Reception } from "./reception.ts";
import type { HttpResponse } from "./response.ts";

/** Percent-encoded: an id may hold anything. */
export const FATE_HEADERS = {
  outcome: "x-parley-outcome",
  reason: "x-parley-reason",
  event: "x-parley-event",
} as const;

/**
 * What became of a webhook, for whoever has shown the developer's key. Platforms, and forgers, are told no more than
 * their protocol wants.
 */
export function withFate(answer: HttpResponse, { outcome, reason, eventId }: Reception): HttpResponse {
  return {
    ...answer,
    headers: {
      ...answer.headers,
      [FATE_HEADERS.outcome]: outcome,
      ...(reason !== undefined && { [FATE_HEADERS.reason]: plain(reason) }),
      ...(eventId !== undefined && { [FATE_HEADERS.event]: plain(eventId) }),
    },
  };
}

function plain(text: string): string {
  return encodeURIComponent(text.slice(0, CHARS_MAX).toWellFormed());
}

const CHARS_MAX = 500;
