import type { IncomingMessage, ServerResponse } from "node:http";
import { ACCEPT_TIMEOUT_MS } from "../domain/bounds.ts";
import type { RawRequest } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { acknowledgedFor } from "./acknowledged.ts";
import { type Bodies, readBody, type Unread } from "./body.ts";
import { Deadline } from "./deadline.ts";
import { answerDeveloper } from "./developer.ts";
import { withFate } from "./fate.ts";
import type { Guesses } from "./guesses.ts";
import { LATE, type Reception, type WebhookSource } from "./reception.ts";
import { noteAll, writeLine } from "./record.ts";
import type { Noted } from "./recorder.ts";
import { peerOf, requestOf } from "./request.ts";
import { answerTo, errorAnswer, type HttpResponse, RETRY_AFTER, tooManyGuesses } from "./response.ts";

export interface WebhookDeps {
  /** What all bodies may take that are being read. */
  readonly bodies: Bodies;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly guesses: Pick<Guesses, "refuse">;
  /** Whether this key opens what is for developers alone. */
  readonly isDeveloper: (key: string) => boolean;
  /** Keeps in mind what became of it. Returns at once. */
  readonly note: (noted: Noted) => void;
}

/** One webhook, from the first byte to what is to be answered. `startedAt` is by the clock of `performance`. */
export type Webhook = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  requestId: string,
  startedAt: number,
) => Promise<HttpResponse>;

/** Serves one platform's webhook: raw bytes within the limit, then the front half of the path, then the answer. */
export function createWebhook(source: WebhookSource, deps: WebhookDeps): Webhook {
  const { platform, screen, receive, waitForReply } = source;
  const { bytesMax, ackWithinMs } = source.webhook;
  const deadline = new Deadline(ACCEPT_TIMEOUT_MS, LATE);
  const acknowledged = acknowledgedFor(platform, ackWithinMs, deps.metrics);
  const outcomes = new Map<string, { inc(): void }>();
  const countOutcome = (outcome: string) => {
    const child = outcomes.get(outcome) ?? deps.metrics.webhooks.labels({ platform, outcome });
    outcomes.set(outcome, child);
    child.inc();
  };

  /**
   * Of wrong keys in a row: the seconds to wait. What is slowed has a line now and then, and no more. A key may come
   * with any webhook, and is a guess there too; but what the platform has signed is answered as ever.
   */
  function slow(incoming: IncomingMessage, requestId: string, { outcome }: Reception): number | null {
    const isForged = outcome === "forged";
    const isGiven = (incoming.headers["x-dev-key"] ?? "") !== "";
    if (!isGiven && !(isForged && waitForReply !== undefined)) return null;
    const waitSeconds = deps.guesses.refuse("developer", {
      requestId,
      peer: peerOf(incoming) ?? null,
      isGiven,
    });
    return isForged ? waitSeconds : null;
  }

  /** Verified and parsed before it returns, and nobody may look at the bytes after that: they are lent. */
  function take(request: RawRequest & { body: Buffer }, body: Buffer): Promise<Reception> {
    request.body = body;
    const reception = deadline.within(receive(request));
    request.body = NO_BYTES;
    return reception;
  }

  function unread(why: Unread, incoming: IncomingMessage, requestId: string): HttpResponse {
    const outcome = why === "shed" ? "unavailable" : why;
    countOutcome(outcome);
    const peer = peerOf(incoming);
    deps.log.warn({ request_id: requestId, platform, outcome, peer }, "webhook.refused");
    const reason = why === "too-large" ? `more than ${bytesMax} bytes` : UNREAD[why];
    deps.note({ ...NOBODY, requestId, platform, outcome, reason, peer: peer ?? null });
    return unreadable(why, bytesMax);
  }

  return async function answer(incoming, outgoing, requestId, startedAt) {
    const receivedAtMs = deps.clock.nowMs();
    const request = requestOf(incoming, { receivedAtMs, requestId });
    const screened = screen(request);
    if (screened !== null) deps.bodies.drain.discard(incoming);
    const reception =
      screened ?? (await readBody(incoming, bytesMax, deps.bodies, (body) => take(request, body)));
    if (typeof reception === "string") return unread(reception, incoming, requestId);

    const durationMs = performance.now() - startedAt;
    acknowledged(durationMs, reception);
    countOutcome(reception.outcome);
    noteAll(deps.note, { platform, requestId, incoming }, reception);
    const key = incoming.headers["x-dev-key"];
    const isDeveloper = key !== undefined && deps.isDeveloper(String(key));
    const waitSeconds = isDeveloper ? null : slow(incoming, requestId, reception);
    if (waitSeconds !== null) return tooManyGuesses(waitSeconds);
    writeLine(deps.log, "webhook.received", { platform, requestId, incoming, durationMs }, reception);
    const answer =
      waitForReply === undefined
        ? answerTo(reception)
        : await answerDeveloper(incoming, outgoing, reception, waitForReply);
    return isDeveloper ? withFate(answer, reception) : answer;
  };
}

const NO_BYTES = Buffer.alloc(0);
const NOBODY = { eventId: null, conversation: null };
const UNREAD = {
  cut: "the sender went away before the end of the body",
  shed: "more bodies at once than are held before they are verified, and this was the largest",
};

function unreadable(why: Unread, bytesMax: number): HttpResponse {
  if (why === "shed") return errorAnswer(503, "Too much at once; send it again", RETRY_AFTER);
  return why === "too-large"
    ? errorAnswer(413, `Expected a body of at most ${bytesMax} bytes, got more`)
    : errorAnswer(400, "Expected the whole body, got a part of it", { connection: "close" });
}
