import type { IncomingMessage, ServerResponse } from "node:http";
import { WAIT_SECONDS_MAX } from "../domain/bounds.ts";
import type { Reception, WaitForReply } from "./reception.ts";
import { answerTo, errorAnswer, type HttpResponse, jsonAnswer } from "./response.ts";

const NEEDS_KEY =
  "Expected the header X-Dev-Key, got none or another. The key is PARLEY_DEV_KEY, or else in the banner of this start" +
  " and in the file dev-key of the data folder; parley send test finds it by itself";

/** The developer's webhook tells what happened, and waits for the reply when asked to. */
export async function answerDeveloper(
  { url = "" }: IncomingMessage,
  outgoing: ServerResponse,
  reception: Reception,
  waitForReply: WaitForReply,
): Promise<HttpResponse> {
  const { outcome, eventId, refusal } = reception;
  if (outcome === "refused" && refusal?.cause === "rate_limited") {
    const seconds = Math.max(1, Math.ceil((refusal.retryAfterMs ?? 1000) / 1000));
    return errorAnswer(429, `Over the ${refusal.detail} limit; try again in ${seconds} s`, {
      "retry-after": String(seconds),
    });
  }
  if (outcome === "forged") return errorAnswer(401, NEEDS_KEY);
  if (eventId === undefined) return answerTo(reception);
  if (outcome !== "accepted" && outcome !== "duplicate" && outcome !== "refused") return answerTo(reception);

  const status = { status: outcome, id: eventId };
  const waitSeconds = Number(new URLSearchParams(url.split("?")[1]).get("wait") ?? 0);
  if (!(waitSeconds > 0)) return jsonAnswer(200, status);
  const signal = AbortSignal.any([
    AbortSignal.timeout(Math.ceil(Math.min(waitSeconds, WAIT_SECONDS_MAX) * 1000)),
    clientGone(outgoing),
  ]);
  const reply = await waitForReply(eventId, signal);
  return jsonAnswer(200, reply === null ? status : { ...status, reply });
}

function clientGone(outgoing: ServerResponse): AbortSignal {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  return gone.signal;
}
