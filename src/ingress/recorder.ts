import { LRUCache } from "lru-cache";
import { REASON_CHARS_MAX } from "../domain/bounds.ts";
import { isTaken, isUnverified, type RequestOutcome } from "../domain/request.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { RequestLog, RequestNote } from "../ports/request-log.ts";
import { Tap } from "../shared/tap.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface RecorderOptions {
  readonly requests: Pick<RequestLog, "record">;
  /** How many requests that were refused are kept, and as many that were taken. */
  readonly refusedMax: number;
  readonly maxAgeMs: number;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Hears of each refused one at once. */
  readonly heard: (note: RequestNote) => void;
}

export type Noted = Omit<RequestNote, "id" | "atMs" | "alike">;

/** How long a note may wait in memory. */
const FLUSH_MS = 500;
const RETRY_MS = 5_000;
/** Of one outcome, while the store is slow or away. */
const WAITING_MAX = 1_000;
const BATCH = 1_000;
/** Peers and reasons that are told apart. */
const KINDS_MAX = 1_000;

/** So many at once, then so many a second. Whoever is not known to be a platform may knock as often as he likes. */
const RATES = {
  unverified: { alike: [500, 2], outcome: [1_000, 50] },
  genuine: { alike: [1_000, 100], outcome: [1_000, 200] },
} as const;
/** Of one peer, outcome and reason. */
interface Alike {
  readonly tap: Tap;
  /** The last one that was left out, and how many were. */
  leftOut: Noted | null;
  count: number;
}

/**
 * Notes what became of requests, so that an operator can ask. Off the path to the acknowledgement: a note is put
 * into memory, within bounds, and written by a timer of its own. What comes too fast is left out and counted, the
 * rest of its kind with it, so that 10,000 forgeries a second are 50 notes. While the store is away, the first
 * WAITING_MAX of each outcome wait for it.
 */
export class RequestRecorder {
  readonly #options: RecorderOptions;
  readonly #waiting = new Map<RequestOutcome, RequestNote[]>();
  readonly #taps = new Map<RequestOutcome, Tap>();
  readonly #alike = new LRUCache<string, Alike>({ max: KINDS_MAX });
  /** Labels are bound once: there may be thousands a second. */
  readonly #dropped: Readonly<Record<"flood" | "full", { inc(): void }>>;
  readonly #stopped = new AbortController();
  #isArmed = false;
  #writing: Promise<void> | null = null;

  constructor(options: RecorderOptions) {
    this.#options = options;
    const { requestNotesDropped } = options.metrics;
    this.#dropped = {
      flood: requestNotesDropped.labels({ cause: "flood" }),
      full: requestNotesDropped.labels({ cause: "full" }),
    };
  }

  note(noted: Noted): void {
    if (this.#options.refusedMax === 0 || this.#stopped.signal.aborted) return;
    const nowMs = this.#options.clock.nowMs();
    if (isTaken(noted.outcome)) {
      // Most requests. Those that come too fast are found in the log alone.
      if (this.#tapOf(noted.outcome).give(nowMs)) this.#keep(noted, 0, nowMs);
      return;
    }
    const alike = this.#alikeOf(noted);
    if (alike.tap.give(nowMs) && this.#tapOf(noted.outcome).give(nowMs)) {
      this.#keep(noted, alike.count, nowMs);
      alike.leftOut = null;
      alike.count = 0;
      return;
    }
    alike.leftOut = noted;
    alike.count++;
    this.#dropped.flood.inc();
    this.#arm(FLUSH_MS);
  }

  /** Resolves when all that is known has been written. Rejects when the store cannot. */
  async flush(): Promise<void> {
    this.#noteLeftOut();
    while (this.#writing !== null || this.#hasWaiting) {
      this.#writing ??= this.#write().finally(() => {
        this.#writing = null;
      });
      await this.#writing;
    }
  }

  /** Writes what it can; afterwards nothing is noted. */
  async stop(): Promise<void> {
    const last = this.flush().catch(() => {});
    this.#stopped.abort("stopped");
    await last;
  }

  get #hasWaiting(): boolean {
    return this.#waiting.values().some(({ length }) => length > 0);
  }

  #keep(noted: Noted, alike: number, atMs: number): void {
    const notes = this.#waiting.get(noted.outcome) ?? [];
    if (notes.length >= WAITING_MAX) {
      this.#dropped.full.inc();
      return;
    }
    const reason = noted.reason === null ? null : plain(noted.reason);
    const note = { ...noted, reason, id: this.#options.newId(NOTE), atMs, alike };
    this.#waiting.set(noted.outcome, notes);
    notes.push(note);
    if (!isTaken(noted.outcome)) this.#options.heard(note);
    this.#arm(FLUSH_MS);
  }

  /** Of a flood that has ended, the last is noted with the number of those before it. */
  #noteLeftOut(): void {
    const nowMs = this.#options.clock.nowMs();
    let isLeft = false;
    for (const alike of this.#alike.values()) {
      const { leftOut, count, tap } = alike;
      if (leftOut === null) continue;
      if (!tap.give(nowMs) || !this.#tapOf(leftOut.outcome).give(nowMs)) {
        isLeft = true;
        continue;
      }
      alike.leftOut = null;
      alike.count = 0;
      this.#keep(leftOut, count - 1, nowMs);
    }
    if (isLeft) this.#arm(FLUSH_MS);
  }

  #arm(ms: number): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    const { clock, log } = this.#options;
    clock.sleep(ms, this.#stopped.signal).then(
      async () => {
        this.#isArmed = false;
        try {
          await this.flush();
        } catch (error) {
          // The store says by itself that it is away; what waits is bounded.
          log.debug({ err: error }, "requests.not_noted");
          this.#arm(RETRY_MS);
        }
      },
      () => {},
    );
  }

  async #write(): Promise<void> {
    const { requests, refusedMax, maxAgeMs, clock } = this.#options;
    const batch = [...this.#waiting.values()].flat().slice(0, BATCH);
    const bounds = { refusedMax, afterId: firstIdOf(clock.nowMs() - maxAgeMs) };
    await requests.record(batch, bounds);
    const written = new Set(batch);
    for (const [outcome, notes] of this.#waiting) {
      this.#waiting.set(
        outcome,
        notes.filter((note) => !written.has(note)),
      );
    }
  }

  #tapOf(outcome: RequestOutcome): Tap {
    const tap = this.#taps.get(outcome) ?? new Tap(rateOf(outcome).outcome);
    this.#taps.set(outcome, tap);
    return tap;
  }

  #alikeOf({ platform, peer, outcome, reason }: Noted): Alike {
    const key = `${platform} ${peer} ${outcome} ${reason}`;
    const known = this.#alike.get(key);
    if (known !== undefined) return known;
    const alike: Alike = { tap: new Tap(rateOf(outcome).alike), leftOut: null, count: 0 };
    this.#alike.set(key, alike);
    return alike;
  }
}

const NOTE = "ref";

/** Ids begin with their time; see system/ids.ts. */
function firstIdOf(ms: number): string {
  return `${NOTE}_${Math.max(0, ms).toString(32).padStart(9, "0")}`;
}

function rateOf(outcome: RequestOutcome): (typeof RATES)[keyof typeof RATES] {
  return isUnverified(outcome) ? RATES.unverified : RATES.genuine;
}

/** Reasons come from lists of ours, but for what a parser says about a payload. */
function plain(reason: string): string {
  return reason
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, " ")
    .slice(0, REASON_CHARS_MAX)
    .toWellFormed();
}
