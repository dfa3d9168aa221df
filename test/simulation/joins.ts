import type { TriggerEvent } from "../../src/domain/event.ts";

/** What was joined to what, whichever process did it. What is joined ends with its event, and is never claimed alone. */
export class Joins {
  /** Claims of an event to which others were joined before. */
  takenUp = 0;
  readonly #violate: (what: string) => void;
  readonly #of = new Map<string, readonly string[]>();
  readonly #into = new Map<string, string>();

  constructor(violate: (what: string) => void) {
    this.#violate = violate;
  }

  get size(): number {
    return this.#into.size;
  }

  /** Oldest first. */
  of(eventId: string): readonly string[] {
    return this.#of.get(eventId) ?? [];
  }

  joined(eventId: string, ids: readonly string[]): void {
    const before = this.of(eventId);
    if (before.some((id, place) => ids[place] !== id))
      this.#violate(`${eventId} is joined by ${ids.join(", ")}, but was by ${before.join(", ")}`);
    for (const id of ids) {
      const other = this.#into.get(id);
      if (other !== undefined && other !== eventId)
        this.#violate(`${id} was joined to ${other}, then to ${eventId}`);
      this.#into.set(id, eventId);
    }
    this.#of.set(eventId, ids);
  }

  claimed(eventId: string, ids: readonly string[]): void {
    const into = this.#into.get(eventId);
    if (into !== undefined) this.#violate(`${eventId} was claimed, but is joined to ${into}`);
    if (ids.length > 0) this.takenUp++;
    this.joined(eventId, ids);
  }
}

export function idsOf(events: readonly TriggerEvent[]): readonly string[] {
  return events.map(({ id }) => id);
}
