import { RunAborted } from "../domain/abort.ts";
import type { Breakers, CallEnd } from "../domain/breaker.ts";
import { DeliveryError } from "../domain/errors.ts";
import type { ReplyAddress } from "../domain/event.ts";
import { redactedJson } from "../domain/redact.ts";
import type { Delivery, Receipt, ReplyPart } from "../domain/reply.ts";
import type { Adapter, Recovery } from "../ports/adapter.ts";
import type { Fate, Outbox, Reservation } from "../ports/outbox.ts";
import type { Job } from "../ports/queue.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { certainlyUnsaid, LeasePermit, type Leave } from "./permit.ts";

export interface DeliverDeps extends Leave {
  readonly outbox: Pick<Outbox, "reserve" | "record">;
  /** One for each platform, or destination within it, so that one that is down holds up nobody else. */
  readonly breakers: Breakers;
  /** What to do with a part that may have been said and cannot be looked up. */
  readonly inDoubt: "resend_marked" | "leave";
  /** Carries the id of the run. */
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Names what is said beside the answer; absent: it is the answer. */
  readonly beside?: string;
  /** Where it is said; absent: where the event came from. */
  readonly to?: ReplyAddress;
  /** As in Delivery. */
  readonly follows?: boolean;
  /** As in Delivery. */
  readonly readFile?: Delivery["readFile"];
  /** Told of each message that is said for good. Never throws. */
  readonly onSaid?: (messageId: string) => void;
  /** Surrounds what waits for the platform, for whoever counts what does not. */
  readonly elsewhere?: <T>(wait: () => Promise<T>) => Promise<T>;
}

/** Whose breaker a reply has. */
export function destinationOf(adapter: Adapter, to: ReplyAddress): string {
  return adapter.destinationOf?.(to) ?? adapter.platform;
}

/**
 * Says the parts in order, each once: reserve → send → record. A part said by an earlier attempt is passed over,
 * so a retry resumes at the part that failed; one of which a preview is out takes its place. Where the platform takes no
 * more, the rest is left out. Throws DeliveryError, BreakerOpen, or RunAborted when the lease is gone.
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
    // Before the reservation: a part that was reserved and then not sent would be in doubt.
    const to = deps.to ?? job.event.replyTo;
    const leave = deps.breakers.of(destinationOf(adapter, to)).enter();
    let end: CallEnd = "unknown";
    let cause: DeliveryError | undefined;
    try {
      const said = await sayPart({ job, part, index, adapter, deps, signal });
      ({ end } = said);
      if (said.isLast) return;
    } catch (error) {
      end = endOf(error, signal);
      if (error instanceof DeliveryError) cause = error;
      throw error;
    } finally {
      leave(end, cause);
    }
  }
}

interface Saying {
  readonly job: Job;
  readonly part: ReplyPart;
  readonly index: number;
  readonly adapter: Adapter;
  readonly deps: DeliverDeps;
  readonly signal: AbortSignal;
}

interface Said {
  /** What it tells about the platform: nothing when there was no need to call it. */
  readonly end: CallEnd;
  /** Nothing can be said after it, which the person was told with it; or nothing is left to say. */
  readonly isLast: boolean;
}

async function sayPart(saying: Saying): Promise<Said> {
  const { job, index, deps } = saying;
  const partId = partIdOf(job, index, deps.beside);
  const reservation = await deps.outbox.reserve(job, partId);
  if (reservation.kind === "sent") return { end: "unknown", isLast: isLast(reservation.receipt) };
  const receipt =
    reservation.kind === "shown"
      ? await sayInPlace(reservation.receipt, saying)
      : await sayAnew(reservation, saying);
  record(partId, receipt, saying);
  if (receipt.messageId !== null) deps.onSaid?.(receipt.messageId);
  const { endsReply } = receipt;
  if (endsReply !== undefined) {
    const { event } = job;
    const { platform } = saying.adapter;
    const about = { ...eventIds(event), conversation_id: event.conversation, platform, part: index };
    deps.log.warn({ ...about, cause: endsReply }, "reply.cut");
  }
  return { end: receipt === LEFT_IN_DOUBT ? "unknown" : "ok", isLast: isLast(receipt) };
}

