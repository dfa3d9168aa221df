import type { Progress } from "../domain/run.ts";
import type { Fate, Outbox, Reservation } from "../ports/outbox.ts";
import type { Job } from "../ports/queue.ts";

/** The answer is durable before a word of it is said: it is stored with the reservation of its first part. */
export class FirstStored implements Pick<Outbox, "reserve" | "record"> {
  readonly #outbox: Outbox;
  #unsaved: Progress | null;

  constructor(outbox: Outbox, unsaved: Progress | null) {
    this.#outbox = outbox;
    this.#unsaved = unsaved;
  }

  /** Null once the store was asked to take it. */
  get unsaved(): Progress | null {
    return this.#unsaved;
  }

  reserve(job: Job, partId: string): Promise<Reservation> {
    const progress = this.#unsaved;
    this.#unsaved = null;
    return progress === null ? this.#outbox.reserve(job, partId) : this.#outbox.begin(job, progress, partId);
  }

  record(partId: string, fate: Fate): Promise<void> {
    return this.#outbox.record(partId, fate);
  }
}
