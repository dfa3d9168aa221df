import { writeSync } from "node:fs";
import type { Store } from "../../src/ports/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/index.ts";
import { systemClock } from "../../src/system/clock.ts";
import { anOffer } from "../contract/store.ts";
import { anEvent } from "../support/event.ts";

/**
 * A process to be killed: offers events and works on them at the same time, and says what it was told.
 * - `open`: the store is open
 * - `O id`: about to be offered; `A id`: acknowledged, as accepted or as a duplicate
 * - `S id attempt`: claimed; `D id`: its settlement is acknowledged
 */
export interface CrashPlan {
  readonly file: string;
  /** Offered one after the other in each conversation. */
  readonly offers: Readonly<Record<string, readonly string[]>>;
  readonly workers: number;
  /** Stay when all is done, until killed. */
  readonly stay: boolean;
}

const plan = JSON.parse(process.argv[2] ?? "{}") as CrashPlan;

const store = await openSqliteStore({
  file: plan.file,
  clock: systemClock,
  limits: { waitingPerLaneMax: 100_000, waitingMax: 100_000 },
});
say("open");
let isOffering = true;
const offering = Promise.all(
  Object.entries(plan.offers).map(([conversation, ids]) => offer(conversation, ids)),
);
const working = Array.from({ length: plan.workers }, () => work(store));
await offering;
isOffering = false;
await Promise.all(working);
if (plan.stay) await store.queue.ready(new AbortController().signal);
await store[Symbol.asyncDispose]();

/** The parent reads whole lines only; a synchronous write is out before the kill, or not at all. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      // The parent has not read yet. A line is written as a whole or not at all, so it can be written again.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}

async function offer(conversation: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    say(`O ${id}`);
    const { kind } = await store.inbox.accept(anOffer(anEvent({ id, conversation, text: "x".repeat(500) })));
    if (kind !== "accepted" && kind !== "duplicate")
      throw new Error(`Expected ${id} to be taken, got ${kind}`);
    say(`A ${id}`);
  }
}

async function work({ queue, journal }: Store): Promise<void> {
  for (;;) {
    const [job] = await queue.claim({ jobsMax: 1, leaseMs: 60_000 });
    if (job === undefined) {
      const { queued, retrying } = await journal.stats();
      if (!isOffering && queued + retrying === 0) return;
      continue;
    }
    say(`S ${job.event.id} ${job.attempt}`);
    if (await queue.settle(job, { kind: "done", outcome: "answered", turns: [] })) say(`D ${job.event.id}`);
  }
}
