import type { Clock } from "../../ports/clock.ts";
import type { Watermark, Watermarks } from "../../ports/watermarks.ts";
import type { ClaimGate } from "./gate.ts";

const TICK_MS = 250;
/**
 * Who was not heard for a second counts as one that may hold anything once the store is back from an outage. In ticks,
 * so that a process that stood still asks before it believes that the store is away.
 */
const LAPSED_TICKS = 5;

export interface HeraldDeps {
  readonly watermarks: Watermarks;
  readonly gate: Pick<ClaimGate, "heard" | "unheard">;
  /** What is true now. */
  readonly mark: () => Watermark;
  readonly clock: Clock;
}

/** Tells the store again and again what waits in our spool, and so finds out whether it is there, and takes writes. */
export class Herald {
  readonly #deps: HeraldDeps;
  #tick = 0;
  /** When the store last heard that nothing is spooled; a predecessor may have said so just before we began. */
  #clearTick = 0;
  /** The store knows that something is spooled. */
  #isTold = false;
  #isAnotherSpooling = false;
  readonly #waiting = new Set<() => void>();
  #isTelling = false;
  #isNudged = false;
  /** Ends the present sleep. */
  #cut = new AbortController();

  constructor(deps: HeraldDeps) {
    this.#deps = deps;
  }

  /** As far as we have heard. */
  get isAnotherSpooling(): boolean {
    return this.#isAnotherSpooling;
  }

  /** Resolves when what has just been spooled may be acknowledged: nothing that comes after that will overtake it. */
  published(): Promise<void> {
    if (this.#isSafe) return Promise.resolve();
    this.#isNudged = true;
    if (!this.#isTelling) this.#cut.abort(CUT);
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** Until the signal aborts. Not to be waited for: a store that hangs keeps it from coming to an end. */
  async run(signal: AbortSignal): Promise<void> {
    // Linked by hand, and once: AbortSignal.any costs more than all the rest of this.
    const end = () => {
      this.#cut.abort(CUT);
      this.#release();
    };
    signal.addEventListener("abort", end, { once: true });
    // The first word tells the store that we are there; only the second can say that our spool is empty.
    await this.#publish(signal);
    while (!signal.aborted) {
      this.#isNudged = false;
      await this.#publish(signal);
      if (!this.#isNudged && !signal.aborted) await this.#aTick();
    }
  }

  get #isSafe(): boolean {
    return this.#isTold || this.#tick - this.#clearTick >= LAPSED_TICKS || !this.#deps.mark().isSpooling;
  }

  #release(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** Time goes on while the store does not answer. */
  async #publish(signal: AbortSignal): Promise<void> {
    this.#isTelling = true;
    void this.#word().then(() => {
      this.#isTelling = false;
      this.#cut.abort(CUT);
    });
    while (this.#isTelling && !signal.aborted) await this.#aTick();
  }

  async #aTick(): Promise<void> {
    this.#cut = new AbortController();
    await this.#deps.clock.sleep(TICK_MS, this.#cut.signal).then(
      () => {
        this.#tick++;
        if (this.#waiting.size > 0 && this.#isSafe) this.#release();
      },
      () => {}, // Cut short.
    );
  }

  /** Never rejects. */
  async #word(): Promise<void> {
    const { watermarks, gate, mark } = this.#deps;
    const { isSpooling, lowAtMs } = mark();
    if (!isSpooling) this.#isTold = false;
    try {
      const answer = await watermarks.publish({ isSpooling, lowAtMs });
      gate.heard();
      this.#isAnotherSpooling = answer.isAnotherSpooling;
      if (!answer.isTaken) return;
      if (isSpooling) this.#isTold = true;
      else this.#clearTick = this.#tick;
      if (this.#isSafe) this.#release();
    } catch (error) {
      gate.unheard(error);
    }
  }
}

/** Said to our own sleeps; the default reason would be an error with a stack, made anew each time. */
const CUT = "cut short";
