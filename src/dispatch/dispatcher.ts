import { RunAborted } from "../domain/abort.ts";
import { controlCommandOf } from "../domain/command.ts";
import { codeIn, GatewayError } from "../domain/errors.ts";
import { type Signal, signalKey } from "../domain/signal.ts";
import type { Bus } from "../ports/bus.ts";
import type { Clock, Random } from "../ports/clock.ts";
import { readSignal, SIGNAL_TOPIC } from "../ports/lanes.ts";
import type { Job, Queue, Settlement } from "../ports/queue.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { Lease } from "./lease.ts";
import { type AgentMemory, recallOf } from "./memory.ts";
import { causeOf, isStoreFailure, type RetryPolicy, settlementFor } from "./settle.ts";

export interface DispatcherDeps {
  readonly queue: Queue;
  readonly bus: Pick<Bus, "subscribe">;
  readonly clock: Clock;
  readonly random: Random;
  /** Does the job; throws when it could not. */
  readonly work: (job: Job, signals: JobSignals) => Promise<Settlement>;
  readonly retry: RetryPolicy;
  readonly concurrency: number;
  readonly leaseMs: number;
  /** What claims bring along of each conversation. */
  readonly memory: AgentMemory;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface JobSignals {
  /** Drain or a lost lease: leave everything as it is. */
  readonly job: AbortSignal;
  /** The same, or a person said /stop: end the run, and tell. */
  readonly run: AbortSignal;
  /** What was said to the run: what came with the claim, and what has come since. */
  readonly heard: () => readonly Signal[];
  /** Calls back with each that comes from now on, once. Gives how to leave. */
  readonly listen: (hear: (signal: Signal) => void) => () => void;
  /** Whether the job is ours for long enough to say or do something now. Asked right before that. */
  readonly isHeld: () => Promise<boolean>;
  /** The same without asking the store: what is left of the lease, 0 when that is not long enough. */
  readonly leftMs: () => number;
}

interface Running {
  readonly job: Job;
  readonly lease: Lease;
  readonly abort: AbortController;
  readonly stop: AbortController;
  /** By their keys, for a signal may come more than once. */
  readonly heard: Map<string, Signal>;
  readonly listeners: Set<(signal: Signal) => void>;
  readonly done: Promise<void>;
}

/** A store that fails is asked again this often; settlements are repeated until the lease would be over anyway. */
const STORE_RETRY_MS = 250;
/** After the drain time, aborted work gets this long to hand itself back. */
const HAND_BACK_MS = 2_000;

/** Claims what is ready, keeps its leases alive while it runs, and settles it. */
export class Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #running = new Map<Job, Running>();
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #slotFreed: (() => void) | null = null;
  /** What was heard while a claim was on its way: the word may be here before what it is about. */
  #heardEarly: (readonly [lane: string, signal: Signal])[] | null = null;
  #leaveBus: () => void = () => {};
  #isStoreAway = false;
  #lastBeatMs: number;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
    this.#lastBeatMs = deps.clock.nowMs();
  }

  start(): void {
    this.#leaveBus = this.#deps.bus.subscribe(SIGNAL_TOPIC, (message) => this.#hear(...readSignal(message)));
    this.#loop = this.#claimForever();
  }

  get running(): number {
    return this.#running.size;
  }

  /** When the claim loop last came round; it comes round at least every ten seconds. */
  get lastBeatMs(): number {
    return this.#lastBeatMs;
  }

  /** Hands back everything that runs: the process is going away, or everything is paused. */
  handBack(): void {
    for (const { abort } of this.#running.values()) abort.abort(new RunAborted("draining"));
  }

  /** Claims no more, waits for running work, then hands back what is left. */
  async stop(drainMs: number): Promise<void> {
    const { clock } = this.#deps;
    const untilMs = clock.nowMs() + drainMs;
    this.#stopping.abort();
    // A claim that is on its way may find a store that does not answer.
    await this.#loop;
    await this.#idleWithin(Math.max(0, untilMs - clock.nowMs()));
    this.handBack();
    await this.#idleWithin(HAND_BACK_MS);
    this.#leaveBus();
  }

  /** Tells the run of this lane's event, if it is one of ours. */
  #hear(lane: string, signal: Signal): void {
    this.#heardEarly?.push([lane, signal]);
    for (const { job, heard, listeners, stop } of this.#running.values()) {
      if (job.lane !== lane) continue;
      const isNews = !heard.has(signalKey(signal));
      heard.set(signalKey(signal), signal);
      if (isNews) for (const hear of listeners) hear(signal);
      if (signal.kind === "stop") stop.abort(new RunAborted("stopped"));
    }
  }

  async #idleWithin(ms: number): Promise<void> {
    if (this.#running.size === 0) return;
    const timeUp = new AbortController();
    await Promise.race([
      Promise.allSettled([...this.#running.values()].map(({ done }) => done)),
      this.#deps.clock.sleep(ms, timeUp.signal).catch(() => {}),
    ]);
    timeUp.abort();
  }

  async #claimForever(): Promise<void> {
    const { queue, clock, log } = this.#deps;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#lastBeatMs = clock.nowMs();
      try {
        const jobsMax = this.#deps.concurrency - this.#running.size;
        if (jobsMax <= 0) {
          await this.#aBeatAtMost(
            (over) => Promise.race([this.#slot(), clock.sleep(CONTROL_MS, over)]),
            signal,
          );
          // `/stop` is most wanted when everything is busy.
          await this.#claim(CONTROL_JOBS_MAX, true);
          continue;
        }
        const claimed = await this.#claim(jobsMax, false);
        if (claimed < jobsMax) await this.#aBeatAtMost((over) => queue.ready(over), signal);
      } catch (error) {
        if (signal.aborted) return;
        // Once for each outage: it is asked four times a second.
        if (!this.#isStoreAway) log.error({ cause: causeOf(error) }, "dispatcher.claim_failed");
        this.#isStoreAway = true;
        await clock.sleep(STORE_RETRY_MS, signal).catch(() => {});
      }
    }
  }

  /** Begins what it claims, and gives how much that is. */
  async #claim(jobsMax: number, controlOnly: boolean): Promise<number> {
    const { queue, clock, leaseMs, memory, log } = this.#deps;
    const early: (readonly [lane: string, signal: Signal])[] = [];
    this.#heardEarly = early;
    const askedAtMs = clock.nowMs();
    this.#renewLate();
    try {
      const recall = recallOf(memory, askedAtMs);
      const jobs = await queue.claim({ jobsMax, leaseMs, controlOnly, ...(!controlOnly && { recall }) });
      if (this.#isStoreAway) log.info("dispatcher.claims_again");
      this.#isStoreAway = false;
      for (const job of jobs) this.#launch(withEarly(job, early), askedAtMs);
      return jobs.length;
    } finally {
      this.#heardEarly = null;
    }
  }

  /**
   * A claim ends the leases that have run out while nothing could be renewed. Asked just before it, the store hears first
   * of what we still run: a model may be answering that would have to be paid again.
   */
  #renewLate(): void {
    for (const { lease } of this.#running.values()) {
      // Each run renews its own, too, and sees to the answer.
      if (lease.leftMs() === 0) lease.renew().catch(() => {});
    }
  }

  /** Waits for work or for room, but comes round now and then so that the heartbeat stays true, and ends with `stop`. */
  async #aBeatAtMost(wait: (over: AbortSignal) => Promise<void>, stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    const round = new AbortController();
    const end = () => round.abort(OVER);
    // By hand: AbortSignal.any costs more than all that it links here.
    stop.addEventListener("abort", end, { once: true });
    const off = this.#deps.clock.timer(BEAT_MS, end);
    try {
      await wait(round.signal);
    } catch (error) {
      if (!round.signal.aborted) throw error;
    } finally {
      off();
      stop.removeEventListener("abort", end);
      end();
    }
  }

  #slot(): Promise<void> {
    return new Promise((resolve) => {
      this.#slotFreed = resolve;
    });
  }

  #launch(job: Job, askedAtMs: number): void {
    const abort = new AbortController();
    const stop = new AbortController();
    // Linked by hand: AbortSignal.any costs as much as all the rest of starting a job.
    abort.signal.addEventListener("abort", () => stop.abort(abort.signal.reason), { once: true });
    const lease = new Lease(this.#deps, job, askedAtMs);
    const heard = new Map(job.signals.map((signal) => [signalKey(signal), signal]));
    const listeners = new Set<(signal: Signal) => void>();
    const signals: JobSignals = {
      job: abort.signal,
      run: stop.signal,
      heard: () => [...heard.values()],
      listen(hear) {
        listeners.add(hear);
        return () => listeners.delete(hear);
      },
      isHeld: () => lease.isHeld(),
      leftMs: () => lease.leftMs(),
    };
    const { runsActive } = this.#deps.metrics;
    const isRun = job.kind === "message" && controlCommandOf(job.event) === null;
    const done = this.#carryOut(job, lease, abort, signals, this.#outrun(job)).finally(() => {
      this.#running.delete(job);
      if (isRun) runsActive.dec();
      this.#slotFreed?.();
      this.#slotFreed = null;
    });
    this.#running.set(job, { job, lease, abort, stop, heard, listeners, done });
    if (isRun) runsActive.inc();
  }

  /** Work of the same lane whose lease ran out while the store was away: it ends before this job begins. */
  #outrun(job: Job): readonly Promise<void>[] {
    const older = [...this.#running.values()].filter((running) => running.job.lane === job.lane);
    for (const { abort } of older) abort.abort(new RunAborted("lease-lost"));
    return older.map(({ done }) => done);
  }

  async #carryOut(
    job: Job,
    lease: Lease,
    abort: AbortController,
    signals: JobSignals,
    before: readonly Promise<void>[],
  ): Promise<void> {
    const keeper = lease.keep(() => abort.abort(new RunAborted("lease-lost")), this.#deps.log);
    try {
      if (before.length > 0) await Promise.allSettled(before);
      const settlement = await this.#outcomeOf(job, signals);
      if (settlement !== null) await this.#settle(job, settlement);
    } finally {
      await keeper.end();
    }
  }

  async #outcomeOf(job: Job, signals: JobSignals): Promise<Settlement | null> {
    const { work, retry, random, log } = this.#deps;
    if (job.damage !== undefined) return { kind: "dead", cause: job.damage };
    try {
      // The answer to the claim may have been a long time coming.
      if (!(await signals.isHeld())) throw new RunAborted("lease-lost");
      return await work(job, signals);
    } catch (error) {
      // What broke because the run was aborted is settled by the reason of the abort.
      const reason = signals.job.aborted && !(error instanceof RunAborted) ? signals.job.reason : error;
      const settlement = settlementFor(reason, job, retry, random);
      // Waiting is ordinary; for a store that refuses an event for good, somebody must come and look.
      const isWaiting = settlement?.kind === "defer" && !isStoreFailure(reason);
      log[isWaiting ? "debug" : "warn"](
        {
          ...eventIds(job.event),
          conversation_id: job.event.conversation,
          attempt: job.attempt,
          settlement: settlement?.kind ?? "none",
          retry_ms: settlement && "afterMs" in settlement ? settlement.afterMs : undefined,
          code: codeIn(causeOf(reason)),
          cause: causeOf(reason),
        },
        isWaiting ? "event.deferred" : "event.failed",
      );
      return settlement;
    }
  }

  async #settle(job: Job, settlement: Settlement): Promise<void> {
    const { queue, clock, leaseMs, metrics, log } = this.#deps;
    const giveUpMs = clock.nowMs() + leaseMs;
    for (;;) {
      try {
        const held = await queue.settle(job, settlement);
        if (!held) log.warn({ ...eventIds(job.event), attempt: job.attempt }, "event.lease_lost");
        else if (settlement.kind === "dead") {
          metrics.deadLetters.inc({ platform: job.event.platform });
          log.error(
            {
              ...eventIds(job.event),
              conversation_id: job.event.conversation,
              code: codeIn(settlement.cause),
              cause: settlement.cause,
            },
            "event.dead",
          );
        } else if (settlement.kind === "retry") metrics.retries.inc({ stage: "event" });
        return;
      } catch (error) {
        log.error({ ...eventIds(job.event), cause: causeOf(error) }, "event.settle_failed");
        // The lease runs out by itself; whoever claims the event next finds its recorded progress.
        if (clock.nowMs() > giveUpMs || isClosed(error)) return;
        await clock.sleep(STORE_RETRY_MS);
      }
    }
  }
}

function withEarly(job: Job, early: readonly (readonly [lane: string, signal: Signal])[]): Job {
  const known = new Set(job.signals.map(signalKey));
  const more = early.filter(([lane, signal]) => lane === job.lane && !known.has(signalKey(signal)));
  return more.length === 0 ? job : { ...job, signals: [...job.signals, ...more.map(([, signal]) => signal)] };
}

/** While all slots are taken, commands to the gateway itself are looked for this often. */
const CONTROL_MS = 500;
const CONTROL_JOBS_MAX = 8;
/** Said to our own sleeps; the default reason would be an error with a stack, made anew each time. */
const OVER = "over";
const BEAT_MS = 10_000;

/** A store that was closed takes nothing any more. */
function isClosed(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "STORE_CLOSED";
}
