import type { TriggerEvent } from "../domain/event.ts";
import type { Clock } from "../ports/clock.ts";
import type { Acceptance, Inbox } from "../ports/inbox.ts";
import type { Job, Queue, Settlement } from "../ports/queue.ts";
import { iso } from "../shared/time.ts";
import type { Life, LifeState } from "./life.ts";
import type { LifeFeed } from "./life-feed.ts";

export interface Observer {
  readonly feed: Pick<LifeFeed, "isWatched" | "publish">;
  readonly clock: Pick<Clock, "nowMs">;
}

/** What happened, and why, how it ended or who did it. */
interface Change {
  readonly state: LifeState;
  readonly detail: string | null;
}

/** The same inbox; whoever watches sees what becomes of each event. Costs nothing while nobody does. */
export function observedInbox(inbox: Inbox, { feed, clock }: Observer): Inbox {
  return {
    accept(offer) {
      const accepting = inbox.accept(offer);
      if (!feed.isWatched) return accepting;
      // Another replica may have claimed it before we know that it was accepted.
      const atMs = clock.nowMs();
      return accepting.then((acceptance) => {
        const change = ofAcceptance(acceptance);
        if (change !== null) feed.publish(lifeOf(offer.event, { attempt: null, ...change, atMs }));
        return acceptance;
      });
    },
  };
}

/** The same for a queue. */
export function observedQueue(queue: Queue, { feed, clock }: Observer): Queue {
  const publish = ({ event, attempt }: Job, change: Change) =>
    feed.publish(lifeOf(event, { attempt, ...change, atMs: clock.nowMs() }));
  /** What is joined by now, by the events of the claim: who works on a job may hand over a copy of it. */
  const joinedTo = new WeakMap<Job["events"], readonly TriggerEvent[]>();
  const publishMerged = (job: Job) => {
    const change = { state: "merged", attempt: null, detail: `into ${job.event.id}` } as const;
    for (const event of joinedTo.get(job.events) ?? job.events.slice(1))
      feed.publish(lifeOf(event, { ...change, atMs: clock.nowMs() }));
  };

  return {
    async claim(options) {
      const jobs = await queue.claim(options);
      if (feed.isWatched) for (const job of jobs) publish(job, { state: "claimed", detail: null });
      return jobs;
    },
    async settle(job, settlement) {
      const isHeld = await queue.settle(job, settlement);
      if (isHeld && feed.isWatched) {
        publish(job, ofSettlement(settlement));
        if (isEnd(settlement)) publishMerged(job);
      }
      return isHeld;
    },
    extend: (job, leaseMs) => queue.extend(job, leaseMs),
    async join(job) {
      const joined = await queue.join(job);
      // Nothing when the lease is lost, and then nothing is settled either.
      joinedTo.set(job.events, joined);
      return joined;
    },
    checkpoint: (job, progress) => queue.checkpoint(job, progress),
    ready: (signal) => queue.ready(signal),
  };
}

export function lifeOf(
  { id, platform, tenant, conversation }: TriggerEvent,
  change: { state: LifeState; attempt: number | null; detail: string | null; atMs: number },
): Life {
  const { state, attempt, detail, atMs } = change;
  return { at: iso(atMs), state, id, platform, tenant, conversation, attempt, detail };
}

/** Null: nothing of it was stored, so there is no life to show. */
function ofAcceptance(acceptance: Acceptance): Change | null {
  switch (acceptance.kind) {
    case "accepted":
    case "duplicate":
      return { state: acceptance.kind, detail: null };
    case "refused":
      return { state: "refused", detail: `${acceptance.refusal.cause}: ${acceptance.refusal.detail}` };
    case "unknown-conversation":
    case "full":
      return null;
  }
}

/** Whatever is joined to an event ends with it. */
function isEnd({ kind }: Settlement): boolean {
  return kind === "done" || kind === "dropped" || kind === "dead";
}

function ofSettlement(settlement: Settlement): Change {
  switch (settlement.kind) {
    case "done":
      return { state: "done", detail: settlement.outcome };
    case "retry":
      return { state: "retrying", detail: settlement.cause };
    case "defer":
      return { state: "deferred", detail: settlement.cause };
    case "park":
      return { state: "parked", detail: `until ${iso(settlement.untilMs)}` };
    case "dropped":
    case "dead":
      return { state: settlement.kind, detail: settlement.cause };
  }
}
