import { backoffMs } from "../../domain/backoff.ts";
import type { Clock, Random } from "../../ports/clock.ts";
import type { Acceptance, Inbox } from "../../ports/inbox.ts";
import type { People } from "../../ports/people.ts";
import type { Job, Queue, Settlement } from "../../ports/queue.ts";
import type { Store } from "../../ports/store.ts";
import { describe } from "../../shared/fault.ts";
import { type OfferOf, toOffer } from "./entry.ts";
import { isUnavailable } from "./trouble.ts";

/** Lanes that are forwarded at once. Each round waits for two commits: a quarter of this takes twice the time. */
const LANES_MAX = 256;
/** Nobody else claims from this file, so a lease only says how soon to try again what could not be settled. */
const LEASE_MS = 1_000;
/** A file whose flush has failed knows of nothing to claim until it is asked. */
const ASK_MS = 1_000;
/** The store has its own, shorter time-out; this is for one that hangs all the same. */
const PATIENCE_MS = 2_000;
/** While the store is away, it is tried after 100–200 ms, then ever more seldom, up to 0.5–1 s. */
const AWAY = { baseMs: 200, capMs: 1_000, exponential: true };
/** An offer that the store cannot take for another reason is given up after a quarter of an hour. */
const FAILED = { baseMs: 500, capMs: 60_000, exponential: true };
const TRIES_MAX = 20;

export interface ForwarderDeps {
  readonly file: Pick<Queue, "claim" | "settle" | "ready">;
  readonly store: Inbox;
  readonly people: People;
  readonly offerOf: OfferOf;
  /** Whether another replica may still bring what makes a conversation known. */
  readonly isSettling: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: (line: string) => void;
}

export interface Round {
  readonly claimed: number;
  /** Ids of events that are the store's from now on, or nobody's. */
  readonly gone: readonly string[];
  readonly store: "answers" | "away" | "not-asked";
  /** Why it is away. */
  readonly cause: string | null;
}

/** What becomes of an event in the file, and who said so. */
interface Forwarded {
  readonly settlement: Settlement;
  readonly store: Round["store"];
}

/**
 * Brings events from a spool's file to the store, in rounds: the first event of each of many lanes is offered, and
 * settled in the file once the store has said something final. What was offered but not settled when the process
 * died is offered again, and is a duplicate.
 */
export class Forwarder {
  readonly #deps: ForwarderDeps;
  /** Rounds in a row to which the store did not answer. */
  #awayRounds = 0;

  constructor(deps: ForwarderDeps) {
    this.#deps = deps;
  }

  get isAway(): boolean {
    return this.#awayRounds > 0;
  }

  /** Resolves when a round may find something. Call it when something waits. */
  async ready(signal: AbortSignal): Promise<void> {
    const { file, clock } = this.#deps;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    try {
      await Promise.race([file.ready(either), clock.sleep(ASK_MS, either)]);
    } finally {
      over.abort(OVER);
    }
  }

  /** Rejects when the file fails or the signal aborts. `onClaim` is told how many events are about to be offered. */
  async round(signal: AbortSignal, onClaim: (claimed: number) => void = () => {}): Promise<Round> {
    const { file, clock, random } = this.#deps;
    if (this.isAway) await clock.sleep(backoffMs(this.#awayRounds, AWAY, random), signal);
    // One event finds out whether the store is back; the others need not be written to for that.
    const jobs = await file.claim({ jobsMax: this.isAway ? 1 : LANES_MAX, leaseMs: LEASE_MS });
    onClaim(jobs.length);
    const results = await this.#offerAll(jobs);
    await Promise.all(jobs.map((job, i) => file.settle(job, (results[i] ?? NO_ANSWER).settlement)));

    const store = RANKED.find((one) => results.some((result) => result.store === one)) ?? "not-asked";
    if (store === "away") this.#awayRounds++;
    if (store === "answers") this.#awayRounds = 0;
    const isGone = (_: Job, i: number) => !("afterMs" in (results[i] ?? NO_ANSWER).settlement);
    const gone = jobs.filter(isGone).map(({ event }) => event.id);
    return { claimed: jobs.length, gone, store, cause: causeOf(results) };
  }

  async #offerAll(jobs: readonly Job[]): Promise<readonly Forwarded[]> {
    if (jobs.length === 0) return [];
    const answered = new AbortController();
    const late = this.#deps.clock.sleep(PATIENCE_MS, answered.signal).then(
      () => NO_ANSWER,
      () => NO_ANSWER,
    );
    const results = await Promise.all(jobs.map((job) => Promise.race([this.#offer(job), late])));
    answered.abort(OVER);
    return results;
  }

  async #offer(job: Job): Promise<Forwarded> {
    try {
      const offer = await toOffer(job, this.#deps.people, this.#deps.offerOf);
      if (offer === null) return { settlement: { kind: "dropped", cause: "ignored" }, store: "not-asked" };
      return { settlement: this.#settlementFor(await this.#deps.store.accept(offer)), store: "answers" };
    } catch (error) {
      return isUnavailable(error)
        ? away(describe(error))
        : { settlement: this.#failed(job, error), store: "not-asked" };
    }
  }

  #settlementFor({ kind }: Acceptance): Settlement {
    switch (kind) {
      case "accepted":
      case "duplicate":
        return { kind: "done", outcome: "answered", turns: [] };
      case "refused":
        return { kind: "dropped", cause: kind };
      case "unknown-conversation":
        if (!this.#deps.isSettling()) return { kind: "dropped", cause: kind };
        return { kind: "defer", afterMs: UNKNOWN_MS, cause: kind };
      case "full":
        return { kind: "defer", afterMs: backoffMs(1, FULL, this.#deps.random), cause: kind };
    }
  }

  #failed({ event, failures }: Job, error: unknown): Settlement {
    const tries = failures + 1;
    const cause = describe(error);
    this.#deps.log(`Could not forward ${event.id} (try ${tries} of ${TRIES_MAX}): ${cause}`);
    if (tries >= TRIES_MAX) return { kind: "dead", cause };
    return { kind: "retry", afterMs: backoffMs(tries, FAILED, this.#deps.random), cause };
  }
}

/** Said to our own sleeps; the default reason would be an error with a stack, made anew each time. */
const OVER = "over";
const UNKNOWN_MS = 250;
const FULL = { baseMs: 1_000, capMs: 1_000, exponential: false };
const NO_ANSWER = away("it does not answer");
/** One event that found the store away says more than others that were just in time. */
const RANKED = ["away", "answers"] as const;

function away(cause: string): Forwarded {
  return { settlement: { kind: "defer", afterMs: 0, cause }, store: "away" };
}

function causeOf(results: readonly Forwarded[]): string | null {
  const first = results.find(({ store }) => store === "away")?.settlement;
  return first !== undefined && "cause" in first ? first.cause : null;
}

/** What waits in a file. */
export async function countWaiting({ journal }: Pick<Store, "journal">): Promise<number> {
  const { queued, running, retrying, parked } = await journal.stats();
  return queued + running + retrying + parked;
}
