import type { Clock } from "../../ports/clock.ts";
import type { ChatModel, Chunk, Prompt, TurnAbout } from "../../ports/model.ts";
import { retryAfterMs } from "../../shared/fault.ts";
import type { Secret } from "../../shared/secret.ts";
import { webhookHeaders } from "../../shared/standard-webhooks.ts";
import { timed } from "../timed.ts";
import { notAStream, refusedBy, remoteChunks } from "./stream.ts";
import { messageIdOf, type RemoteTurn, remoteTurn } from "./turn.ts";

export interface RemoteOptions {
  readonly url: string;
  readonly secret: Secret;
  /** For one turn, from the request to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const PROVIDER = { title: "Remote agent", baseUrlVariable: "model.url" };

/**
 * An agent of somebody's own, behind `url` (docs/remote-agents.md has the protocol). It is given the turn, and not a
 * prompt. The same turn asked again goes on with it, so what broke off is paid for once.
 */
export function createRemoteModel(options: RemoteOptions): ChatModel {
  return {
    provider: "http",
    name: nameOf(options.url),
    goesOn: true,
    costCeilingCents: ({ about }) => ceilingOf(about),
    async *generate(prompt, signal, heard) {
      signal.throwIfAborted();
      const about = aboutOf(prompt);
      const turn = remoteTurn(prompt, about);
      yield* timed({ provider: PROVIDER, ...options }, signal, (until, onBegin) =>
        answerTo(turn, options, {
          ...{ signal: until, onBegin, heard, budgetCents: ceilingOf(about) },
          traceparent: about.traceparent,
        }),
      );
    },
  };
}

/** For people, metrics and breakers. */
export function nameOf(url: string): string {
  return new URL(url).host;
}

/** All that is left, rounded so that what was spent and this are never more than the whole. */
function ceilingOf(about: TurnAbout | undefined): number {
  const { cents = 0 } = about?.budget ?? {};
  return Math.floor(cents * 10_000) / 10_000;
}

function aboutOf({ about }: Prompt): TurnAbout {
  if (about === undefined) throw new Error("Expected to be told of the turn, got the prompt alone");
  return about;
}

interface Call {
  readonly signal: AbortSignal;
  readonly onBegin: () => void;
  readonly heard: (() => void) | undefined;
  readonly budgetCents: number;
  readonly traceparent: string | undefined;
}

async function* answerTo(
  turn: RemoteTurn,
  { url, secret, clock }: RemoteOptions,
  { signal, onBegin, heard, budgetCents, traceparent }: Call,
): AsyncGenerator<Chunk> {
  const response = await postTurn(turn, { url, secret, nowMs: clock.nowMs(), signal, traceparent });
  const refused =
    response.status === 200
      ? notAStream(response.headers.get("content-type"))
      : refusedBy(response.status, retryAfterMs(response.headers.get("retry-after"), clock.nowMs()));
  if (refused !== null || response.body === null) {
    await response.body?.cancel();
    throw refused ?? notAStream(null);
  }
  onBegin();
  yield* remoteChunks(response.body, budgetCents, heard);
}

/** Posts a turn, signed; follows no redirect. */
export function postTurn(
  turn: RemoteTurn,
  {
    url,
    secret,
    nowMs,
    signal,
    traceparent,
  }: { url: string; secret: Secret; nowMs: number; signal: AbortSignal; traceparent?: string | undefined },
): Promise<Response> {
  const body = JSON.stringify(turn);
  const message = { id: messageIdOf(turn), timestampSeconds: Math.floor(nowMs / 1000), body };
  const headers = {
    ...webhookHeaders(message, secret),
    "content-type": "application/json",
    accept: "text/event-stream",
    "user-agent": "parley",
    ...(traceparent !== undefined && { traceparent }),
  };
  return fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
}
