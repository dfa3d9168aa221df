import { expect } from "vitest";
import { SUSPECTS_MAX } from "../../src/domain/bounds.ts";
import { type Signal, signalKey } from "../../src/domain/signal.ts";
import type { LaneState } from "../../src/ports/lanes.ts";
import type { Job } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import { anOffer, aProgress } from "../contract/store.ts";
import type { FakeClock } from "../support/clock.ts";
import { A_STOP, anEvent } from "../support/event.ts";
import { type Expected, Model, newcomer } from "./model.ts";
import { moneyWalk } from "./money-walk.ts";

/** More than can be suspects, so that a death finds now few, now many in hand. */
const LANES = SUSPECTS_MAX + 2;
const LEASE_MS = 1_000;

/** Of what is over; `merged` is what it brings back with it, null where it only comes back with another. */
interface Gone {
  readonly lane: string;
  readonly merged: readonly string[] | null;
}

/** What a walk leads through: some processes that share what is kept, and their troubles. */
export interface World {
  readonly clock: FakeClock;
  readonly processes: number;
  /** Trouble makes leases that run out no evidence against their events. */
  readonly excuses: boolean;
  /** Makes a call, at times with trouble on its way; then until there is an answer. `again`: it was made before. */
  attempt<T>(
    process: number,
    what: "accept" | "look" | "work",
    call: (store: Store) => Promise<T>,
  ): Promise<{ readonly answer: T; readonly again: boolean }>;
  /** Ends a process, in order or not, and starts it anew. */
  restart(process: number, how: "closed" | "killed"): Promise<void>;
}

