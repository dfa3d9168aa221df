import { RunAborted } from "../domain/abort.ts";
import { mayMerge } from "../domain/busy.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { isWithdrawn, type Signal } from "../domain/signal.ts";
import type { Job, Queue } from "../ports/queue.ts";
import type { Logger } from "../telemetry/log.ts";
import type { JobSignals } from "./dispatcher.ts";
import { causeOf } from "./settle.ts";

/** What one run answers: its event and what is joined to it, which may become more while it goes on. */
export class Merging {
  readonly #job: Job;
  readonly #queue: Pick<Queue, "join">;
  #events: readonly TriggerEvent[];
  #shown: number;
  #hasAsked = false;
  #joining: Promise<void> = Promise.resolve();

  constructor(job: Job, queue: Pick<Queue, "join">) {
    this.#job = job;
    this.#queue = queue;
    this.#events = job.events;
    this.#shown = job.events.length;
  }

  get id(): string {
    return this.#job.event.id;
  }

  /** The first is the job's own. */
  get events(): readonly TriggerEvent[] {
    return this.#events;
  }

  get joined(): readonly TriggerEvent[] {
    return this.#events.slice(1);
  }

  /** Joined, but the run was not told: its answer knows nothing of it. */
  get hasUnshown(): boolean {
    return this.#events.length > this.#shown;
  }

  /** What may kill the process takes nobody with it. */
  get mayGrow(): boolean {
    return mayMerge(this.#job.busy) && this.#job.crashes === 0;
  }

  /** Before the run: its event and all that waits behind it by now. */
  async gather(): Promise<readonly TriggerEvent[]> {
    await this.#join();
    return this.#events;
  }

  /** For the run, before each call of a model: only one that is steered looks again once it has begun. */
  async beforeCall(): Promise<readonly TriggerEvent[]> {
    if (!this.#hasAsked || this.#job.busy === "steer") await this.#join();
    this.#hasAsked = true;
    this.#shown = this.#events.length;
    return this.joined;
  }

  /** Whether this message is answered by the run from now on, and ends it as it is. */
  async isInterruptedBy(eventId: string): Promise<boolean> {
    if (this.#job.crashes > 0 || this.#events.some(({ id }) => id === eventId)) return false;
    await this.#join();
    return this.joined.some(({ id }) => id === eventId);
  }

  /** Of a run that was broken off: what was joined meanwhile is not dropped with a message that was taken back. */
  async brokenOff(error: unknown): Promise<unknown> {
    const isWithdrawn = error instanceof RunAborted && error.why === "withdrawn";
    if (!isWithdrawn) return error;
    await this.#joining.catch(() => {});
    return this.joined.length > 0 ? new RunAborted("interrupted") : error;
  }

  #join(): Promise<void> {
    this.#joining = this.#joinNow();
    return this.#joining;
  }

  async #joinNow(): Promise<void> {
    const joined = await this.#queue.join(this.#job);
    // Nothing when the lease is lost: who has it by now knows what is joined.
    if (joined.length >= this.#events.length) this.#events = [this.#job.event, ...joined];
  }
}

/** The signal of a run, aborted also by a message that interrupts it. */
export function interruptible(
  merging: Merging,
  stop: AbortSignal,
  { heard, listen }: Pick<JobSignals, "heard" | "listen">,
  log: Logger,
): { readonly signal: AbortSignal; readonly end: () => Promise<void> } {
  const run = new AbortController();
  const follow = () => run.abort(stop.reason);
  if (stop.aborted) follow();
  else stop.addEventListener("abort", follow, { once: true });
  let looking: Promise<void> = Promise.resolve();
  const look = async (eventId: string) => {
    try {
      if (await merging.isInterruptedBy(eventId)) run.abort(new RunAborted("interrupted"));
    } catch (error) {
      log.warn({ event_id: eventId, cause: causeOf(error) }, "event.not_interrupted");
    }
  };
  const withdraw = (signals: readonly Signal[]) => {
    if (merging.joined.length === 0 && isWithdrawn(merging.id, signals))
      run.abort(new RunAborted("withdrawn"));
  };
  withdraw(heard());
  const leave = listen((signal) => {
    withdraw([signal]);
    // One after the other, and as many as a lane may have.
    if (signal.kind === "interrupt") looking = looking.then(() => look(signal.byEvent));
  });
  return {
    signal: run.signal,
    end() {
      leave();
      stop.removeEventListener("abort", follow);
      return looking;
    },
  };
}
