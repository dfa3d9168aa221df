import { redactedJson } from "../domain/redact.ts";
import type { Delivery, Receipt } from "../domain/reply.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Outbox } from "../ports/outbox.ts";
import { certainlyUnsaid, LeasePermit, type Leave } from "./permit.ts";

/**
 * Sends a part that was reserved and is no part of the answer itself. What certainly was not sent is given back before this
 * rejects; what became of the rest is for the caller to record.
 */
export async function sendReserved(
  delivery: Delivery,
  adapter: Adapter,
  { outbox, ...leave }: Leave & { readonly outbox: Pick<Outbox, "record"> },
  signal: AbortSignal,
): Promise<Receipt> {
  const permit = new LeasePermit(leave);
  try {
    await permit.renew();
    return redactedJson(await adapter.send(delivery, signal, permit));
  } catch (error) {
    if (certainlyUnsaid(error, permit)) await outbox.record(delivery.partId, "not-sent");
    throw error;
  }
}