/** Does so many random things, and expects of each what a plain list would do. */
export async function walk(world: World, pick: (below: number) => number, steps: number): Promise<void> {
  const { clock } = world;
  const model = new Model();
  const gone = new Map<string, Gone>();
  const broughtBack = new Map<string, number>();
  let next = 0;
  const money = moneyWalk((call) => ask(anyone(), call), pick);

  for (let step = 0; step < steps; step++) {
    const action = pick(100);
    if (action < 35) await offer();
    else if (action < 60) await claim();
    else if (action < 66) await sayOne();
    else if (action < 85) await finishOne();
    else if (action < 88) await joinOne();
    else if (action < 90) clock.advance(pick(2 * LEASE_MS));
    else if (action < 92) await tellOne();
    else if (action < 94) await bringBack();
    else if (action < 95) await offend();
    else if (action < 96) await look();
    else if (action < 98) await money();
    else await restart();
  }
  await drainAll();
  expect([...gone.keys()].sort()).toEqual(Array.from({ length: next }, (_, i) => `e${i}`).sort());

  function anyone(): number {
    return pick(world.processes);
  }

  async function attempt<T>(
    process: number,
    what: "accept" | "look" | "work",
    call: (store: Store) => Promise<T>,
  ) {
    const tried = await world.attempt(process, what, call);
    if (tried.again && world.excuses) model.excuse();
    return tried;
  }

  /** A call whose repetition has the same answer. */
  async function ask<T>(process: number, call: (store: Store) => Promise<T>): Promise<T> {
    return (await attempt(process, "work", call)).answer;
  }

  async function offer(): Promise<void> {
    const id = `e${next++}`;
    const lane = `c${pick(LANES)}`;
    const busy = pick(3) === 0 ? "queue" : "collect";
    const send = (store: Store) =>
      store.inbox.accept(anOffer(anEvent({ id, conversation: lane }), { busy, agent: "a" }));
    const { answer, again } = await attempt(anyone(), "accept", send);
    if (!again || answer.kind !== "duplicate") expect(answer).toEqual({ kind: "accepted" });
    model.add(newcomer(id, lane, busy === "collect" ? "always" : "takes others"));
    expect(await ask(anyone(), send)).toEqual({ kind: "duplicate" });
  }

  async function claim(): Promise<void> {
    model.expire(clock.nowMs());
    const expected = model.claimable(clock.nowMs());
    const by = anyone();
    const jobsMax = 1 + pick(LANES);
    const jobs = await ask(by, ({ queue }) => queue.claim({ jobsMax, leaseMs: LEASE_MS }));
    const heads = new Map(expected.map((head) => [head.id, head]));
    for (const job of jobs) {
      const head = heads.get(job.event.id);
      if (head === undefined)
        throw new Error(`Expected one of ${[...heads.keys()].join()}, got ${job.event.id}`);
      heads.delete(job.event.id);
      const { crashes, signals } = head;
      expect(job.events.map(({ id }) => id)).toEqual([head.id, ...model.joinedTo(head).map(({ id }) => id)]);
      expect(job).toMatchObject({ lane: head.lane, attempt: ++head.attempts, crashes, signals });
      model.claim(head, { job, by, untilMs: clock.nowMs() + LEASE_MS });
    }
    expect(jobs).toHaveLength(Math.min(jobsMax, expected.length));
  }

  async function finishOne(): Promise<void> {
    const held = model.heads().filter((head) => head.held !== null);
    const head = held[pick(Math.max(1, held.length))];
    if (head?.held == null) return;
    const { job, by } = head.held;
    const afterMs = pick(3) * LEASE_MS;
    const how = pick(8);
    if (how === 0) {
      expect(await ask(by, ({ queue }) => queue.extend(job, LEASE_MS))).toBe(true);
      head.held = { job, by, untilMs: clock.nowMs() + LEASE_MS };
    } else if (how === 1) {
      expect(await settle(by, job, { kind: "retry", afterMs, cause: "x" })).toBe(true);
      putBack(head, afterMs);
    } else if (how === 2) {
      expect(await settle(by, job, { kind: "defer", afterMs, cause: "x" })).toBe(true);
      head.attempts--;
      putBack(head, afterMs);
    } else if (how >= 6) {
      await park(head, by, job);
    } else {
      expect(await settle(by, job, how === 3 ? { kind: "dead", cause: "x" } : DONE)).toBe(true);
      const { id, lane } = head;
      const merged = model.remove(head).map((joined) => joined.id);
      gone.set(id, { lane, merged });
      for (const one of merged) gone.set(one, { lane, merged: null });
    }
  }

  /** Reserves the reply of one that runs, and most times records what became of it. */
  async function sayOne(): Promise<void> {
    const held = model.heads().filter((head) => head.held !== null);
    const head = held[pick(Math.max(1, held.length))];
    if (head?.held == null) return;
    const { job, by } = head.held;
    const partId = `${head.id}/${broughtBack.get(head.id) ?? 0}`;
    const reserve = ({ outbox }: Store) => outbox.reserve(job, partId);
    const { answer, again } = await attempt(by, "work", reserve);
    // One whose answer was lost has reserved it.
    if (!again || answer.kind !== "in-doubt") expect(answer.kind).toBe(RESERVED[head.part]);
    if (head.part === "unsaid") head.part = "reserved";
    const [fate, part] = FATES[pick(FATES.length + 1)] ?? [];
    if (fate === undefined || part === undefined) return;
    await ask(by, ({ outbox }) => outbox.record(partId, fate));
    if (head.part !== "sent") head.part = part;
  }

  /** Asked again by somebody who has heard no answer, it says the same. */
  async function joinOne(): Promise<void> {
    const held = model.heads().filter((head) => head.held !== null);
    const head = held[pick(Math.max(1, held.length))];
    if (head?.held == null) return;
    const { job, by } = head.held;
    const joined = model.join(head).map(({ id }) => id);
    for (let again = 0; again < 2; again++) {
      const events = await ask(by, ({ queue }) => queue.join(job));
      expect(events.map(({ id }) => id)).toEqual(joined);
    }
  }

  function settle(by: number, job: Job, settlement: Parameters<Store["queue"]["settle"]>[1]) {
    return ask(by, ({ queue }) => queue.settle(job, settlement));
  }

  /** What came with the claim is over, but for a stop; what came after it lets it go on at once. */
  async function park(head: Expected, by: number, job: Job): Promise<void> {
    const untilMs = clock.nowMs() + (1 + pick(5)) * LEASE_MS;
    const progress = aProgress("asked");
    expect(await settle(by, job, { kind: "park", untilMs, progress })).toBe(true);
    head.attempts--;
    head.signals = head.signals.filter((signal, n) => n >= job.signals.length || signal.kind === "stop");
    head.isParked = head.signals.length === 0;
    putBack(head, head.isParked ? untilMs - clock.nowMs() : 0);
  }

  function putBack(head: Expected, afterMs: number): void {
    model.loseClaim(head);
    head.dueMs = clock.nowMs() + afterMs;
  }

  async function tellOne(): Promise<void> {
    const lane = `c${pick(LANES)}`;
    const [head] = model.lanes.get(lane) ?? [];
    const state = stateOf(head);
    // What is due goes on being parked until somebody looks for work.
    const orWaiting = state === "parked" ? ["parked", "waiting"] : [state];
    const isDue = head !== undefined && head.dueMs <= clock.nowMs();
    expect(isDue ? orWaiting : [state]).toContain(await ask(anyone(), ({ lanes }) => lanes.stateOf(lane)));
    const signal = SIGNALS[pick(SIGNALS.length)] ?? A_STOP;
    const known = head?.signals.find((one) => signalKey(one) === signalKey(signal));
    const isKept = head !== undefined && (known ?? signal) === signal;
    const said = await ask(anyone(), ({ lanes }) => lanes.signal(lane, signal));
    // Where the first answer was lost, the second tells of what the first has woken.
    expect(orWaiting).toContain(said.state);
    expect(said.isKept).toBe(isKept);
    if (head === undefined) return;
    if (known === undefined) head.signals.push(signal);
    if (signal.kind !== "stop" && !head.isParked) return;
    head.dueMs = 0;
    head.isParked = false;
  }

  async function bringBack(): Promise<void> {
    const [id, { lane, merged } = { lane: "", merged: null }] = [...gone][pick(Math.max(1, gone.size))] ?? [];
    if (id === undefined) return;
    const mode = pick(2) === 0 ? "resume" : "anew";
    const replay = ({ archive }: Store) => archive.replay(id, { by: "ann", mode, states: ["done", "dead"] });
    const { answer, again } = await attempt(anyone(), "work", replay);
    if (merged === null) return expect(answer).toBe("wrong-state");
    if (!again || answer !== "not-finished") expect(answer).toBe("queued");
    expect(await ask(anyone(), replay)).toBe("not-finished");
    broughtBack.set(id, (broughtBack.get(id) ?? 0) + 1);
    // Who answers it is decided again, and nothing is known of that here.
    const head = newcomer(id, lane, "never");
    const joined = merged.map((one) => ({ ...newcomer(one, lane, "never"), into: head }));
    for (const one of [head, ...joined]) {
      gone.delete(one.id);
      model.add(one);
    }
  }

  /** Someone whose claim is over tries everything. */
  async function offend(): Promise<void> {
    const { job, by } = model.stale[pick(Math.max(1, model.stale.length))] ?? {};
    if (job === undefined || by === undefined) return;
    expect(await settle(by, job, DONE)).toBe(false);
    expect(await ask(by, ({ queue }) => queue.extend(job, 1e9))).toBe(false);
    expect(await ask(by, ({ queue }) => queue.join(job))).toEqual([]);
    const reservation = await ask(by, ({ outbox }) => outbox.reserve(job, `${job.event.id}/0`));
    expect(reservation).toEqual({ kind: "lost" });
  }

  async function look(): Promise<void> {
    const running = model.heads().filter(({ held }) => held !== null).length;
    const { answer } = await attempt(anyone(), "look", ({ journal }) => journal.stats());
    expect(answer.running).toBe(running);
    const live = [...model.lanes.values()].flat().length;
    expect(answer.queued + answer.retrying + answer.parked).toBe(live - running);
    // Whoever is due may still be counted until somebody claims.
    const parked = model.heads().filter(({ isParked }) => isParked);
    const due = parked.filter(({ dueMs }) => dueMs <= clock.nowMs());
    expect(answer.parked).toBeLessThanOrEqual(parked.length);
    expect(answer.parked).toBeGreaterThanOrEqual(parked.length - due.length);
  }

  async function restart(): Promise<void> {
    const process = anyone();
    const how = pick(2) === 0 ? "killed" : "closed";
    if (how === "killed") model.crash(process);
    else model.close(process);
    await world.restart(process, how);
  }

  async function drainAll(): Promise<void> {
    for (let rounds = 0; model.heads().length > 0; rounds++) {
      if (rounds > 10 * steps)
        throw new Error(`Expected the queue to empty, but ${model.heads().length} lanes remain`);
      await claim();
      await finishOne();
      clock.advance(LEASE_MS / 4);
    }
  }
}

const RECEIPT = { messageId: "m1", via: "test" };
const RESERVED = { unsaid: "fresh", reserved: "in-doubt", shown: "shown", sent: "sent" } as const;
const FATES = [
  [RECEIPT, "sent"],
  [{ kind: "shown", receipt: RECEIPT }, "shown"],
  ["not-sent", "unsaid"],
] as const;
const by = { id: "U2", name: "bob" };
const SIGNALS: readonly Signal[] = [
  A_STOP,
  { kind: "interrupt", byEvent: "e1" },
  { kind: "decide", approvalId: "apr_1", verdict: "approved", by },
  { kind: "decide", approvalId: "apr_1", verdict: "denied", by },
];
function stateOf(head: Expected | undefined): LaneState {
  if (head === undefined) return "idle";
  if (head.held !== null) return "running";
  return head.isParked ? "parked" : "waiting";
}

const DONE = { kind: "done", outcome: "answered", turns: [] } as const;
