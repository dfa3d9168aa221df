import { LRUCache } from "lru-cache";
import { MODEL_SILENT_MS } from "../domain/bounds.ts";
import type { Breakers } from "../domain/breaker.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Waiting } from "../ports/agent.ts";
import type { Clock } from "../ports/clock.ts";
import type { Outbox } from "../ports/outbox.ts";
import type { Job } from "../ports/queue.ts";
import { messageOf } from "../shared/fault.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";
import { destinationOf } from "./deliver.ts";
import type { Leave } from "./permit.ts";
import { sendReserved } from "./send-reserved.ts";
import { WAITING } from "./texts.ts";

export interface WaitingDeps {
  /** How long after it was accepted, or brought back, a message that the model cannot answer yet is told so; null: never. */
  readonly afterMs: number | null;
  /** Once in this time in one conversation. */
  readonly windowMs: number;
  readonly clock: Clock;
}

/** Told again too soon is a nuisance and no more: what is forgotten here is still told once for each message. */
const CONVERSATIONS_MAX = 10_000;

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
  begin(job: Job, adapter: Adapter, deps: SayingDeps, signal: AbortSignal, parkedMs = 0): Patience {
    const { afterMs, windowMs, clock } = this.#deps;
    const { conversation, sender } = job.event;
    const toldAtMs = this.#toldAtMs.get(conversation);
    const wasTold = toldAtMs !== undefined && clock.nowMs() - toldAtMs < windowMs;
    const isFor = afterMs !== null && !sender.isBot && !wasTold;
    const dueAtMs = isFor ? job.waitsSinceMs + parkedMs + afterMs : null;
    const silentMs = Math.min(MODEL_SILENT_MS, afterMs ?? MODEL_SILENT_MS);
    return new Patience({ dueAtMs, silentMs, clock }, signal, async () => {
      if (await sayOnce(job, adapter, deps, signal)) this.#toldAtMs.set(conversation, clock.nowMs());
    });
  }
}

interface PatienceOptions {
  /** Null: nobody is told. */
  readonly dueAtMs: number | null;
  /** A call that is silent for so long is trouble. */
  readonly silentMs: number;
  readonly clock: Clock;
}

interface Alarm {
  readonly atMs: number;
  readonly off: () => void;
}

/**
 * The patience of one person, which ends once: when the time is up, and the model has failed or is silent. What is heard
 * of it before that calms again: nobody is told that it cannot be reached while it answers.
 */
export class Patience implements Waiting {
  #dueAtMs: number | null;
  readonly #options: PatienceOptions;
  readonly #say: () => Promise<void>;
  readonly #leave: () => void;
  #alarm: Alarm | null = null;
  #saying: Promise<void> | null = null;

  constructor(options: PatienceOptions, signal: AbortSignal, say: () => Promise<void>) {
    this.#dueAtMs = signal.aborted ? null : options.dueAtMs;
    this.#options = options;
    this.#say = say;
    const stop = () => {
      this.#dueAtMs = null;
      this.heard();
    };
    signal.addEventListener("abort", stop, { once: true });
    this.#leave = () => signal.removeEventListener("abort", stop);
  }

  asked(): void {
    this.#alarmIn(this.#options.silentMs);
  }

  heard(): void {
    this.#alarm?.off();
    this.#alarm = null;
  }

  /** Has failed, and is tried again or not: from now on time counts. */
  inTrouble(): void {
    this.#alarmIn(0);
  }

  /** When the person's time is up, and not before so long. One that goes off sooner already stays. */
  #alarmIn(ms: number): void {
    if (this.#dueAtMs === null) return;
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    const atMs = Math.max(this.#dueAtMs, nowMs + ms);
    if (this.#alarm !== null && this.#alarm.atMs <= atMs) return;
    this.heard();
    this.#alarm = { atMs, off: clock.timer(atMs - nowMs, () => this.#ring()) };
  }

  #ring(): void {
    this.#alarm = null;
    this.#dueAtMs = null;
    this.#saying = this.#say();
  }

  /** Ends the wait. What is being said has been said when this resolves, so that the answer comes after it. */
  async end(): Promise<void> {
    const atMs = this.#alarm?.atMs ?? Infinity;
    this.heard();
    // A line that is due now is said; one that is due later is for the next try.
    if (atMs <= this.#options.clock.nowMs()) this.#ring();
    await this.#saying;
    this.#leave();
  }

  /** How long until somebody is to be told; null: nobody is. */
  dueInMs(): number | null {
    const inMs = this.#dueAtMs === null ? 0 : this.#dueAtMs - this.#options.clock.nowMs();
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
  const about = { ...eventIds(event), conversation_id: event.conversation, platform: adapter.platform };
  // A platform that is down itself has nobody to hear it.
  if (breakers.of(destinationOf(adapter, event.replyTo)).state() !== "closed") return false;
  const partId = `${event.id}/${replay > 0 ? `r${replay}/` : ""}wait`;
  const [part] = adapter.render(WAITING, event.replyTo);
  if (part === undefined) return false;
  try {
    const reservation = await outbox.reserve(job, partId);
    if (reservation.kind !== "fresh") return reservation.kind !== "lost";
    const { sendsBefore } = reservation;
    const delivery = { partId, to: event.replyTo, part, index: 0, sendsBefore, mayRepeat: false };
    await outbox.record(partId, await sendReserved(delivery, adapter, { outbox, ...leave }, signal));
    log.info(about, "reply.waiting_told");
    return true;
  } catch (error) {
    const cause = messageOf(error);
    if (!signal.aborted) log.warn({ ...about, cause }, "reply.waiting_not_told");
    return false;
  }
}
