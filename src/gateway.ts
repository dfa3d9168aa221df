import { type Admission, admit, notInstalled } from "./admit/admit.ts";
import type { Acquaintances } from "./admit/people.ts";
import type { AdmissionPolicy } from "./admit/policy.ts";
import { GatewayError } from "./domain/errors.ts";
import type { TriggerEvent } from "./domain/event.ts";
import { ignoredLabel } from "./domain/ignored.ts";
import type { Item, Reception, ReceptionOutcome } from "./ingress/reception.ts";
import { verifyRequest } from "./ingress/verify.ts";
import type { Adapter, Inbound, RawRequest, RequestHead, TurnedAway } from "./ports/adapter.ts";
import type { Clock } from "./ports/clock.ts";
import type { Acceptance, Inbox } from "./ports/inbox.ts";
import type { Metrics } from "./telemetry/metrics.ts";

export interface GatewayDeps {
  readonly inbox: Inbox;
  readonly people: Acquaintances;
  readonly policy: AdmissionPolicy;
  readonly clock: Pick<Clock, "nowMs">;
  readonly metrics: Metrics;
}

/**
 * The front half of the path: verify → parse → admit → publish → acknowledge.
 * What cannot be stored is answered 503, and the platform sends it again.
 */
export async function receive(request: RawRequest, adapter: Adapter, deps: GatewayDeps): Promise<Reception> {
  const verified = verifyRequest(request, adapter);
  if (verified.kind === "probe") return { outcome: "handshake", ack: { status: 200 }, events: 0 };
  if (verified.kind !== "genuine") return turnedAway(verified);

  const inbound = adapter.parse(verified.request);
  switch (inbound.kind) {
    case "malformed":
      return { outcome: "malformed", ack: { status: 400 }, reason: inbound.message, events: 0 };
    case "unsupported":
      return { outcome: "unsupported", ack: { status: 415 }, reason: inbound.message, events: 0 };
    case "handshake":
      return { outcome: "handshake", ack: inbound.ack, events: 0 };
    case "ignored":
      countIgnored(adapter, inbound.reason, deps);
      if (inbound.people !== undefined) await deps.people.learn(inbound.people);
      if (inbound.awaited !== undefined) void adapter.dismiss?.(inbound.awaited);
      return { outcome: "ignored", ack: inbound.ack, reason: inbound.reason, events: 0 };
    case "events":
      for (const reason of inbound.ignored) countIgnored(adapter, reason, deps);
      return await publish(inbound, adapter, deps);
  }
}

async function publish(
  {
    events,
    ignored,
    ack,
    untoldAck = ack,
    ignoredAck = untoldAck,
    people,
  }: Extract<Inbound, { kind: "events" }>,
  adapter: Adapter,
  deps: GatewayDeps,
): Promise<Reception> {
  if (people !== undefined) await deps.people.learn(people);
  const { known, fates } = await offer(events, adapter, deps);
  for (const [i, fate] of fates.entries()) if (isForNothing(fate)) dismiss(known[i], adapter);
  const outcomes = fates.map((one) => count(one, adapter, deps));
  for (const [i, event] of events.entries()) if (outcomes[i] === "accepted") adapter.accepted?.(event);
  const outcome = RANKED.find((candidate) => outcomes.includes(candidate)) ?? "ignored";
  const decisive = outcomes.indexOf(outcome);
  const fate = fates[decisive];
  const event = known[decisive];
  // Nothing will follow: what promises a reply would wait for ever.
  const isIgnored = outcomes.every((one) => one === "ignored");
  const isUntold = fates.every((one) => one.kind === "ignored" || (one.kind === "refused" && !one.told));
  return {
    outcome,
    // Only now: an acknowledgement promises that the events survive a crash.
    ack: outcome === "unavailable" ? { status: 503 } : isIgnored ? ignoredAck : isUntold ? untoldAck : ack,
    ...(fate && reasonOf(fate)),
    ...(event && { eventId: event.id, conversation: event.conversation }),
    events: events.length,
    ...(events.length + ignored.length > 1 && {
      others: [
        ...known.flatMap((one, i) => {
          const [itsOutcome, itsFate] = [outcomes[i], fates[i]];
          return i === decisive || !itsOutcome || !itsFate ? [] : itemOf(one, itsOutcome, itsFate);
        }),
        ...ignored.map((reason) => ({ outcome: "ignored" as const, reason })),
      ],
    }),
  };
}

