import type { IncomingMessage } from "node:http";
import type { Platform } from "../domain/event.ts";
import { isTaken } from "../domain/request.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Reception } from "./reception.ts";
import type { Noted } from "./recorder.ts";
import { peerOf } from "./request.ts";

/** What came in, by a webhook or over a connection of ours. */
export interface Received {
  readonly platform: Platform;
  readonly requestId: string;
  /** Null: over a connection of ours, so that there is no stranger to tell of. */
  readonly incoming: IncomingMessage | null;
  readonly durationMs: number;
}

/** A note of each of its messages. */
export function noteAll(
  note: (noted: Noted) => void,
  { platform, requestId, incoming }: Omit<Received, "durationMs">,
  reception: Reception,
): void {
  for (const item of reception.others === undefined ? [reception] : [reception, ...reception.others]) {
    const { outcome, reason, eventId, conversation } = item;
    note({
      requestId,
      platform,
      outcome,
      reason: reason ?? null,
      // The address of a socket is a question to the system.
      peer: isTaken(outcome) || incoming === null ? null : (peerOf(incoming) ?? null),
      eventId: eventId ?? null,
      conversation: conversation ?? null,
    });
  }
}

export function writeLine(
  log: Logger,
  name: "webhook.received" | "socket.received",
  { platform, requestId, incoming, durationMs }: Received,
  reception: Reception,
): void {
  const { outcome, reason, eventId, conversation, events } = reception;
  const level = SUSPICIOUS.has(outcome) ? "warn" : outcome === "unavailable" ? "error" : "info";
  log[level](
    {
      request_id: requestId,
      platform,
      outcome,
      reason,
      // Whoever wants to know who that was; the address of a socket is a question to the system.
      peer: level === "warn" && incoming !== null ? peerOf(incoming) : undefined,
      event_id: eventId,
      ...reception.trace,
      conversation_id: conversation,
      events,
      duration_ms: Math.round(durationMs * 100) / 100,
    },
    name,
  );
}

const SUSPICIOUS: ReadonlySet<string> = new Set([
  "forged",
  "stale",
  "handshake-refused",
  "malformed",
  "unsupported",
]);
