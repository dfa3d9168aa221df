import { HTTP_SECONDS, type Instruments, PAUSE_SECONDS } from "./instruments.ts";

/** Calls of platforms, and sockets to them. */
export function platformsMetrics({ counter, gauge, histogram }: Instruments) {
  return {
    replies: counter("replies_total", "Reply parts by what became of them.", ["platform", "outcome"]),
    replySeconds: histogram(
      "reply_send_duration_seconds",
      "Duration of one call that sends a reply part.",
      HTTP_SECONDS,
      ["platform"],
    ),
    previews: counter("previews_total", "Changes of answers that are shown while they grow.", [
      "platform",
      "outcome",
    ]),
    nameLookups: counter(
      "name_lookups_total",
      "Names of people, channels and groups by where they were found: memory, store, platform or nowhere.",
      ["platform", "source"],
    ),
    mediaFetches: counter(
      "media_fetches_total",
      "Files of messages by what became of them: fetched, or why they could not be read.",
      ["platform", "outcome"],
    ),
    filesSent: counter(
      "files_sent_total",
      "Files that tools made, by what became of them behind the answer: sent, or refused by the platform.",
      ["platform", "outcome"],
    ),
    mediaFetchSeconds: histogram(
      "media_fetch_duration_seconds",
      "From the first try to fetch a file to its last byte on the disk.",
      HTTP_SECONDS,
      ["platform"],
    ),
    mediaBytes: gauge("media_bytes", "What all files of messages take that are kept.", { over: "max" }),
    platform429: counter("platform_rate_limited_total", "Calls that a platform refused as too many.", [
      "platform",
    ]),
    platformPauseSeconds: histogram(
      "platform_pause_seconds",
      "For how long a platform wanted to be left alone, of calls of replies that it refused as too many.",
      PAUSE_SECONDS,
      ["platform"],
    ),
    platformCalls: counter(
      "platform_calls_total",
      "Calls of a platform's API: ok, refused, rate_limited or failed.",
      ["platform", "method", "outcome"],
    ),
    invalidRequests: gauge(
      "platform_invalid_requests",
      "Calls of this process that a platform refused, in the window after which it shuts out whoever makes too many.",
      { labels: ["platform"] },
    ),
    socketUp: gauge(
      "socket_up",
      "1 while this connection to a platform stands, in the process that holds it.",
      {
        labels: ["platform", "shard"],
        over: "max",
      },
    ),
    socketHolder: gauge("socket_holder", "1 in the process that is elected to hold a platform's socket.", {
      labels: ["platform"],
    }),
    socketReadBack: counter(
      "socket_read_back_total",
      "Messages that were missed between two sessions of a socket, and read back.",
      ["platform"],
    ),
    socketReconnects: counter(
      "socket_reconnects_total",
      "Connections to a platform that were replaced, by reason.",
      ["platform", "reason"],
    ),
  };
}
