import type { BreakerObserver, BreakerReport, Breakers } from "../domain/breaker.ts";
import type { ComponentReport } from "../ingress/health.ts";
import { iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

const STATES = { closed: 0, "half-open": 1, open: 2 } as const;

/** One line and one count when a model or a platform is begun to be left alone, and a line when it is well again. */
export function breakerWatch(
  kind: "model" | "platform",
  { log, metrics }: { log: Pick<Logger, "warn">; metrics: Metrics },
): BreakerObserver {
  return {
    opened(name, { code, message }) {
      metrics.breakerOpens.inc({ kind, name });
      log.warn({ kind, name, code, cause: message }, "breaker.opened");
    },
    closed(name, openMs) {
      log.warn({ kind, name, open_ms: openMs }, "breaker.closed");
    },
  };
}

/** The gauge is read, because an open breaker becomes half-open by itself. */
export function showBreakers(
  kind: "model" | "platform",
  reports: () => readonly BreakerReport[],
  metrics: Metrics,
): void {
  metrics.beforeScrape(async () => {
    for (const { name, state } of reports()) metrics.breakerState.set({ kind, name }, STATES[state]);
  });
}

export interface KindOfBreaker extends BreakerReport {
  readonly kind: "model" | "platform";
}

/** Of every model and platform that is in use, also where it was never called. */
export function breakersOf({
  platforms,
  breakers,
  agents,
}: {
  readonly platforms: readonly string[];
  readonly breakers: Breakers;
  readonly agents: { readonly breakers: () => readonly BreakerReport[] };
}): readonly KindOfBreaker[] {
  return [
    ...agents.breakers().map((report) => ({ kind: "model" as const, ...report })),
    ...platforms.map((name) => ({ kind: "platform" as const, ...breakers.of(name).report() })),
  ];
}

/** Of what is left alone: shown, and no more, because events wait for it. Null: none of them is. */
export function restingReport(reports: readonly BreakerReport[]): ComponentReport | null {
  const resting = reports.filter(({ state }) => state !== "closed");
  const [first] = resting;
  if (first === undefined) return null;
  const why = resting.map(({ name, cause }) => `${name} (${cause?.code}: ${cause?.message})`);
  return {
    status: "degraded",
    details: `not called for now, and asked again now and then: ${why.join("; ")}`,
    ...(first.cause !== null && { code: first.cause.code }),
    ...(first.sinceMs !== null && { since: iso(first.sinceMs) }),
  };
}
