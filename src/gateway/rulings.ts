import type { Admission } from "../admit/admit.ts";
import { GatewayError } from "../domain/errors.ts";
import type { Platform } from "../domain/event.ts";
import { ignoredLabel } from "../domain/ignored.ts";
import type { Reception, ReceptionOutcome } from "../ingress/reception.ts";
import type { Acceptance } from "../ports/inbox.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** What became of one event of a webhook. */
export type Fate =
  | Acceptance
  | Extract<Admission, { kind: "ignored" }>
  | { readonly kind: "failed"; readonly code: string };

/** What a fate comes to. */
export interface Ruling {
  readonly outcome: ReceptionOutcome;
  readonly why?: Pick<Reception, "reason" | "refusal">;
  /** No run and no notice will answer it. What is stored, or was before, is answered by whoever works on it. */
  readonly isUnanswered: boolean;
  readonly count?: (metrics: Metrics, platform: Platform) => void;
}

/** One failure makes the platform send the whole batch again, so the worst outcome names the batch. */
export const RANKED: readonly ReceptionOutcome[] = [
  "unavailable",
  "accepted",
  "refused",
  "duplicate",
  "ignored",
];

export function rulingOf(fate: Fate): Ruling {
  switch (fate.kind) {
    case "accepted":
      return ACCEPTED;
    case "duplicate":
      return DUPLICATE;
    case "refused": {
      const { refusal, told } = fate;
      return {
        outcome: "refused",
        why: { reason: `${refusal.cause}: ${refusal.detail}`, refusal },
        isUnanswered: !told,
        count(metrics, platform) {
          metrics.refusals.inc({ platform, cause: refusal.cause });
          if (refusal.cause === "rate_limited") metrics.rateLimited.inc({ platform, scope: refusal.detail });
        },
      };
    }
    case "ignored":
      return notForUs(fate.reason);
    case "unknown-conversation":
      return notForUs("not_addressed");
    case "full":
      return unavailable("QUEUE_FULL");
    case "failed":
      return unavailable(fate.code);
  }
}

const ACCEPTED: Ruling = { outcome: "accepted", isUnanswered: false };
const DUPLICATE: Ruling = {
  outcome: "duplicate",
  isUnanswered: false,
  count: (metrics, platform) => metrics.duplicates.inc({ platform }),
};

function notForUs(reason: string): Ruling {
  const label = ignoredLabel(reason);
  return {
    outcome: "ignored",
    why: { reason },
    isUnanswered: true,
    count: (metrics, platform) => metrics.ignored.inc({ platform, reason: label }),
  };
}

/** The platform sends it again, so its sender goes on waiting. */
function unavailable(reason: string): Ruling {
  return { outcome: "unavailable", why: { reason }, isUnanswered: false };
}

export function failed(error: unknown): Fate {
  return { kind: "failed", code: codeOf(error) };
}

export function codeOf(error: unknown): string {
  return error instanceof GatewayError ? error.code : String(error);
}
