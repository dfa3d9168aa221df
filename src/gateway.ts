import { type Admission, admit } from "./admit/admit.ts";
import type { AdmissionPolicy } from "./admit/policy.ts";
import type { TriggerEvent } from "./domain/event.ts";
import type { Refusal } from "./domain/refusal.ts";
import type { Reception, ReceptionOutcome } from "./ingress/reception.ts";
import { verifyRequest } from "./ingress/verify.ts";
import type { Ack, Adapter, RawRequest } from "./ports/adapter.ts";
import type { Clock } from "./ports/clock.ts";
import type { Acceptance, Queue } from "./ports/store.ts";
import type { Metrics } from "./telemetry/metrics.ts";

export interface GatewayDeps {
  readonly queue: Pick<Queue, "accept">;
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
  if (verified.kind !== "genuine") return TURNED_AWAY[verified.kind];

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
      return { outcome: "ignored", ack: inbound.ack, reason: inbound.reason, events: 0 };
    case "events":
      for (const reason of inbound.ignored) countIgnored(adapter, reason, deps);
      return await publish(inbound.events, inbound.ack, adapter, deps);
  }
}

async function publish(
  events: readonly TriggerEvent[],
  ack: Ack,
  adapter: Adapter,
  deps: GatewayDeps,
): Promise<Reception> {
  // All of a batch is offered in one tick, so that it shares one commit and keeps its order.
  const fates = await Promise.allSettled(
    events.map((event) => offer(admit(event, deps.policy, deps.clock.nowMs()), deps)),
  );
  const outcomes = fates.map((fate) =>
    fate.status === "fulfilled" ? count(fate.value, adapter, deps) : "unavailable",
  );
  const outcome = RANKED.find((candidate) => outcomes.includes(candidate)) ?? "ignored";
  const failure = fates.find((fate) => fate.status === "rejected");
  const reason = failure
    ? String((failure.reason as { code?: unknown })?.code ?? failure.reason)
    : reasonOf(fates);
  const refusal = fates.map(refusalIn).find((candidate) => candidate !== undefined);
  const first = events[0];
  return {
    outcome,
    // Only now: an acknowledgement promises that the events survive a crash.
    ack: outcome === "unavailable" ? { status: 503 } : ack,
    ...(reason !== undefined && { reason }),
    ...(refusal && { refusal }),
    ...(first && { eventId: first.id, conversation: first.conversation }),
    events: events.length,
  };
}

type Fate = Acceptance | Extract<Admission, { kind: "ignored" }>;

async function offer(admission: Admission, deps: GatewayDeps): Promise<Fate> {
  return admission.kind === "ignored" ? admission : await deps.queue.accept(admission.offer);
}

/** One failure makes the platform send the whole batch again, so the worst outcome names the batch. */
const RANKED: readonly ReceptionOutcome[] = ["unavailable", "accepted", "refused", "duplicate", "ignored"];

function count(fate: Fate, adapter: Adapter, { metrics }: GatewayDeps): ReceptionOutcome {
  const { platform } = adapter;
  switch (fate.kind) {
    case "accepted":
      return "accepted";
    case "duplicate":
      metrics.duplicates.inc({ platform });
      return "duplicate";
    case "refused":
      metrics.refusals.inc({ platform, cause: fate.refusal.cause });
      if (fate.refusal.cause === "rate_limited")
        metrics.rateLimited.inc({ platform, scope: fate.refusal.detail });
      return "refused";
    case "ignored":
      metrics.ignored.inc({ platform, reason: fate.reason });
      return "ignored";
    case "unknown-conversation":
      metrics.ignored.inc({ platform, reason: "not_addressed" });
      return "ignored";
    case "full":
      return "unavailable";
  }
}

function reasonOf(fates: readonly PromiseSettledResult<Fate>[]): string | undefined {
  for (const fate of fates) {
    if (fate.status !== "fulfilled") continue;
    if (fate.value.kind === "full") return "QUEUE_FULL";
    if (fate.value.kind === "refused") return `${fate.value.refusal.cause}: ${fate.value.refusal.detail}`;
    if (fate.value.kind === "ignored") return fate.value.reason;
    if (fate.value.kind === "unknown-conversation") return "not_addressed";
  }
  return undefined;
}

function refusalIn(fate: PromiseSettledResult<Fate>): Refusal | undefined {
  return fate.status === "fulfilled" && fate.value.kind === "refused" ? fate.value.refusal : undefined;
}

function countIgnored(adapter: Adapter, reason: string, { metrics }: GatewayDeps): void {
  metrics.ignored.inc({ platform: adapter.platform, reason });
}

const TURNED_AWAY: Readonly<Record<"forged" | "stale" | "refused" | "probe", Reception>> = {
  forged: { outcome: "forged", ack: { status: 401 }, events: 0 },
  stale: { outcome: "stale", ack: { status: 401 }, events: 0 },
  refused: { outcome: "handshake-refused", ack: { status: 403 }, events: 0 },
  probe: { outcome: "handshake", ack: { status: 200 }, events: 0 },
};