/** No run and no notice will answer it. What is stored or was stored before is answered by whoever works on it. */
function isForNothing(fate: Fate): boolean {
  if (fate.kind === "refused") return !fate.told;
  return fate.kind === "ignored" || fate.kind === "unknown-conversation";
}

function dismiss(event: TriggerEvent | undefined, adapter: Adapter): void {
  if (event?.trigger === "button") void adapter.dismiss?.(event.replyTo);
}

function itemOf({ id, conversation }: TriggerEvent, outcome: ReceptionOutcome, fate: Fate): Item {
  const { reason } = reasonOf(fate);
  return { outcome, ...(reason !== undefined && { reason }), eventId: id, conversation };
}

/** What became of one event of a webhook. */
type Fate =
  | Acceptance
  | Extract<Admission, { kind: "ignored" }>
  | { readonly kind: "failed"; readonly code: string };

/** All of a batch is offered in one tick, so that it shares one commit and keeps its order. */
async function offer(
  events: readonly TriggerEvent[],
  adapter: Adapter,
  deps: GatewayDeps,
): Promise<{ known: readonly TriggerEvent[]; fates: readonly Fate[] }> {
  try {
    const isSettled = events.every(({ person }) => person === undefined);
    const known = isSettled ? events : await deps.people.settle(events);
    return { known, fates: await Promise.all(known.map((event) => fateOf(event, adapter, deps))) };
  } catch (error) {
    return { known: events, fates: events.map(() => failed(error)) };
  }
}

function failed(error: unknown): Fate {
  return { kind: "failed", code: error instanceof GatewayError ? error.code : String(error) };
}

async function fateOf(
  event: TriggerEvent,
  adapter: Adapter,
  { policy, clock, inbox }: GatewayDeps,
): Promise<Fate> {
  const admission = admit(event, policy, clock.nowMs());
  if (admission.kind === "ignored") return admission;
  const { offer } = admission;
  try {
    return await inbox.accept(adapter.serves?.(event) === false ? notInstalled(offer) : offer);
  } catch (error) {
    return failed(error);
  }
}

/** One failure makes the platform send the whole batch again, so the worst outcome names the batch. */
const RANKED: readonly ReceptionOutcome[] = ["unavailable", "accepted", "refused", "duplicate", "ignored"];

function count(fate: Fate, { platform }: Adapter, { metrics }: GatewayDeps): ReceptionOutcome {
  switch (fate.kind) {
    case "accepted":
      return "accepted";
    case "duplicate":
      metrics.duplicates.inc({ platform });
      return "duplicate";
    case "refused":
      metrics.refusals.inc({ platform, cause: fate.refusal.cause });
      if (fate.refusal.cause === "rate_limited") {
        metrics.rateLimited.inc({ platform, scope: fate.refusal.detail });
      }
      return "refused";
    case "ignored":
      metrics.ignored.inc({ platform, reason: ignoredLabel(fate.reason) });
      return "ignored";
    case "unknown-conversation":
      metrics.ignored.inc({ platform, reason: NOT_ADDRESSED });
      return "ignored";
    case "full":
    case "failed":
      return "unavailable";
  }
}

const NOT_ADDRESSED = "not_addressed";

function reasonOf(fate: Fate): Pick<Reception, "reason" | "refusal"> {
  switch (fate.kind) {
    case "refused":
      return { reason: `${fate.refusal.cause}: ${fate.refusal.detail}`, refusal: fate.refusal };
    case "ignored":
      return { reason: fate.reason };
    case "unknown-conversation":
      return { reason: NOT_ADDRESSED };
    case "full":
      return { reason: "QUEUE_FULL" };
    case "failed":
      return { reason: fate.code };
    case "accepted":
    case "duplicate":
      return {};
  }
}

function countIgnored(adapter: Adapter, reason: string, { metrics }: GatewayDeps): void {
  metrics.ignored.inc({ platform: adapter.platform, reason: ignoredLabel(reason) });
}

/** What the headers alone decide, before the body is read; null: it has to be. */
export function screen(head: RequestHead, adapter: Adapter): Reception | null {
  const verdict = adapter.screen(head);
  return verdict === null ? null : turnedAway(verdict);
}

function turnedAway({ kind, reason }: TurnedAway): Reception {
  return { ...TURNED_AWAY[kind], reason, events: 0 };
}

const TURNED_AWAY: Readonly<Record<TurnedAway["kind"], Pick<Reception, "outcome" | "ack">>> = {
  forged: { outcome: "forged", ack: { status: 401 } },
  stale: { outcome: "stale", ack: { status: 401 } },
  refused: { outcome: "handshake-refused", ack: { status: 403 } },
};
