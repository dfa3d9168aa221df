import type { IncomingMessage, ServerResponse } from "node:http";
import { ACCEPT_TIMEOUT_MS, BODY_BYTES_MAX, SLACK_BODY_BYTES_MAX } from "../domain/bounds.ts";
import type { Platform } from "../domain/event.ts";
import { isTaken } from "../domain/request.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type Answer, answerTo, errorAnswer } from "./answer.ts";
import { readBody } from "./body.ts";
import { Deadline } from "./deadline.ts";
import { answerDeveloper, type WaitForReply } from "./developer.ts";
import type { Receive, Reception } from "./reception.ts";
import type { Noted } from "./recorder.ts";
import { peerOf, rawRequest } from "./request.ts";

export interface WebhookDeps {
  readonly receive: Receive;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly waitForReply: WaitForReply;
  /** Keeps in mind what became of it. Returns at once. */
  readonly note: (noted: Noted) => void;
}

/** Never a hung request: a store that takes longer than the platform waits is answered as one that is away. */
const LATE: Reception = { outcome: "unavailable", ack: { status: 503 }, reason: "STORE_SLOW", events: 0 };

/** One webhook, from the first byte to what is to be answered. `startedAt` is by the clock of `performance`. */
export type Webhook = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  requestId: string,
  startedAt: number,
) => Promise<Answer>;

/** Serves one platform's webhook: raw bytes within the limit, then the front half of the path, then the answer. */
export function createWebhook(platform: Platform, deps: WebhookDeps): Webhook {
  const deadline = new Deadline(ACCEPT_TIMEOUT_MS, LATE);
  const bytesMax = platform === "slack" ? SLACK_BODY_BYTES_MAX : BODY_BYTES_MAX;
  // Labels are bound once: looking them up for every request costs more than counting.
  const ackSeconds = deps.metrics.ackSeconds.labels({ platform });
  const outcomes = new Map<string, { inc(): void }>();
  const countOutcome = (outcome: string) => {
    const child = outcomes.get(outcome) ?? deps.metrics.webhooks.labels({ platform, outcome });
    outcomes.set(outcome, child);
    child.inc();
  };

  return async function answer(incoming, outgoing, requestId, startedAt) {
    const receivedAtMs = deps.clock.nowMs();
    const body = await readBody(incoming, bytesMax);
    if (typeof body === "string") {
      countOutcome(body === "cut" ? "cut" : "too-large");
      deps.log.warn(
        { request_id: requestId, platform, outcome: body, peer: peerOf(incoming) },
        "webhook.refused",
      );
      const reason = body === "cut" ? CUT : `more than ${bytesMax} bytes`;
      deps.note({ ...NOBODY, requestId, platform, outcome: body, reason, peer: peerOf(incoming) ?? null });
      return unreadable(body, bytesMax);
    }

    const reception = await deadline.within(deps.receive(rawRequest(incoming, body, receivedAtMs), platform));
    const durationMs = performance.now() - startedAt;
    ackSeconds.observe(durationMs / 1000);
    countOutcome(reception.outcome);
    writeLine(deps.log, { platform, requestId, incoming, durationMs }, reception);
    noteAll(deps.note, { platform, requestId, incoming }, reception);
    return platform === "test"
      ? await answerDeveloper(incoming, outgoing, reception, deps.waitForReply)
      : answerTo(reception);
  };
}

const NOBODY = { eventId: null, conversation: null };
const CUT = "the sender went away before the end of the body";

function noteAll(
  note: WebhookDeps["note"],
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
      peer: isTaken(outcome) ? null : (peerOf(incoming) ?? null),
      eventId: eventId ?? null,
      conversation: conversation ?? null,
    });
  }
}

function unreadable(why: "too-large" | "cut", bytesMax: number): Answer {
  return why === "too-large"
    ? errorAnswer(413, `Expected a body of at most ${bytesMax} bytes, got more`)
    : errorAnswer(400, "Expected the whole body, got a part of it", { connection: "close" });
}

interface Received {
  readonly platform: Platform;
  readonly requestId: string;
  readonly incoming: IncomingMessage;
  readonly durationMs: number;
}

function writeLine(log: Logger, received: Received, reception: Reception): void {
  const { platform, requestId, incoming, durationMs } = received;
  const { outcome, reason, eventId, conversation, events } = reception;
  const level = SUSPICIOUS.has(outcome) ? "warn" : outcome === "unavailable" ? "error" : "info";
  log[level](
    {
      request_id: requestId,
      platform,
      outcome,
      reason,
      // Whoever wants to know who that was; the address of a socket is a question to the system.
      peer: level === "warn" ? peerOf(incoming) : undefined,
      event_id: eventId,
      conversation_id: conversation,
      events,
      duration_ms: Math.round(durationMs * 100) / 100,
    },
    "webhook.received",
  );
}

const SUSPICIOUS: ReadonlySet<string> = new Set([
  "forged",
  "stale",
  "handshake-refused",
  "malformed",
  "unsupported",
]);
