import { withSender } from "../../domain/conversation.ts";
import type { TriggerEvent } from "../../domain/event.ts";
import type { Offer } from "../../ports/inbox.ts";
import type { People } from "../../ports/people.ts";
import type { Job } from "../../ports/queue.ts";

/** Decides again about an event that has waited; null: it is not for us any more. */
export type OfferOf = (event: TriggerEvent, acceptedAtMs: number) => Offer | null;

/** An event as the spool's file holds it. When it came is known only here: a store that hung may have cost a second. */
interface SpooledEvent extends TriggerEvent {
  readonly arrivedAtMs: number;
}

/** Whether the conversation is known cannot be found out here; the store says so when the event is forwarded. */
export function toEntry(offer: Offer, arrivedAtMs: number): Offer {
  const event: SpooledEvent = { ...offer.event, arrivedAtMs };
  // Nothing is run from a spool: what waits there is in nobody's way.
  return { ...offer, event, onlyIfKnown: false, busy: "queue" };
}

/**
 * Its limits were charged as it was spooled, and what they said then holds. By which names its sender is known could not
 * be asked then, and is now. Rejects with STORE_*.
 */
export async function toOffer(
  { event: stored, refusal }: Job,
  people: People,
  offerOf: OfferOf,
): Promise<Offer | null> {
  const { arrivedAtMs, ...spooled } = stored as SpooledEvent;
  const { person } = spooled;
  const event = person === undefined ? spooled : withSender(spooled, await people.settle(person));
  const offer = offerOf(event, arrivedAtMs);
  if (offer === null) return null;
  return { ...offer, refusal: refusal ?? offer.refusal, limits: [], spooledAtMs: arrivedAtMs };
}
