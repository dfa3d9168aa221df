import { RunAborted } from "../domain/abort.ts";
import { DeliveryError } from "../domain/errors.ts";
import type { Delivery, Receipt, ReplyPart } from "../domain/reply.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Job, Outbox } from "../ports/store.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface DeliverDeps {
  readonly outbox: Outbox;
  /** What to do with a part that may have been said and cannot be looked up. */
  readonly inDoubt: "resend_marked" | "leave";
  readonly log: Logger;
  readonly metrics: Metrics;
}

/**
 * Says the parts in order, each once: reserve → send → record. A part said by an earlier attempt is passed over,
 * so a retry resumes at the part that failed. Throws DeliveryError, or RunAborted when the lease is gone.
 */
export async function deliver(
  job: Job,
  parts: readonly ReplyPart[],
  adapter: Adapter,
  deps: DeliverDeps,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, part] of parts.entries()) {
    signal.throwIfAborted();
    const partId = `${job.event.id}/${index}`;
    const reservation = await deps.outbox.reserve(job, partId);
    if (reservation.kind === "lost") throw new RunAborted("lease-lost");
    if (reservation.kind === "sent") continue;

    const { sendsBefore } = reservation;
    const delivery = { partId, to: job.event.replyTo, part, index, sendsBefore, mayRepeat: false };
    const receipt =
      reservation.kind === "fresh"
        ? await send(delivery, job, adapter, deps, signal)
        : await resolveDoubt(delivery, job, adapter, deps, signal);
    await deps.outbox.record(partId, receipt);
  }
}

/** A crash or a lost connection came between sending and recording. */
async function resolveDoubt(
  delivery: Delivery,
  job: Job,
  adapter: Adapter,
  deps: DeliverDeps,
  signal: AbortSignal,
): Promise<Receipt> {
  const { platform } = adapter;
  deps.metrics.replies.inc({ platform, outcome: "in_doubt" });
  const found = await adapter.recover(delivery, signal);
  deps.log.warn(
    {
      event_id: job.event.id,
      part: delivery.index,
      platform,
      resolution:
        typeof found === "object" ? "had been sent" : found === "absent" ? "sent again" : deps.inDoubt,
    },
    "reply.in_doubt",
  );
  if (typeof found === "object") return found;
  if (found === "absent") return await send(delivery, job, adapter, deps, signal);
  if (deps.inDoubt === "leave") return { messageId: null, via: "left in doubt" };
  return await send({ ...delivery, mayRepeat: true }, job, adapter, deps, signal);
}

async function send(
  delivery: Delivery,
  job: Job,
  adapter: Adapter,
  deps: DeliverDeps,
  signal: AbortSignal,
): Promise<Receipt> {
  const { platform } = adapter;
  const startedAt = performance.now();
  try {
    const receipt = await adapter.send(delivery, signal);
    const seconds = (performance.now() - startedAt) / 1000;
    deps.metrics.replies.inc({ platform, outcome: delivery.mayRepeat ? "sent_marked" : "sent" });
    deps.metrics.replySeconds.observe({ platform }, seconds);
    deps.log.info(
      {
        event_id: job.event.id,
        conversation_id: job.event.conversation,
        run_id: job.progress?.runId,
        platform,
        part: delivery.index,
        via: receipt.via,
        attempt: job.attempt,
        duration_ms: Math.round(seconds * 1e5) / 100,
      },
      "reply.sent",
    );
    return receipt;
  } catch (error) {
    if (error instanceof DeliveryError) {
      deps.metrics.replies.inc({ platform, outcome: error.kind });
      if (error.status === 429) deps.metrics.platform429.inc({ platform });
      // Certainly not said: the next attempt may say it without any doubt.
      if (error.kind !== "unknown") await deps.outbox.record(delivery.partId, "not-sent");
    }
    throw error;
  }
}
