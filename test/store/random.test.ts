import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SUSPECTS_MAX } from "../../src/domain/bounds.ts";
import type { Job } from "../../src/ports/store.ts";
import { type InlineStore, openInlineStore } from "../../src/store/sqlite/inline.ts";
import { anOffer } from "../contract/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { failingDisk } from "./commits.ts";
import { aFolder } from "./folder.ts";

const SEEDS = 12;
const STEPS = 400;
/** More than can be suspects, so that a death finds now few, now many in hand. */
const LANES = SUSPECTS_MAX + 2;
const LEASE_MS = 1_000;

interface Expected {
  readonly id: string;
  readonly lane: string;
  attempts: number;
  crashes: number;
  stopRequested: boolean;
  dueMs: number;
  /** The live claim and when it ends; null when nobody has it. */
  held: { job: Job; untilMs: number } | null;
}

function newcomer(id: string, lane: string): Expected {
  return { id, lane, attempts: 0, crashes: 0, stopRequested: false, dueMs: 0, held: null };
}

/** Uniform whole numbers below `below`, the same for the same seed. */
function seeded(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = Math.imul(state, 48_271) >>> 0;
    state ^= state >>> 13;
    return (state >>> 0) % below;
  };
}

/** The plainest queue there is: lists in memory. What the store does in any order of events must be what this does. */
class Model {
  readonly lanes = new Map<string, Expected[]>();
  readonly stale: Job[] = [];

  heads(): Expected[] {
    return [...this.lanes.values()].flatMap((lane) => lane[0] ?? []);
  }

  claimable(nowMs: number): Expected[] {
    return this.heads().filter(({ held, dueMs }) => held === null && dueMs <= nowMs);
  }

  /** The next claim ends every lease that has run out. */
  expire(nowMs: number): void {
    this.#die(this.heads().filter(({ held }) => (held?.untilMs ?? Infinity) <= nowMs));
  }

  /** Few in hand, those that are lost among them, are suspects. */
  #die(lost: readonly Expected[]): void {
    const inHand = this.heads().filter(({ held }) => held !== null).length;
    for (const head of lost) {
      if (inHand <= SUSPECTS_MAX) head.crashes++;
      this.loseClaim(head);
    }
  }

  add(expected: Expected): void {
    this.lanes.set(expected.lane, [...(this.lanes.get(expected.lane) ?? []), expected]);
  }

  loseClaim(head: Expected): void {
    if (head.held !== null) this.stale.push(head.held.job);
    head.held = null;
  }

  remove(head: Expected): void {
    for (const lane of this.lanes.values()) if (lane[0] === head) lane.shift();
  }

  crash(): void {
    this.#die(this.heads().filter(({ held }) => held !== null));
  }

  close(): void {
    for (const head of this.heads()) this.loseClaim(head);
  }
}

