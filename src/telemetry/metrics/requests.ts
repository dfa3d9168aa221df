import { ACK_SECONDS, HTTP_SECONDS, type Instruments } from "./instruments.ts";

/** What comes in over HTTP, and what becomes of it before it is an event. */
export function requestsMetrics({ counter, histogram }: Instruments) {
  return {
    httpRequests: counter("http_requests_total", "HTTP requests answered.", ["method", "route", "status"]),
    httpSeconds: histogram("http_request_duration_seconds", "Time to answer an HTTP request.", HTTP_SECONDS, [
      "method",
      "route",
    ]),
    webhooks: counter("webhooks_total", "Webhooks by what became of them.", ["platform", "outcome"]),
    ignored: counter(
      "webhook_items_ignored_total",
      "Parts of genuine webhooks that are no trigger, by reason; what no list of ours names is `other`.",
      ["platform", "reason"],
    ),
    requestNotesDropped: counter(
      "request_notes_dropped_total",
      "Requests that the list of refused and ignored ones leaves out: too many alike, or the store was away for long.",
      ["cause"],
    ),
    authFailures: counter(
      "auth_failures_total",
      "Requests without the right token of the operator, by what it would have opened and how they were answered.",
      ["surface", "answer"],
    ),
    adminRequests: counter("admin_requests_total", "Requests to the admin API with the right token.", [
      "operation",
      "status",
    ]),
    ackSeconds: histogram(
      "webhook_ack_duration_seconds",
      "From the first byte of a webhook to its acknowledgement.",
      ACK_SECONDS,
      ["platform"],
    ),
    acksLate: counter(
      "webhook_acks_late_total",
      "Webhooks, and what came over a socket, acknowledged later than their platform waits, where it says how long that is.",
      ["platform"],
    ),
    duplicates: counter("duplicates_total", "Deliveries of an event that was already accepted.", [
      "platform",
    ]),
    refusals: counter("refusals_total", "Events not run by policy.", ["platform", "cause"]),
    feedback: counter("feedback_total", "Reactions to answers: up or down.", ["platform", "agent", "rating"]),
    rateLimited: counter("rate_limited_total", "Events over a rate limit.", ["platform", "scope"]),
  };
}
