import { DeliveryError } from "../../src/domain/errors.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import { eventIdOf } from "./address.ts";
import { textOf } from "./render.ts";
import type { Replies } from "./replies.ts";

/** Gives one part to whoever waits for it, now or soon. Throws DeliveryError. */
export function sendPart({ to, part, partId }: Delivery, replies: Pick<Replies, "put">): Receipt {
  const eventId = eventIdOf(to);
  const text = textOf(part);
  if (eventId === undefined || text === undefined) {
    throw new DeliveryError("rejected", "Expected a test address and part, got those of another adapter");
  }
  // Who waits here waits for the answer: a word that it takes longer would be taken for it.
  if (!partId.endsWith("/wait")) replies.put(eventId, partId, text);
  return { messageId: partId, via: "memory" };
}
