import { LRUCache } from "lru-cache";
import type { Breakers } from "../domain/breaker.ts";
import { DeliveryError } from "../domain/errors.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { Job, Outbox } from "../ports/store.ts";
import type { Logger } from "../telemetry/log.ts";
import { LeasePermit, type Leave } from "./permit.ts";

export interface WaitingDeps {
  /** How long after it was accepted a message that the model cannot answer yet is told so; null: never. */
  readonly afterMs: number | null;
  /** Once in this time in one conversation. */
  readonly windowMs: number;
  readonly clock: Clock;
}

/** Told again too soon is a nuisance and no more: what is forgotten here is still told once for each message. */
const CONVERSATIONS_MAX = 10_000;

const TEXT =
  "The assistant cannot be reached right now. Your message is kept and I keep trying; an answer follows as soon as there is one.";

export interface SayingDeps extends Leave {
  readonly outbox: Outbox;
  readonly breakers: Breakers;
  readonly log: Logger;
}

/** One honest line to whoever waits for a model that is down, that refuses our key or that is left alone for now. */
export class WaitNotices {
  readonly #deps: WaitingDeps;
  readonly #toldAtMs = new LRUCache<string, number>({ max: CONVERSATIONS_MAX });

  constructor(deps: WaitingDeps) {
    this.#deps = deps;
  }

  /** For one try at answering. */
  begin(job: Job, adapter: Adapter, deps: SayingDeps, signal: AbortSignal): Patience {
    const { afterMs, windowMs, clock } = this.#deps;
    const { conversation, sender } = job.event;
    const toldAtMs = this.#toldAtMs.get(conversation);
    const wasTold = toldAtMs !== undefined && clock.nowMs() - toldAtMs < windowMs;
    const isFor = afterMs !== null && !sender.isBot && !wasTold;
    return new Patience(isFor ? job.acceptedAtMs + afterMs : null, clock, signal, async () => {
      if (await sayOnce(job, adapter, deps, signal)) this.#toldAtMs.set(conversation, clock.nowMs());
    });
  }
}

/** The patience of one person, which ends once: when the model has failed, and the time is up. */
export class Patience {
  #dueAtMs: number | null;
  readonly #clock: Clock;
  readonly #say: () => Promise<void>;
  readonly #over = new AbortController();
  readonly #leave: () => void;
  #saying: Promise<void> | null = null;

  constructor(dueAtMs: number | null, clock: Clock, signal: AbortSignal, say: () => Promise<void>) {
    this.#dueAtMs = dueAtMs;
    this.#clock = clock;
    this.#say = say;
    const stop = () => this.#over.abort("over");
    signal.addEventListener("abort", stop, { once: true });
    this.#leave = () => signal.removeEventListener("abort", stop);
  }

  /** The model has failed, and is tried again or not: from now on time counts. */
  inTrouble(): void {
    if (this.#dueAtMs === null || this.#saying !== null) return;
    const inMs = Math.max(0, this.#dueAtMs - this.#clock.nowMs());
    const due = inMs === 0 ? Promise.resolve() : this.#clock.sleep(inMs, this.#over.signal);
    this.#saying = due.then(
      () => {
        this.#dueAtMs = null;
        return this.#say();
      },
      () => {}, // Answered, stopped or put back before that.
    );
  }

  /** Ends the wait. What is being said has been said when this resolves, so that the answer comes after it. */
  async end(): Promise<void> {
    // A line that is due now is said; one that is due later is for the next try.
    if (this.dueInMs() !== null) this.#over.abort("over");
    await this.#saying;
    this.#leave();
  }

  /** How long until somebody is to be told; null: nobody is. */
  dueInMs(): number | null {
    const inMs = this.#dueAtMs === null ? 0 : this.#dueAtMs - this.#clock.nowMs();
    return inMs > 0 ? inMs : null;
  }
}

/**
 * Says the line, if nobody has said it for this message: its part is reserved like one of a reply, so it is said once over
 * restarts and replicas, and when in doubt not again. False: it was not said, and may be another time. Never throws.
 */
async function sayOnce(
  job: Job,
  adapter: Adapter,
  { outbox, breakers, log, ...leave }: SayingDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { event, replay } = job;
  const about = { event_id: event.id, conversation_id: event.conversation, platform: adapter.platform };
  // A platform that is down itself has nobody to hear it.
  if (breakers.of(adapter.platform).state() !== "closed") return false;
  const partId = `${event.id}/${replay > 0 ? `r${replay}/` : ""}wait`;
  const [part] = adapter.render(TEXT, event.replyTo);
  if (part === undefined) return false;
  try {
    const reservation = await outbox.reserve(job, partId);
    if (reservation.kind !== "fresh") return reservation.kind !== "lost";
    const { sendsBefore } = reservation;
    const permit = new LeasePermit(leave);
    try {
      await permit.renew();
      const receipt = await adapter.send(
        { partId, to: event.replyTo, part, index: 0, sendsBefore, mayRepeat: false },
        signal,
        permit,
      );
      await outbox.record(partId, receipt);
      log.info(about, "reply.waiting_told");
      return true;
    } catch (error) {
      const isCertain = error instanceof DeliveryError ? error.kind !== "unknown" : permit.wasNeverGiven;
      if (isCertain) await outbox.record(partId, "not-sent");
      throw error;
    }
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    if (!signal.aborted) log.warn({ ...about, cause }, "reply.waiting_not_told");
    return false;
  }
}
