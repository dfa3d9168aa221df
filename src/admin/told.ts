import type { TriggerEvent } from "../domain/event.ts";
import type { Clock } from "../ports/clock.ts";
import type { Acceptance, Queue, Settlement } from "../ports/store.ts";
import { iso } from "../shared/time.ts";
import type { Life, LifeState } from "./life.ts";
import type { LifeFeed } from "./life-feed.ts";

export interface Told {
  readonly feed: Pick<LifeFeed, "isWatched" | "tell">;
  readonly clock: Pick<Clock, "nowMs">;
}

/** What happened, and why, how it ended or who did it. */
type Change = readonly [state: LifeState, detail: string | null];

/** The same queue, which tells whoever watches what becomes of each event. Costs nothing while nobody does. */
export function toldQueue(queue: Queue, { feed, clock }: Told): Queue {
  function tell(
    event: TriggerEvent,
    attempt: number | null,
    [state, detail]: Change,
    atMs: number = clock.nowMs(),
  ): void {
    feed.tell(lifeOf(event, { state, attempt, detail, atMs }));
  }

  return {
    accept(offer) {
      const accepting = queue.accept(offer);
      if (!feed.isWatched) return accepting;
      // Another replica may have claimed it before we know that it was accepted.
      const atMs = clock.nowMs();
      return accepting.then((acceptance) => {
        const change = ofAcceptance(acceptance);
        if (change !== null) tell(offer.event, null, change, atMs);
        return acceptance;
      });
    },
    async claim(options) {
      const jobs = await queue.claim(options);
      if (feed.isWatched) for (const { event, attempt } of jobs) tell(event, attempt, ["claimed", null]);
      return jobs;
    },
    async settle(job, settlement) {
      const isHeld = await queue.settle(job, settlement);
      if (isHeld && feed.isWatched) tell(job.event, job.attempt, ofSettlement(settlement));
      return isHeld;
    },
    extend: (job, leaseMs) => queue.extend(job, leaseMs),
    checkpoint: (job, progress) => queue.checkpoint(job, progress),
    ready: (signal) => queue.ready(signal),
  };
}

export function lifeOf(
  { id, platform, conversation }: TriggerEvent,
  change: { state: LifeState; attempt: number | null; detail: string | null; atMs: number },
): Life {
  const { state, attempt, detail, atMs } = change;
  return { at: iso(atMs), state, id, platform, conversation, attempt, detail };
}

/** Null: nothing of it was stored, so there is no life to tell of. */
function ofAcceptance(acceptance: Acceptance): Change | null {
  switch (acceptance.kind) {
    case "accepted":
    case "duplicate":
      return [acceptance.kind, null];
    case "refused":
      return ["refused", `${acceptance.refusal.cause}: ${acceptance.refusal.detail}`];
    case "unknown-conversation":
    case "full":
      return null;
  }
}

function ofSettlement(settlement: Settlement): Change {
  switch (settlement.kind) {
    case "done":
      return ["done", settlement.outcome];
    case "retry":
      return ["retrying", settlement.cause];
    case "defer":
      return ["deferred", settlement.cause];
    case "dropped":
    case "dead":
      return [settlement.kind, settlement.cause];
  }
}
