import type { Clock } from "../../../src/ports/clock.ts";
import type { Offer } from "../../../src/ports/inbox.ts";
import type { Store } from "../../../src/ports/store.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { openRedisStore } from "../../../src/store/redis/index.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { anEvent } from "../../support/event.ts";

export const HOUR_MS = 3_600_000;

/** A store as a gateway opens it. Redis may run without its file here: some benchmarks are not about the disk. */
export async function openBenchStore(url: string, prefix: string, owner: string): Promise<Store> {
  return await openRedisStore({
    connection: { url: new Secret(url), cluster: false, sentinel: null, tls: null, waitReplicas: 0 },
    prefix,
    acceptLoss: true,
    owner,
    clock: systemClock,
    random: Math.random,
    limits: { waitingPerLaneMax: 1e6, waitingMax: 1e7 },
    log: (line) => process.stderr.write(`${line}\n`),
  });
}

export interface OfferOptions {
  /** Names the event. */
  readonly id: string;
  /** Names the conversation and who speaks in it. */
  readonly place: string;
  readonly text: string;
  readonly clock: Pick<Clock, "nowMs">;
}

/** A message on Slack as admission would offer it, with all limits on and none of them near. */
export function anOffer({ id, place, text, clock }: OfferOptions): Offer {
  const conversation = `slack:T1:${place}`;
  const sender = `U${place}`;
  const allowance = { messages: 1_000_000, perMs: 60_000 };
  return {
    event: anEvent({
      id: `${conversation}:${id}`,
      aliases: [`slack:Ev${id}`],
      place,
      conversation,
      sender: { id: sender, name: "ann", isBot: false },
      text,
      occurredAtMs: clock.nowMs(),
    }),
    lane: conversation,
    kind: "message",
    agent: "assistant",
    busy: "queue",
    refusal: null,
    limits: [
      { scope: "user", key: `slack:T1:${sender}`, ...allowance },
      { scope: "conversation", key: conversation, ...allowance },
      { scope: "tenant", key: "slack:T1", ...allowance },
      { scope: "global", key: "", ...allowance },
    ],
    onlyIfKnown: false,
    isTold: true,
    dedupMs: HOUR_MS,
  };
}

/** `work` for each number below `count`, so many at a time. Gives how long that took. */
export async function inFlight(
  count: number,
  concurrency: number,
  work: (index: number) => Promise<unknown>,
): Promise<{ readonly seconds: number }> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  return { seconds: (performance.now() - startedAt) / 1000 };
}