describe("any sequence of operations, crashes and failing flushes", () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    "does what a plain list does (seed %i)",
    async (seed) => {
      const folder = aFolder("memory");
      const clock = new FakeClock();
      const disk = failingDisk();
      const open = () =>
        openInlineStore({
          file: join(folder.path, "parley.db"),
          clock,
          limits: { waitingPerLaneMax: 1_000, waitingMax: 1_000 },
          open: disk.open,
        });
      let store: InlineStore = await open();
      const pick = seeded(seed);
      const model = new Model();
      const gone = new Map<string, string>();
      let next = 0;

      for (let step = 0; step < STEPS; step++) {
        const action = pick(100);
        if (action < 35) await offer();
        else if (action < 60) await claim();
        else if (action < 85) await finishOne();
        else if (action < 90) clock.advance(pick(2 * LEASE_MS));
        else if (action < 92) await stopOne();
        else if (action < 94) await bringBack();
        else if (action < 95) await offend();
        else if (action < 97) await failOnce();
        else await crash();
      }
      await drainAll();
      expect([...gone.keys()].sort()).toEqual(Array.from({ length: next }, (_, i) => `e${i}`).sort());
      await store[Symbol.asyncDispose]();
      folder.remove();

      async function offer(): Promise<void> {
        const id = `e${next++}`;
        const lane = `c${pick(LANES)}`;
        const send = () => store.queue.accept(anOffer(anEvent({ id, conversation: lane })));
        if (pick(10) === 0) {
          disk.trouble.commitsLost = 1;
          await expect(send()).rejects.toMatchObject({ code: "STORE_WRITE_FAILED" });
        }
        expect(await send()).toEqual({ kind: "accepted" });
        model.add(newcomer(id, lane));
        expect(await send()).toEqual({ kind: "duplicate" });
      }

      async function claim(): Promise<void> {
        model.expire(clock.nowMs());
        const expected = model.claimable(clock.nowMs());
        const jobs = await store.queue.claim({ jobsMax: 1 + pick(LANES), leaseMs: LEASE_MS });
        const heads = new Map(expected.map((head) => [head.id, head]));
        for (const job of jobs) {
          const head = heads.get(job.event.id);
          if (head === undefined)
            throw new Error(`Expected one of ${[...heads.keys()].join()}, got ${job.event.id}`);
          heads.delete(job.event.id);
          const { crashes, stopRequested } = head;
          expect(job).toMatchObject({ lane: head.lane, attempt: ++head.attempts, crashes, stopRequested });
          head.held = { job, untilMs: clock.nowMs() + LEASE_MS };
        }
        if (jobs.length === 0) expect(expected).toEqual([]);
      }

      async function finishOne(): Promise<void> {
        const held = model.heads().filter((head) => head.held !== null);
        const head = held[pick(Math.max(1, held.length))];
        if (head?.held == null) return;
        const { job } = head.held;
        const afterMs = pick(3) * LEASE_MS;
        const how = pick(6);
        if (how === 0) {
          expect(await store.queue.extend(job, LEASE_MS)).toBe(true);
          head.held = { job, untilMs: clock.nowMs() + LEASE_MS };
        } else if (how === 1) {
          expect(await store.queue.settle(job, { kind: "retry", afterMs, cause: "x" })).toBe(true);
          putBack(head, afterMs);
        } else if (how === 2) {
          expect(await store.queue.settle(job, { kind: "defer", afterMs, cause: "x" })).toBe(true);
          head.attempts--;
          putBack(head, afterMs);
        } else {
          const settlement = how === 3 ? ({ kind: "dead", cause: "x" } as const) : done;
          expect(await store.queue.settle(job, settlement)).toBe(true);
          model.stale.push(job);
          model.remove(head);
          gone.set(head.id, head.lane);
        }
      }

      function putBack(head: Expected, afterMs: number): void {
        model.loseClaim(head);
        head.dueMs = clock.nowMs() + afterMs;
      }

      async function stopOne(): Promise<void> {
        const lane = `c${pick(LANES)}`;
        const [head] = model.lanes.get(lane) ?? [];
        const state = head === undefined ? "idle" : head.held === null ? "waiting" : "running";
        expect(await store.lanes.stateOf(lane)).toBe(state);
        expect(await store.lanes.stop(lane)).toBe(state);
        if (head === undefined) return;
        head.stopRequested = true;
        head.dueMs = 0;
      }

      async function bringBack(): Promise<void> {
        const [id, lane] = [...gone][pick(Math.max(1, gone.size))] ?? [];
        if (id === undefined || lane === undefined) return;
        const replay = () =>
          store.archive.replay(id, {
            by: "ann",
            mode: pick(2) === 0 ? "resume" : "anew",
            states: ["done", "dead"],
          });
        expect(await replay()).toBe("queued");
        expect(await replay()).toBe("not-finished");
        gone.delete(id);
        model.add(newcomer(id, lane));
      }

      /** Someone whose claim is over tries everything. */
      async function offend(): Promise<void> {
        const job = model.stale[pick(Math.max(1, model.stale.length))];
        if (job === undefined) return;
        expect(await store.queue.settle(job, done)).toBe(false);
        expect(await store.queue.extend(job, 1e9)).toBe(false);
        expect(await store.outbox.reserve(job, `${job.event.id}/0`)).toEqual({ kind: "lost" });
      }

      async function failOnce(): Promise<void> {
        disk.trouble.commitsLost = 1;
        await expect(store.journal.stats()).rejects.toMatchObject({ code: "STORE_WRITE_FAILED" });
      }

      async function crash(): Promise<void> {
        if (pick(2) === 0) {
          model.crash();
          store.crash();
        } else {
          model.close();
          await store[Symbol.asyncDispose]();
        }
        store = await open();
      }

      async function drainAll(): Promise<void> {
        for (let rounds = 0; model.heads().length > 0; rounds++) {
          if (rounds > 10 * STEPS)
            throw new Error(`Expected the queue to empty, but ${model.heads().length} lanes remain`);
          await claim();
          await finishOne();
          clock.advance(LEASE_MS / 4);
        }
      }
    },
  );
});

const done = { kind: "done", outcome: "answered", turns: [] } as const;
