import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Offer } from "../../src/ports/inbox.ts";
import type { Job, Queue } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import { type InlineStore, openInlineStore } from "../../src/store/sqlite/inline.ts";
import { aFolder } from "../store/folder.ts";
import type { FakeClock } from "./clock.ts";
import { anEvent } from "./event.ts";

export const LEASE_MS = 30_000;
const ROOMY = { waitingPerLaneMax: 1_000, waitingMax: 10_000 };

/** An empty store, closed and gone after the test. */
export async function openTestStore(clock: FakeClock, limits = ROOMY): Promise<InlineStore> {
  const folder = aFolder("memory");
  const store = await openInlineStore({
    file: join(folder.path, "parley.db"),
    clock,
    limits,
    durability: "process",
  });
  onTestFinished(async () => {
    await store[Symbol.asyncDispose]();
    folder.remove();
  });
  return store;
}

/** An event as admission offers it. */
export function anOffer(event: TriggerEvent, changes: Partial<Offer> = {}): Offer {
  return {
    event,
    lane: event.conversation,
    kind: "message",
    agent: "assistant",
    busy: "queue",
    refusal: null,
    limits: [],
    onlyIfKnown: false,
    isTold: true,
    dedupMs: 3_600_000,
    ...changes,
  };
}

/** Claims all that is ready. */
export async function claimAll(queue: Pick<Queue, "claim">): Promise<readonly Job[]> {
  return await queue.claim({ jobsMax: 100, leaseMs: LEASE_MS });
}

export async function claimOne(queue: Pick<Queue, "claim">): Promise<Job> {
  const [job, ...others] = await claimAll(queue);
  if (job === undefined || others.length > 0)
    throw new Error(`Expected one job, got ${job === undefined ? 0 : others.length + 1}`);
  return job;
}

/** The only event of this store, accepted and claimed. */
export async function aJob(
  { inbox, queue }: Pick<Store, "inbox" | "queue">,
  event: Partial<TriggerEvent> = {},
  offer: Partial<Offer> = {},
): Promise<Job> {
  await inbox.accept(anOffer(anEvent(event), offer));
  return await claimOne(queue);
}

/** Puts an event back, and claims it again as the next attempt. */
export async function nextAttempt({ queue }: Pick<Store, "queue">, job: Job): Promise<Job> {
  await queue.settle(job, { kind: "retry", afterMs: 0, cause: "test" });
  return await claimOne(queue);
}
