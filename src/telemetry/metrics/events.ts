import { ACK_SECONDS, type Instruments } from "./instruments.ts";

const EVENT_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600];

/** Events from the queue to their end. */
export function eventsMetrics({ counter, gauge, histogram }: Instruments) {
  return {
    eventAge: histogram(
      "event_age_at_start_seconds",
      "Age of an event when its run starts.",
      ACK_SECONDS.concat([5, 10, 30, 60, 300, 3600]),
      ["platform"],
    ),
    eventSeconds: histogram(
      "event_duration_seconds",
      "From the acceptance of a message to the last part of its answer, without what it waited for somebody to decide.",
      EVENT_SECONDS,
      ["platform"],
    ),
    ownSeconds: histogram(
      "event_own_duration_seconds",
      "What the gateway itself took for an answer: from its claim to its last part, without what it waited for models, tools and platforms.",
      ACK_SECONDS.concat([5, 10]),
      ["platform"],
    ),
    eventsMerged: counter(
      "events_merged_total",
      "Messages that were answered together with an earlier one.",
      ["platform"],
    ),
    retries: counter("retries_total", "Events put back to be tried again.", ["stage"]),
    deadLetters: counter("dead_letters_total", "Events given up.", ["platform"]),
    crashes: counter(
      "event_crashes_total",
      "Claims of events that were nearly alone in hand when a process died.",
      ["platform"],
    ),
    queueEvents: gauge("queue_events", "Events in the store that are not finished.", {
      labels: ["state"],
      over: "max",
    }),
    queueOldest: gauge(
      "queue_oldest_age_seconds",
      "Age of the oldest unfinished event that is not parked, nor behind one that is; 0 when none waits.",
      {
        over: "max",
      },
    ),
  };
}