function isLast({ endsReply, saysAll }: Receipt): boolean {
  return endsReply !== undefined || saysAll === true;
}

/** A preview is out: the part takes its place. One that was deleted meanwhile is said like any other. */
async function sayInPlace(preview: Receipt, saying: Saying): Promise<Receipt> {
  const { job, index, adapter, deps } = saying;
  const delivery = deliveryOf(saying, 0);
  const receipt = await edit(preview, delivery, saying);
  if (receipt !== "gone") return receipt;
  const { platform } = adapter;
  deps.log.warn(
    { ...eventIds(job.event), platform, part: index, resolution: "sent anew" },
    "reply.preview_gone",
  );
  // Before it is sent anew: whoever goes on after a crash must know that this may have been said.
  record(delivery.partId, "not-sent", saying);
  return await sayAnew(await deps.outbox.reserve(job, delivery.partId), saying);
}

async function sayAnew(reservation: Reservation, saying: Saying): Promise<Receipt> {
  switch (reservation.kind) {
    case "fresh":
      return await sendFirst(deliveryOf(saying, reservation.sendsBefore), saying);
    case "in-doubt": {
      const { sendsBefore, isSenderGone } = reservation;
      return await resolveDoubt(deliveryOf(saying, sendsBefore), isSenderGone, saying);
    }
    case "lost":
      throw new RunAborted("lease-lost");
    default:
      // Somebody else has it by now, or what was recorded of it did not last: the next attempt will see.
      throw new DeliveryError("retry", `expected to say a part anew, but it is ${reservation.kind}`);
  }
}

function deliveryOf({ job, part, index, deps }: Saying, sendsBefore: number): Delivery {
  const partId = partIdOf(job, index, deps.beside);
  const follows = deps.follows === true ? { follows: true as const } : {};
  const reading = deps.readFile === undefined ? {} : { readFile: deps.readFile };
  const to = deps.to ?? job.event.replyTo;
  return { partId, to, part, index, sendsBefore, mayRepeat: false, ...follows, ...reading };
}

/** An event that was refused, or answered before, may be brought back: what it says then is something else. */
export function partIdOf({ event, refusal, replay }: Job, index: number, beside?: string): string {
  const which = refusal !== null ? "notice/" : replay > 0 ? `r${replay}/` : "";
  return `${event.id}/${which}${beside === undefined ? "" : `${beside}/`}${index}`;
}

const LEFT_IN_DOUBT: Receipt = { messageId: null, via: "left in doubt" };

async function sendFirst(delivery: Delivery, saying: Saying): Promise<Receipt> {
  const permit = new LeasePermit(saying.deps);
  try {
    return await send(delivery, saying, permit);
  } catch (error) {
    // Certainly not said: the next attempt may say it without any doubt. Of a repeated send this would not be true,
    // because an earlier one may have landed.
    if (certainlyUnsaid(error, permit)) record(delivery.partId, "not-sent", saying);
    throw error;
  }
}

/**
 * A crash or a lost connection came between sending and recording. What is not there yet may still come from a sender
 * whose lease ran out while it was stopped, so that only one who is gone makes the repetition certain to be the first.
 */
async function resolveDoubt(delivery: Delivery, isSenderGone: boolean, saying: Saying): Promise<Receipt> {
  const { job, adapter, deps, signal } = saying;
  const { platform } = adapter;
  deps.metrics.replies.inc({ platform, outcome: "in_doubt" });
  const { elsewhere = directly } = deps;
  const found = redactedJson(await elsewhere(() => adapter.recover(delivery, signal)));
  deps.log.warn(
    {
      ...eventIds(job.event),
      part: delivery.index,
      platform,
      resolution: resolutionOf(found, isSenderGone, deps),
    },
    "reply.in_doubt",
  );
  if (typeof found === "object") return await asFinal(found, delivery, saying);
  if (found === "unknown" && deps.inDoubt === "leave") return LEFT_IN_DOUBT;
  const mayRepeat = found === "unknown" || (found === "absent" && !isSenderGone);
  return await send({ ...delivery, mayRepeat }, saying);
}

