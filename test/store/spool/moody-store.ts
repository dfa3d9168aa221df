import { GatewayError } from "../../../src/domain/errors.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Acceptance, Offer } from "../../../src/ports/inbox.ts";
import type { Store } from "../../../src/ports/store.ts";
import type { Watermark, Watermarks } from "../../../src/ports/watermarks.ts";

/**
 * What the store does with what is asked of it:
 * - `away`: nothing, and says so
 * - `deaf`: carries it out, and says that it did not
 * - `hung`: nothing until its mood changes; then it does everything
 * - `refusing`: gives work out and takes nothing in, as one that is out of memory
 * - `broken`: refuses offers with an error that says nothing about later
 */
export type Mood = "well" | "away" | "deaf" | "hung" | "refusing" | "broken";

export function away(): GatewayError {
  return new GatewayError("STORE_UNAVAILABLE", "the store is away in this test");
}

/** A store with moods. */
export class MoodyStore {
  readonly store: Store;
  /** Every offer that reached the store, carried out or not. */
  readonly offers: Offer[] = [];
  /** How long an offer is on its way, all alike: one connection keeps their order. */
  latencyMs = 0;
  /** What a process has told of its spool, and was heard. */
  readonly marks: Watermark[] = [];
  readonly #time: Clock;
  #mood: Mood = "well";
  #hung: (() => void)[] = [];

  constructor(inner: Store, time: Clock) {
    this.#time = time;
    const { inbox, queue } = inner;
    this.store = {
      ...inner,
      inbox: {
        accept: (offer) => {
          this.offers.push(offer);
          return this.#carryOut<Acceptance>(() => inbox.accept(offer), true);
        },
      },
      queue: {
        ...queue,
        claim: (options) => this.#carryOut(() => queue.claim(options), false),
      },
      people: { settle: (person) => this.#carryOut(() => inner.people.settle(person), false) },
    };
  }

  /** Of one process. What others say is of no account here: see the tests of the store that keeps it. */
  get watermarks(): Watermarks {
    return {
      publish: (mark) =>
        this.#carryOut(async () => {
          this.marks.push(mark);
          return { isTaken: true, isAnotherSpooling: false };
        }, false),
    };
  }

  get mood(): Mood {
    return this.#mood;
  }

  set mood(mood: Mood) {
    this.#mood = mood;
    if (mood === "hung") return;
    for (const goOn of this.#hung.splice(0)) goOn();
  }

  async #carryOut<T>(call: () => Promise<T>, isOffer: boolean): Promise<T> {
    if (isOffer && this.latencyMs > 0) await this.#time.sleep(this.latencyMs);
    const mood = this.#mood;
    if (mood === "away" || (mood === "refusing" && isOffer)) throw away();
    if (mood === "broken" && isOffer) throw new GatewayError("STORE_WRITE_FAILED", "broken in this test");
    if (mood === "hung") await new Promise<void>((resolve) => this.#hung.push(resolve));
    const result = await call();
    if (mood === "deaf") throw away();
    return result;
  }
}
