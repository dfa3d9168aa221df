import type { Inbox, Offer } from "../../ports/inbox.ts";

/**
 * Files for events that the spool took without them (`mayGrow`). The event in the file takes them over, but that may be
 * too late: it may be on its way to the store, or be there. So the store is offered them, too, behind their event. Not
 * durable: a process that dies in between has acknowledged the event, and what is lost are its files.
 */
export class Latecomers {
  readonly #store: Inbox;
  /** By the ids of events that wait in the file; one each. */
  readonly #late = new Map<string, Offer>();

  constructor(store: Inbox) {
    this.#store = store;
  }

  /** Was a duplicate in the file. `isWaiting`: its event may not have been forwarded yet. */
  came(offer: Offer, atMs: number, isWaiting: boolean): void {
    if (offer.event.attachments.length === 0) return;
    // Charged as it came; a limit must not refuse what is a duplicate.
    const late = { ...offer, limits: [], spooledAtMs: atMs };
    if (isWaiting) this.#late.set(offer.event.id, late);
    else this.#bring(late);
  }

  /** The file does not hold this event any more. */
  left(id: string): void {
    const late = this.#late.get(id);
    if (late === undefined) return;
    this.#late.delete(id);
    this.#bring(late);
  }

  /** The file is empty. */
  allLeft(): void {
    for (const id of [...this.#late.keys()]) this.left(id);
  }

  #bring(late: Offer): void {
    this.#store.accept(late).catch(() => {}); // Away again: nothing is worse than before.
  }
}
