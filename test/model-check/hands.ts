import type { Progress } from "../../src/domain/run.ts";
import type { Job, Settlement } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import type { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { anOffer } from "../support/store.ts";
import type { Answer, Call, Claim, StoreState } from "./store-model.ts";
import { LANES } from "./world.ts";

/** A real store, as each of the two workers sees it: one process with both, or a process each. */
export interface RealStore {
  readonly views: readonly [Store, Store];
  readonly clock: FakeClock;
}

/** A claim that was given out, by the token that the model has for it. */
interface Held {
  readonly job: Job;
  readonly view: Store;
}

const LEASE_MS = 10_000;
const PROGRESS: Progress = { runId: "run_1", agent: "assistant", startedAtMs: 0, steps: [], answer: null };
/** Longer than all that a walk takes. */
const PARK_MS = 1_000_000_000;
const PARKED: Progress = { ...PROGRESS, runId: "parked" };
const RECEIPT = { messageId: "m1", via: "test" };
const FATES = {
  receipt: RECEIPT,
  shown: { kind: "shown", receipt: RECEIPT },
  "not-sent": "not-sent",
} as const;

/** Asks a real store what the model was asked. Names carry a prefix, so that many walks can use one store. */
export class Hands {
  readonly #real: RealStore;
  readonly #prefix: string;
  readonly #held = new Map<string, Held>();
  #signals = 0;

  constructor(real: RealStore, name: string) {
    this.#real = real;
    this.#prefix = `${name}:`;
  }

  /** `before`: what the model's store was. */
  async ask(call: Exclude<Call, { kind: "claim" }>, worker: number, before: StoreState): Promise<Answer> {
    if (call.kind === "accept") return await this.#accept(call, worker);
    if (call.kind === "lapse") return await this.#lapse(call.id, before);
    if (call.kind === "alarm") return await this.#pass(PARK_MS, before);
    if (call.kind === "signal") return await this.#signal(call.lane, worker);
    const { job, view } = this.#heldAs(call.job);
    const partId = `${job.event.id}/0`;
    switch (call.kind) {
      case "extend":
        return heldOrLost(await view.queue.extend(job, LEASE_MS));
      case "checkpoint":
        return heldOrLost(await view.queue.checkpoint(job, PROGRESS));
      case "settle":
        return heldOrLost(await view.queue.settle(job, this.#settlement(call.as)));
      case "join":
        return (await view.queue.join(job)).length > 0 ? "joined" : "alone";
      case "begin":
        return (await view.outbox.begin(job, PROGRESS, partId)).kind;
      case "reserve":
        return (await view.outbox.reserve(job, partId)).kind;
      case "record":
        await view.outbox.record(partId, FATES[call.result]);
        return "ok";
    }
  }

  async #accept({ id, lane }: Extract<Call, { kind: "accept" }>, worker: number): Promise<Answer> {
    const event = anEvent({ id: this.#prefix + id, conversation: this.#prefix + lane });
    const merging = { busy: "collect", agent: "assistant" } as const;
    const { kind } = await this.#view(worker).inbox.accept(anOffer(event, { dedupMs: 1e12, ...merging }));
    if (kind === "accepted" || kind === "duplicate") return kind;
    throw new Error(`Expected ${event.id} to be accepted or known, got ${kind}`);
  }

  #settlement(as: "done" | "retry" | "park"): Settlement {
    if (as === "done") return { kind: "done", outcome: "answered", turns: [] };
    if (as === "retry") return { kind: "retry", afterMs: 0, cause: "test" };
    return { kind: "park", untilMs: this.#real.clock.nowMs() + PARK_MS, progress: PARKED };
  }

  async #signal(lane: string, worker: number): Promise<Answer> {
    const approvalId = `apr_${++this.#signals}`;
    const decision = {
      kind: "decide",
      approvalId,
      verdict: "approved",
      by: { id: "U1", name: "ann" },
    } as const;
    const { state } = await this.#view(worker).lanes.signal(this.#prefix + lane, decision);
    return state === "idle" ? "nothing" : "ok";
  }

  /** Time passes for all; whoever is not meant renews in time. */
  async #lapse(id: string, before: StoreState): Promise<Answer> {
    return await this.#pass(LEASE_MS, before, id);
  }

  async #pass(ms: number, before: StoreState, id?: string): Promise<Answer> {
    const others = before.filter((entry) => entry.state === "running" && !entry.lapsed && entry.id !== id);
    const extendAll = async (leaseMs: number) => {
      for (const other of others) {
        const { job, view } = this.#heldAs(other);
        if (!(await view.queue.extend(job, leaseMs)))
          throw new Error(`Expected to hold ${other.id}, lost it`);
      }
    };
    await extendAll(ms + LEASE_MS);
    this.#real.clock.advance(ms);
    await extendAll(LEASE_MS);
    return "ok";
  }

  /** What this worker gets, whichever lane it comes from, in the names of the model. */
  async claim(worker: number): Promise<Pick<Claim, "id" | "hasProgress" | "isTold" | "hasJoined"> | null> {
    const view = this.#view(worker);
    const [job] = await view.queue.claim({ jobsMax: 1, leaseMs: LEASE_MS });
    if (job === undefined) return null;
    const id = job.event.id.slice(this.#prefix.length);
    const claims = [...this.#held.keys()].filter((key) => key.startsWith(`${id} `)).length;
    const last = this.#held.get(`${id} ${claims}`)?.job.token ?? 0;
    if (job.token <= last) throw new Error(`Expected a token above ${last} for ${id}, got ${job.token}`);
    this.#held.set(`${id} ${claims + 1}`, { job, view });
    const hasProgress = job.progress !== null && job.progress.runId !== PARKED.runId;
    return { id, hasProgress, isTold: job.signals.length > 0, hasJoined: job.events.length > 1 };
  }

  /** Every event of the walk is settled, and nothing is left of its lanes. */
  async expectAllDone(store: StoreState): Promise<void> {
    const { journal, lanes } = this.#view(0);
    for (const { id, into } of store) {
      const expected = into === null ? "done" : "merged";
      const state = (await journal.find(this.#prefix + id))?.state;
      if (state !== expected) throw new Error(`Expected ${id} to be ${expected}, got ${state}`);
    }
    for (const lane of LANES) {
      const state = await lanes.stateOf(this.#prefix + lane);
      if (state !== "idle") throw new Error(`Expected lane ${lane} to be idle, got ${state}`);
    }
  }

  /** The model counts tokens event by event: its n-th claim has token n. */
  #heldAs({ id, token }: Pick<Claim, "id" | "token">): Held {
    const held = this.#held.get(`${id} ${token}`);
    if (held === undefined) throw new Error(`Expected claim ${token} of ${id}, got none`);
    return held;
  }

  #view(worker: number): Store {
    const view = this.#real.views[worker];
    if (view === undefined) throw new Error(`Expected worker 0 or 1, got ${worker}`);
    return view;
  }
}

function heldOrLost(isHeld: boolean): Answer {
  return isHeld ? "held" : "lost";
}
