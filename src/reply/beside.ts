import type { Button } from "../domain/button.ts";
import { DeliveryError } from "../domain/errors.ts";
import { redacted, redactedPart } from "../domain/redact.ts";
import type { ReplyPart } from "../domain/reply.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Job } from "../ports/queue.ts";
import { messageOf } from "../shared/fault.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import { type DeliverDeps, deliver, partIdOf } from "./deliver.ts";
import { LeasePermit } from "./permit.ts";

/** What kept something from being said that is no part of the answer: a failure of the run. */
export class Aside extends Error {
  readonly error: DeliveryError;

  constructor(error: DeliveryError) {
    super("Could not be said beside the answer", { cause: error });
    this.name = "Aside";
    this.error = error;
  }
}

interface Beside {
  readonly key: string;
  readonly text: string;
  readonly buttons?: readonly Button[] | undefined;
}

/** Says something that is no part of the answer, once: over restarts and replicas like one. Throws Aside for DeliveryError. */
export async function sayBeside(
  { key, text, buttons }: Beside,
  job: Job,
  adapter: Adapter,
  deps: DeliverDeps,
  signal: AbortSignal,
): Promise<void> {
  const parts = adapter.render(redacted(text), deps.to ?? job.event.replyTo, buttons).map(redactedPart);
  try {
    await deliver(job, parts, adapter, { ...deps, beside: key }, signal);
  } catch (error) {
    throw error instanceof DeliveryError ? new Aside(error) : error;
  }
}

/**
 * Changes what `sayBeside` has said, where the platform can. A courtesy: what keeps it from that is logged and is nobody's
 * failure, but for a lease that is gone. The same words again are no harm.
 */
export async function amendBeside(
  { key, text, buttons }: Beside,
  job: Job,
  adapter: Adapter,
  deps: DeliverDeps,
  signal: AbortSignal,
): Promise<void> {
  if (adapter.edit === undefined || deps.breakers.of(adapter.platform).state() !== "closed") return;
  const about = { ...eventIds(job.event), platform: adapter.platform };
  const parts = adapter.render(redacted(text), deps.to ?? job.event.replyTo, buttons).map(redactedPart);
  for (const [index, part] of parts.entries()) {
    const outcome = await amendPart(part, index, key, job, adapter, deps, signal).catch((error: unknown) => {
      if (!(error instanceof DeliveryError)) throw error;
      return messageOf(error);
    });
    if (outcome === "amended") deps.log.info({ ...about, part: index }, "reply.amended");
    else if (outcome !== "unsaid")
      deps.log.warn({ ...about, part: index, cause: outcome }, "reply.amend_failed");
  }
}

/** `unsaid`: nobody knows of a message to change. */
async function amendPart(
  part: ReplyPart,
  index: number,
  key: string,
  job: Job,
  adapter: Adapter,
  deps: DeliverDeps,
  signal: AbortSignal,
): Promise<"amended" | "gone" | "unsaid"> {
  const partId = partIdOf(job, index, key);
  const reservation = await deps.outbox.reserve(job, partId);
  // It was never said, and is not now.
  if (reservation.kind === "fresh") await deps.outbox.record(partId, "not-sent");
  if (reservation.kind !== "sent") return "unsaid";
  const permit = new LeasePermit(deps);
  await permit.renew();
  const to = deps.to ?? job.event.replyTo;
  const delivery = { partId, to, part, index, sendsBefore: 0, mayRepeat: false };
  const receipt = await adapter.edit?.(reservation.receipt, delivery, signal, permit);
  return receipt === undefined || receipt === "gone" ? "gone" : "amended";
}