/** Where messages can be changed, what was found may be a preview; one that is gone since then is no repeat's first. */
async function asFinal(found: Receipt, delivery: Delivery, saying: Saying): Promise<Receipt> {
  if (saying.adapter.edit === undefined) return found;
  const receipt = await edit(found, delivery, saying);
  return receipt === "gone" ? await send(delivery, saying) : receipt;
}

function resolutionOf(found: Recovery, isSenderGone: boolean, { inDoubt }: DeliverDeps): string {
  if (typeof found === "object") return "had been sent";
  if (found === "unknown") return inDoubt;
  return found === "repeatable" || isSenderGone ? "sent again" : "resend_marked";
}

async function send(
  delivery: Delivery,
  saying: Saying,
  permit = new LeasePermit(saying.deps),
): Promise<Receipt> {
  const { adapter, signal } = saying;
  return await sending(delivery, saying, permit, () => adapter.send(delivery, signal, permit));
}

/** The words may be there already, so that this is repeated without a doubt. */
async function edit(preview: Receipt, delivery: Delivery, saying: Saying): Promise<Receipt | "gone"> {
  const { adapter, signal } = saying;
  const permit = new LeasePermit(saying.deps);
  // An adapter that cannot change messages (any more) leaves it as it is.
  const call = async () => (await adapter.edit?.(preview, delivery, signal, permit)) ?? "gone";
  return await sending(delivery, saying, permit, call);
}

async function sending<Sent extends Receipt | "gone">(
  delivery: Delivery,
  { job, adapter, deps }: Saying,
  permit: LeasePermit,
  call: () => Promise<Sent>,
): Promise<Sent> {
  const { platform } = adapter;
  const { elsewhere = directly } = deps;
  const startedAt = performance.now();
  try {
    await permit.renew();
    const receipt = redactedJson(await elsewhere(call));
    if (receipt === "gone") return receipt;
    const seconds = (performance.now() - startedAt) / 1000;
    deps.metrics.replies.inc({ platform, outcome: delivery.mayRepeat ? "sent_marked" : "sent" });
    deps.metrics.replySeconds.observe({ platform }, seconds);
    deps.log.info(
      {
        ...eventIds(job.event),
        conversation_id: job.event.conversation,
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
      if (error.status === 429) countPause(error, platform, deps.metrics);
    }
    throw error;
  }
}

/** A platform has refused a call as one too many. */
export function countPause(
  { retryAfterMs }: DeliveryError,
  platform: Adapter["platform"],
  metrics: Pick<Metrics, "platform429" | "platformPauseSeconds">,
): void {
  metrics.platform429.inc({ platform });
  if (retryAfterMs !== null) metrics.platformPauseSeconds.observe({ platform }, retryAfterMs / 1000);
}

function directly<T>(wait: () => Promise<T>): Promise<T> {
  return wait();
}

/**
 * Not awaited. What is stored next, the next reservation or the settlement, comes after it and shares its commit; if
 * that is not stored either, the part is in doubt, as after a crash at this moment.
 */
function record(partId: string, fate: Fate, { job, index, deps }: Saying): void {
  deps.outbox.record(partId, fate).catch((error: unknown) => {
    deps.log.error({ ...eventIds(job.event), part: index, err: error }, "reply.record_failed");
  });
}

/** A platform that refuses one message, or one too many, is well; an abort of ours says nothing about it. */
function endOf(error: unknown, signal: AbortSignal): CallEnd {
  if (signal.aborted || !(error instanceof DeliveryError) || error.status === 429) return "unknown";
  if (error.kind === "refused") return "refused";
  return error.kind === "rejected" ? "ok" : "failed";
}
