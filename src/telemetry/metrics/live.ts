import type { Instruments } from "./instruments.ts";

/** Live events over WebSocket, at `/ws`. */
export function liveMetrics({ counter, gauge }: Instruments) {
  return {
    liveConnections: gauge("live_connections", "Open connections of /ws, by whose token they have.", {
      labels: ["caller"],
    }),
    liveOpened: counter("live_connections_opened_total", "Connections of /ws that were opened.", ["caller"]),
    liveClosed: counter(
      "live_connections_closed_total",
      "Connections of /ws that are over; `stale` are those that did not say any more that they are there.",
      ["cause"],
    ),
    livePublished: counter(
      "live_events_published_total",
      "Events that were sent to a connection of /ws, once for each connection.",
    ),
    liveDropped: counter(
      "live_events_dropped_total",
      "Events that a connection of /ws did not get because it was read too slowly (`slow`) or closed, and those that no connection got because the bus was slower than they came (`bus`).",
      ["cause"],
    ),
  };
}
