import { DeliveryError } from "../domain/errors.ts";
import { redacted, redactedPart } from "../domain/redact.ts";
import type { Delivery } from "../domain/reply.ts";
import type { HookBody, PostEnd, PostOptions } from "../hooks/post.ts";
import type { PlaceTarget } from "../hooks/target.ts";
import type { Adapter } from "../ports/adapter.ts";
import { happenedText } from "../reply/happened-texts.ts";
import { messageOf } from "../shared/fault.ts";

/** Says one line in a chat of the operator. Rejects when aborted, and else never. */
export async function sayNotice(
  { place, timeoutMs }: Pick<PlaceTarget, "place" | "timeoutMs">,
  { type, data }: Pick<HookBody, "type" | "data">,
  { id, signal }: Pick<PostOptions, "id" | "signal">,
  adapters: ReadonlyMap<string, Adapter>,
): Promise<PostEnd> {
  try {
    await sayAt(place, happenedText(type, data), { id, signal, timeoutMs }, adapters);
    return { kind: "delivered", status: 200 };
  } catch (error) {
    signal.throwIfAborted();
    return failed(messageOf(error), error instanceof DeliveryError ? error.retryAfterMs : null);
  }
}

/** Throws DeliveryError, `rejected` where no bot may speak; and the signal's reason. */
export async function sayAt(
  { platform, tenant, channel, thread }: PlaceTarget["place"],
  text: string,
  { id, signal, timeoutMs }: Pick<PostOptions, "id" | "signal"> & Pick<PlaceTarget, "timeoutMs">,
  adapters: ReadonlyMap<string, Adapter>,
): Promise<void> {
  const adapter = adapters.get(platform);
  const to = adapter?.addressOf?.({ tenant: tenant ?? "", channel, thread, eventId: id }) ?? null;
  if (adapter === undefined || to === null) {
    const why = `no bot may speak there: expected ${platform} to be configured, and a channel of it`;
    throw new DeliveryError("rejected", why);
  }
  const parts = adapter.render(redacted(text), to).map(redactedPart);
  const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  for (const [index, part] of parts.entries()) {
    const delivery: Delivery = {
      partId: `${id}/${index}`,
      to,
      part,
      index,
      sendsBefore: 0,
      mayRepeat: false,
    };
    await adapter.send(delivery, until);
  }
}

function failed(cause: string, retryAfterMs: number | null = null): PostEnd {
  return { kind: "failed", status: null, cause, retryAfterMs };
}
